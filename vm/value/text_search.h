// contains_bytes finds a string within another. Sixteen positions at a time are filtered by the
// first and the last byte of the needle. For texts as short as those of calls, this costs less than
// setting up a general search.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace ordain {

namespace text_search {

/// Longer needles go to a search whose time does not grow with the product of the two sizes.
inline constexpr size_t kFilterNeedle = 64;

#ifdef __SSE2__
inline uint32_t places(const char* first, const char* last, __m128i first_byte, __m128i last_byte) {
  const __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(first)), first_byte);
  const __m128i b = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(last)), last_byte);
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_and_si128(a, b)));
}

/// Requires 2 <= needle_size, and at least sixteen positions to look at.
inline bool filtered(const char* text, size_t size, const char* needle, size_t needle_size) {
  const __m128i first_byte = _mm_set1_epi8(needle[0]), last_byte = _mm_set1_epi8(needle[needle_size - 1]);
  const size_t last_block = size - needle_size + 1 - 16;
  for (size_t at = 0;; at += 16) {
    if (at > last_block) at = last_block;  // overlaps the previous block, so nothing is read past the end
    uint32_t hits = places(text + at, text + at + needle_size - 1, first_byte, last_byte);
    for (; hits != 0; hits &= hits - 1) {
      const char* place = text + at + __builtin_ctz(hits);
      if (std::memcmp(place + 1, needle + 1, needle_size - 2) == 0) return true;
    }
    if (at == last_block) return false;
  }
}
#endif

}  // namespace text_search

/// Whether `needle` occurs in `text`. An empty needle does.
inline bool contains_bytes(const char* text, size_t size, const char* needle, size_t needle_size) {
  if (needle_size == 0) return true;
  if (size < needle_size) return false;
  if (needle_size == 1) return std::memchr(text, needle[0], size) != nullptr;
#ifdef __SSE2__
  if (needle_size <= text_search::kFilterNeedle && size - needle_size + 1 >= 16) {
    return text_search::filtered(text, size, needle, needle_size);
  }
#endif
  return memmem(text, size, needle, needle_size) != nullptr;
}

}  // namespace ordain
