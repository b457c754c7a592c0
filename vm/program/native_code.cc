// NativeCode: publishing machine code, and keeping its owners.
#include "vm/program/native_code.h"

#include <utility>

namespace ordain::vm {

void NativeCode::reserve(size_t predicates, size_t entries, size_t capabilities) {
  size_ = predicates;
  entries_ = entries;
  capabilities_ = capabilities;
  predicates_ = std::make_unique<std::atomic<NativePredicate>[]>(predicates);
  batches_ = std::make_unique<std::atomic<NativeBatch>[]>(entries);
  answers_ = std::make_unique<std::atomic<NativeAnswer>[]>(2 * capabilities);
}

void NativeCode::install_predicate(uint32_t predicate, NativePredicate code) {
  const NativePredicate before = predicates_[predicate].exchange(code, std::memory_order_acq_rel);
  if (before == nullptr && code != nullptr) count_.fetch_add(1, std::memory_order_acq_rel);
  if (before != nullptr && code == nullptr) count_.fetch_sub(1, std::memory_order_acq_rel);
}

void NativeCode::install_batch(uint32_t entry, NativeBatch code) {
  batches_[entry].store(code, std::memory_order_release);
}

void NativeCode::install_answer(uint32_t calls, NativeAnswer code) {
  answers_[calls].store(code, std::memory_order_release);
}

void NativeCode::keep(std::shared_ptr<void> owner) {
  const std::lock_guard lock(mutex_);
  owners_.push_back(std::move(owner));
}

void NativeCode::release_owners() {
  // An owner may be a thread that installs code and adds owners until it has ended: none is released under the lock.
  for (bool more = true; more;) {
    std::shared_ptr<void> owner;
    {
      const std::lock_guard lock(mutex_);
      more = !owners_.empty();
      if (more) {
        owner = std::move(owners_.front());
        owners_.erase(owners_.begin());
      }
    }
  }
}

size_t NativeCode::bytes() const {
  return size_ * sizeof(std::atomic<NativePredicate>) + entries_ * sizeof(std::atomic<NativeBatch>) +
         2 * capabilities_ * sizeof(std::atomic<NativeAnswer>);
}

}  // namespace ordain::vm
