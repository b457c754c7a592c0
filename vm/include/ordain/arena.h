// A bump allocator with a byte limit: the memory of one compilation, or of one decision.
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

namespace ordain {

/// Hands out memory that is freed all at once. Not thread-safe; one owner at a time.
///
/// An arena whose `first_block` equals its `limit` takes all its memory at construction and never
/// calls malloc again, which is how scratch memory for deciding is made.
class Arena {
 public:
  static constexpr size_t kNoLimit = SIZE_MAX;

  /// @param first_block bytes taken at once; further blocks double.
  /// @param limit total bytes of all blocks; past it `allocate` returns nullptr.
  explicit Arena(size_t first_block = 4096, size_t limit = kNoLimit);
  /// The moved-from arena is empty and keeps its limit; it takes memory anew when it is used again.
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  /// Memory of `bytes` bytes, aligned to `align` (a power of two, at most 16); nullptr past the limit.
  void* allocate(size_t bytes, size_t align = alignof(std::max_align_t)) {
    size_t start = (used_ + align - 1) & ~(align - 1);
    if (start + bytes <= capacity_ && start + bytes >= start) {
      used_ = start + bytes;
      return block_ + start;
    }
    return allocate_slow(bytes, align);
  }

  /// An uninitialised array; nullptr past the limit.
  template <typename T>
  T* array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count > SIZE_MAX / sizeof(T)) return nullptr;
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

  /// A constructed object; only for arenas without a limit.
  template <typename T, typename... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
  }

  /// A copy of `text`; only for arenas without a limit.
  std::string_view copy(std::string_view text);

  /// A copy of `items`; only for arenas without a limit.
  template <typename T>
  std::span<T> copy(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T>);
    T* out = array<T>(items.size());
    if (!items.empty()) std::memcpy(static_cast<void*>(out), items.data(), items.size_bytes());
    return {out, items.size()};
  }
  template <typename T>
  std::span<T> copy(const std::vector<T>& items) {
    return copy(std::span<const T>(items));
  }

  /// Frees everything but the largest block, so that an arena that serves like work again and again soon stops
  /// calling malloc.
  void reset();

  /// A place to come back to: `rewind(mark())` frees what was allocated in between, as long as no
  /// block was added meanwhile (then it frees nothing).
  struct Mark {
    const void* block;
    size_t used;
  };
  Mark mark() const { return {block_, used_}; }
  void rewind(Mark mark) {
    if (mark.block == block_) used_ = mark.used;
  }

  size_t limit() const { return limit_; }

  /// Bytes of all blocks.
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
