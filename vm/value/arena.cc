// The slow paths of the arena: adding a block, and reset.
#include "ordain/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace ordain {
namespace {

constexpr size_t kSmallestBlock = 64;

/// Keeps the system from mapping a huge page where only one small page is used.
void keep_pages_small([[maybe_unused]] std::byte* block, [[maybe_unused]] size_t size) {
#ifdef MADV_NOHUGEPAGE
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t start = reinterpret_cast<uintptr_t>(block);
  const uintptr_t first = (start + page - 1) / page * page, end = (start + size) / page * page;
  if (first < end) (void)::madvise(reinterpret_cast<void*>(first), end - first, MADV_NOHUGEPAGE);
#endif
}

}  // namespace

Arena::Arena(size_t first_block, size_t limit, bool map_now) : limit_(limit) {
  size_t size = std::min(std::max(first_block, kSmallestBlock), limit);
  if (size == 0) return;
  blocks_.reserve(8);
  // To zero the block maps its pages.
  blocks_.push_back(
      {map_now ? std::make_unique<std::byte[]>(size) : std::unique_ptr<std::byte[]>(new std::byte[size]), size});
  block_ = blocks_.back().bytes.get();
  if (!map_now) keep_pages_small(block_, size);
  capacity_ = total_ = size;
}

Arena::Arena(Arena&& other) noexcept
    : blocks_(std::move(other.blocks_)),
      block_(std::exchange(other.block_, nullptr)),
      used_(std::exchange(other.used_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      total_(std::exchange(other.total_, 0)),
      limit_(other.limit_) {
  other.blocks_.clear();
}

Arena& Arena::operator=(Arena&& other) noexcept {
  if (this == &other) return *this;
  blocks_ = std::move(other.blocks_);
  other.blocks_.clear();
  block_ = std::exchange(other.block_, nullptr);
  used_ = std::exchange(other.used_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  total_ = std::exchange(other.total_, 0);
  limit_ = other.limit_;
  return *this;
}

void* Arena::allocate_slow(size_t bytes, size_t) {
  size_t left = limit_ - total_;
  if (bytes > left) return nullptr;
  size_t wanted = capacity_ > SIZE_MAX / 2 ? capacity_ : capacity_ * 2;
  size_t size = std::min(std::max({wanted, bytes, kSmallestBlock}), left);
  if (size == 0) return nullptr;
  // This block is not zeroed, so that a large one costs page faults only where it is used. Operator
  // new aligns it to 16.
  blocks_.push_back({std::unique_ptr<std::byte[]>(new std::byte[size]), size});
  block_ = blocks_.back().bytes.get();
  capacity_ = size;
  total_ += size;
  used_ = bytes;
  return block_;
}

std::string_view Arena::copy(std::string_view text) & {
  char* out = static_cast<char*>(allocate(text.size(), 1));
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return {out, text.size()};
}

void Arena::reset() {
  used_ = 0;
  if (blocks_.size() <= 1) return;
  auto largest =
      std::max_element(blocks_.begin(), blocks_.end(), [](const Block& a, const Block& b) { return a.size < b.size; });
  std::swap(blocks_.front(), *largest);
  blocks_.erase(blocks_.begin() + 1, blocks_.end());
  block_ = blocks_.front().bytes.get();
  capacity_ = total_ = blocks_.front().size;
}

}  // namespace ordain
