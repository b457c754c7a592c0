// literal decodes the text of a token into its value.
#pragma once

#include <cstdint>
#include <string_view>

#include "compiler/parse/state.h"
#include "ordain/value.h"

namespace ordain::parsing {

/// These functions take a token's text, which starts at offset `begin` of the source and has
/// well-formed quotes and digits. Each returns false after reporting what is wrong with the value.

/// Decodes a string, raw string or bytes literal; the result is in the arena.
bool decode_text(State& state, std::string_view token, uint32_t begin, std::string_view* out);

/// Decodes a decimal or hexadecimal integer; `negative` if a minus sign belongs to it.
bool decode_int(State& state, std::string_view token, Span where, bool negative, Value* out);
bool decode_uint(State& state, std::string_view token, Span where, Value* out);
bool decode_float(State& state, std::string_view token, Span where, bool negative, Value* out);

/// Decodes "1h30m", with the units ns us ms s m h d.
bool decode_duration(State& state, std::string_view token, Span where, Value* out);

}  // namespace ordain::parsing
