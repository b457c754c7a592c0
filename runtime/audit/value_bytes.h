// value_bytes is the canonical encoding of a value tree: each value has exactly one byte string.
// docs/audit.md has the grammar.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/value.h"
#include "runtime/audit/put_bytes.h"

namespace ordain::detail {

/// @returns how many bytes the encoding of `value` takes; nothing for a tree deeper than
/// kMaxValueDepth, which cannot be encoded
std::optional<size_t> value_size(const Value& value);
/// Writes the encoding of `value`, for which value_size returned a size, to memory of at least that
/// size. @returns the end.
char* write_value(char* to, const Value& value);
/// Appends the encoding of `value`. @returns false (and leaves `out` alone) for a tree deeper than
/// kMaxValueDepth.
bool append_value(std::string& out, const Value& value);

/// These take bytes from the front of `in`. Each returns false if there are too few.
bool take_u32(std::string_view& in, uint32_t* out);
bool take_u64(std::string_view& in, uint64_t* out);
bool take_bytes(std::string_view& in, size_t size, std::string_view* out);
bool take_sized(std::string_view& in, std::string_view* out);

/// Reads one value from the front of `in`. Texts view `in`; lists and maps are in `arena`, whose
/// size is not limited. A string that is not UTF-8 (its call was denied) is read as bytes. Accepts
/// any input safely. @returns false if the input is not a valid encoding.
bool take_value(std::string_view& in, Arena& arena, Value* out);

}  // namespace ordain::detail
