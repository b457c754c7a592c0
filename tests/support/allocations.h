// allocations counts allocations, for tests of code that must not make any. An executable counts if
// it contains count_allocations.cc, which replaces operator new.
#pragma once

#include <atomic>
#include <cstdint>

// Sanitizers replace operator new themselves; then nothing is counted, and tests skip.
// GCC defines macros for them, clang has features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ORDAIN_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ORDAIN_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef ORDAIN_COUNTS_ALLOCATIONS
#define ORDAIN_COUNTS_ALLOCATIONS 1
#endif

namespace ordain::test {

inline std::atomic<uint64_t> allocations_made = 0;

/// How many allocations succeed until one fails, once; negative: all succeed.
inline std::atomic<int64_t> allocations_until_failure = -1;

}  // namespace ordain::test
