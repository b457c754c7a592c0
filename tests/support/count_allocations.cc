// count_allocations.cc replaces operator new by one that counts and can fail, in the executable that contains
// this file.
#include <cstdlib>
#include <new>

#include "tests/support/allocations.h"

#if ORDAIN_COUNTS_ALLOCATIONS
namespace {
void* counted(std::size_t size) {
  ordain::test::allocations_made.fetch_add(1, std::memory_order_relaxed);
  auto& left = ordain::test::allocations_until_failure;
  if (left.load(std::memory_order_relaxed) >= 0 && left.fetch_sub(1) == 0) throw std::bad_alloc();
  void* out = std::malloc(size);
  if (out == nullptr) throw std::bad_alloc();
  return out;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
#endif
