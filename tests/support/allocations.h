// allocations counts allocations, for tests of code that must not make any. An executable counts if
// it contains count_allocations.cc, which replaces operator new.
#pragma once

#include <atomic>
#include <cstdint>

// Sanitizers replace operator new themselves; then nothing is counted, and tests skip.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ORDAIN_COUNTS_ALLOCATIONS 1
#else
#define ORDAIN_COUNTS_ALLOCATIONS 0
#endif

namespace ordain::test {

inline std::atomic<uint64_t> allocations_made = 0;

}  // namespace ordain::test
