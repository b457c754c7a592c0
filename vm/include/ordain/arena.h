// Arena is a bump allocator with a byte limit. It holds the memory of one compilation or
// decision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ordain/export.h"

namespace ordain {

/// Hands out memory that is freed all at once. Not thread-safe; one owner at a time.
///
/// An arena whose `first_block` equals its `limit` takes all its memory at construction and never
/// calls malloc again, which is how scratch memory for deciding is made.
class ORDAIN_API Arena {
 public:
  static constexpr size_t kNoLimit = SIZE_MAX;

  /// @param first_block the bytes taken at construction; each further block is twice as large.
  /// @param limit the total bytes of all blocks; `allocate` returns nullptr past it.
  /// @param map_now whether the system provides the pages of the first block at construction, and not when they are
  /// first used
  explicit Arena(size_t first_block = 4096, size_t limit = kNoLimit, bool map_now = true);
  /// The moved-from arena is empty and keeps its limit; it takes new memory when it is used again.
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  /// Allocates `bytes` bytes, aligned to `align` (a power of two, at most 16).
  /// @returns nullptr past the limit.
  void* allocate(size_t bytes, size_t align = alignof(std::max_align_t)) & {
    size_t start = (used_ + align - 1) & ~(align - 1);
    if (start + bytes <= capacity_ && start + bytes >= start) {
      used_ = start + bytes;
      return block_ + start;
    }
    return allocate_slow(bytes, align);
  }

  /// Makes an uninitialised array. @returns nullptr past the limit.
  template <typename T>
  T* array(size_t count) & {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count > SIZE_MAX / sizeof(T)) return nullptr;
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

  /// Constructs an object; only for arenas without a limit.
  template <typename T, typename... Args>
  T* make(Args&&... args) & {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
  }

  /// Copies `text` into the arena; only for arenas without a limit.
  std::string_view copy(std::string_view text) &;

  /// Copies `items` into the arena; only for arenas without a limit.
  template <typename T>
  std::span<T> copy(std::span<const T> items) & {
    static_assert(std::is_trivially_copyable_v<T>);
    T* out = array<T>(items.size());
    if (!items.empty()) std::memcpy(static_cast<void*>(out), items.data(), items.size_bytes());
    return {out, items.size()};
  }
  template <typename T>
  std::span<T> copy(const std::vector<T>& items) & {
    return copy(std::span<const T>(items));
  }

  /// Frees everything but the largest block. An arena that is reset between similar pieces of work
  /// soon stops calling malloc.
  void reset();

  /// A point to return to: `rewind(mark())` frees what was allocated in between, unless a block was
  /// added meanwhile; then it frees nothing.
  struct Mark {
    const void* block;
    size_t used;
  };
  Mark mark() const { return {block_, used_}; }
  void rewind(Mark mark) {
    if (mark.block == block_) used_ = mark.used;
  }

  size_t limit() const { return limit_; }

  /// The bytes of all blocks.
  size_t reserved() const { return total_; }

 private:
  void* allocate_slow(size_t bytes, size_t align);

  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    size_t size;
  };
  std::vector<Block> blocks_;
  std::byte* block_ = nullptr;
  size_t used_ = 0;
  size_t capacity_ = 0;
  size_t total_ = 0;
  size_t limit_;
};

}  // namespace ordain
