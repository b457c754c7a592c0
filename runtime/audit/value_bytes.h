// value_bytes: the canonical encoding of a value tree: one value, one byte string. The grammar is in docs/audit.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/value.h"
#include "runtime/audit/put_bytes.h"

namespace ordain::detail {

/// How many bytes the encoding of `value` takes; nothing for a tree deeper than kMaxValueDepth, which has none.
std::optional<size_t> value_size(const Value& value);
/// Writes the encoding of a value that has one to memory of at least that size. @returns the end.
char* write_value(char* to, const Value& value);
/// Appends the encoding of `value`. @returns false (with `out` as it was) for a tree deeper than kMaxValueDepth.
bool append_value(std::string& out, const Value& value);

/// Takes bytes from the front of `in`. Each returns false when there are too few.
bool take_u32(std::string_view& in, uint32_t* out);
bool take_u64(std::string_view& in, uint64_t* out);
bool take_bytes(std::string_view& in, size_t size, std::string_view* out);
bool take_sized(std::string_view& in, std::string_view* out);

/// Reads one value from the front of `in`. Texts view `in`; lists and maps are in `arena`, which has no limit. A string
/// that is not UTF-8 (its sender was denied) is read as bytes. Any input is safe. @returns false if it is not an
/// encoding.
bool take_value(std::string_view& in, Arena& arena, Value* out);

}  // namespace ordain::detail
