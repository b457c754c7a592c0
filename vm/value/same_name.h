// same_name compares two texts that mostly have a few bytes. Binding a call compares dozens of
// field names, and calling memcmp takes longer than comparing them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ordain {

inline bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const size_t size = a.size();
  // Compares the first bytes and the last bytes, which overlap.
  const auto both_ends = [&]<typename T>(T) {
    T first[2], last[2];
    std::memcpy(&first[0], a.data(), sizeof(T));
    std::memcpy(&first[1], b.data(), sizeof(T));
    std::memcpy(&last[0], a.data() + size - sizeof(T), sizeof(T));
    std::memcpy(&last[1], b.data() + size - sizeof(T), sizeof(T));
    return first[0] == first[1] && last[0] == last[1];
  };
  if (size > 16) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size >= 8) return both_ends(uint64_t{});
  if (size >= 4) return both_ends(uint32_t{});
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace ordain
