// put_bytes writes little-endian numbers and texts into memory that has room for them. A record
// consists of some fifty of these, so the functions are inline.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ordain::detail {

inline uint32_t swap_bytes(uint32_t value) { return __builtin_bswap32(value); }
inline uint64_t swap_bytes(uint64_t value) { return __builtin_bswap64(value); }

/// Writes an integer. @returns the end.
template <std::unsigned_integral T>
char* put_number(char* to, T value) {
  if constexpr (std::endian::native == std::endian::big) value = swap_bytes(value);
  std::memcpy(to, &value, sizeof(T));
  return to + sizeof(T);
}
inline char* put_u32(char* to, uint32_t value) { return put_number(to, value); }
inline char* put_u64(char* to, uint64_t value) { return put_number(to, value); }

/// Reads the first bytes of `from` as a number, most significant byte first.
template <std::unsigned_integral T>
T big_endian(const char* from) {
  T out;
  std::memcpy(&out, from, sizeof(T));
  if constexpr (std::endian::native == std::endian::little) out = swap_bytes(out);
  return out;
}

/// Writes bytes. @returns the end. Most texts are names of a few bytes, for which two overlapping
/// stores take less time than a call of memcpy.
inline char* put_bytes(char* to, std::string_view bytes) {
  const char* from = bytes.data();
  const size_t size = bytes.size();
  const auto both_ends = [&]<typename T>(T) {
    T first, last;
    std::memcpy(&first, from, sizeof(T));
    std::memcpy(&last, from + size - sizeof(T), sizeof(T));
    std::memcpy(to, &first, sizeof(T));
    std::memcpy(to + size - sizeof(T), &last, sizeof(T));
  };
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    both_ends(uint64_t{});
  } else if (size >= 4) {
    both_ends(uint32_t{});
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = from[i];
  }
  return to + size;
}

/// Appends a number to a string that grows.
inline void append_u32(std::string& out, uint32_t value) {
  char bytes[sizeof(value)];
  put_u32(bytes, value);
  out.append(bytes, sizeof(bytes));
}
inline void append_u64(std::string& out, uint64_t value) {
  char bytes[sizeof(value)];
  put_u64(bytes, value);
  out.append(bytes, sizeof(bytes));
}
inline void append_sized(std::string& out, std::string_view bytes) {
  append_u32(out, static_cast<uint32_t>(bytes.size()));
  out.append(bytes);
}

}  // namespace ordain::detail
