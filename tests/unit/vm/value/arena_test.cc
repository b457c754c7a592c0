// These tests cover the arena's guarantees: alignment, limits, reuse without malloc, and moves that
// leave nothing behind.
#include "ordain/arena.h"

#include <gtest/gtest.h>

namespace ordain {
namespace {

TEST(Arena, AlignsEveryAllocation) {
  Arena arena(64);
  for (size_t align : {1, 2, 4, 8, 16}) {
    for (int n = 0; n < 20; ++n) {
      arena.allocate(1, 1);
      auto at = reinterpret_cast<uintptr_t>(arena.allocate(24, align));
      EXPECT_EQ(at % align, 0u) << align;
    }
  }
}

TEST(Arena, GivesNothingPastItsLimit) {
  Arena arena(128, 128);
  EXPECT_NE(arena.allocate(100), nullptr);
  EXPECT_EQ(arena.allocate(100), nullptr);
  EXPECT_NE(arena.allocate(8, 8), nullptr);  // the remaining memory is still available
  EXPECT_EQ(arena.reserved(), 128u);
}

TEST(Arena, NeverExceedsItsLimitWithManyBlocks) {
  Arena arena(64, 1000);
  size_t got = 0;
  while (arena.allocate(40) != nullptr) got += 40;
  EXPECT_GE(got, 600u);
  EXPECT_LE(arena.reserved(), 1000u);
}

TEST(Arena, RefusesSizesThatOverflow) {
  Arena arena(64, 1 << 20);
  EXPECT_EQ(arena.allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(arena.allocate(SIZE_MAX - 8), nullptr);
  EXPECT_EQ(arena.array<uint64_t>(SIZE_MAX / 4), nullptr);
  EXPECT_NE(arena.allocate(16), nullptr);
}

TEST(Arena, EmptyAllocationsAreNotFailures) {
  Arena arena(64);
  EXPECT_NE(arena.array<int>(0), nullptr);
  Arena tiny(0);
  EXPECT_NE(tiny.array<int>(0), nullptr);
  EXPECT_EQ(tiny.copy(std::string_view()), "");
}

TEST(Arena, ResetKeepsTheLargestBlock) {
  Arena arena(64);
  arena.allocate(10000);
  arena.allocate(64);
  arena.reset();
  size_t kept = arena.reserved();
  EXPECT_GE(kept, 10000u);
  arena.allocate(10000);
  EXPECT_EQ(arena.reserved(), kept);  // no block was added
}

TEST(Arena, RewindFreesWhatCameAfterTheMark) {
  Arena arena(1024);
  arena.allocate(16);
  Arena::Mark mark = arena.mark();
  void* first = arena.allocate(100, 8);
  arena.rewind(mark);
  EXPECT_EQ(arena.allocate(100, 8), first);
  Arena::Mark before_growth = arena.mark();
  auto* kept = static_cast<char*>(arena.allocate(5000, 1));
  kept[4999] = 'x';
  arena.rewind(before_growth);  // the arena is in another block now: nothing is freed
  auto* next = static_cast<char*>(arena.allocate(1, 1));
  EXPECT_TRUE(next >= kept + 5000 || next < kept);
}

TEST(Arena, MovedFromArenaSharesNothing) {
  Arena arena(256);
  std::string_view text = arena.copy("hello");
  Arena other(std::move(arena));
  std::string_view again = arena.copy("world");  // NOLINT(bugprone-use-after-move): what this is about
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(again, "world");
  other = Arena(64);
  EXPECT_EQ(other.copy("x"), "x");
}

TEST(Arena, CopiesSpans) {
  Arena arena;
  std::vector<int> from = {1, 2, 3};
  std::span<int> to = arena.copy(from);
  from[0] = 9;
  EXPECT_EQ(to[0], 1);
  EXPECT_EQ(to.size(), 3u);
}

}  // namespace
}  // namespace ordain
