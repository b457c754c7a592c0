// value_bytes: the canonical encoding of a value tree: one value, one byte string. The grammar is in docs/audit.md.
#pragma once

#include <string>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/value.h"

namespace ordain::detail {

/// Appends little-endian integers and sized texts. In the header because a record is some fifty of these.
inline void append_u32(std::string& out, uint32_t value) {
  char bytes[4];
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  out.append(bytes, sizeof(bytes));
}
inline void append_u64(std::string& out, uint64_t value) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  out.append(bytes, sizeof(bytes));
}
/// A byte, and an integer behind it.
inline void append_tagged_u32(std::string& out, uint8_t tag, uint32_t value) {
  char bytes[5] = {static_cast<char>(tag)};
  for (int i = 0; i < 4; ++i) bytes[i + 1] = static_cast<char>(value >> (8 * i));
  out.append(bytes, sizeof(bytes));
}
inline void append_tagged_u64(std::string& out, uint8_t tag, uint64_t value) {
  char bytes[9] = {static_cast<char>(tag)};
  for (int i = 0; i < 8; ++i) bytes[i + 1] = static_cast<char>(value >> (8 * i));
  out.append(bytes, sizeof(bytes));
}
inline void append_sized(std::string& out, std::string_view bytes) {
  append_u32(out, static_cast<uint32_t>(bytes.size()));
  out.append(bytes);
}

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
