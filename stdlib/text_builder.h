// TextBuilder builds a string in an evaluation's memory.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "stdlib/rows.h"

namespace ordain::stdlib {

/// Grows by doubling; memory that it has outgrown stays charged to the memory budget. Must not be
/// used after a failed append.
class TextBuilder {
 public:
  explicit TextBuilder(Eval& eval) : eval_(eval) {}

  /// @returns false, with the fault set, if the budget is exhausted
  bool append(std::string_view text) {
    if (text.empty()) return true;
    char* at = room(text.size());
    if (at == nullptr) return false;
    std::memcpy(at, text.data(), text.size());
    size_ += text.size();
    return eval_.charge(bytes_cost(text.size()));
  }

  /// @returns memory for `bytes` more bytes, which the caller fills and then adds with `grow`;
  /// nullptr if the budget is exhausted
  char* room(size_t bytes) {
    if (data_ == nullptr || capacity_ - size_ < bytes) {  // nullptr would mean failure
      size_t wanted = std::max({size_ + bytes, capacity_ * 2, size_t{64}});
      if (wanted > UINT32_MAX) {
        eval_.fail(FaultCode::memory_budget);
        return nullptr;
      }
      auto* grown = eval_.array<char>(wanted);
      if (grown == nullptr) return nullptr;
      if (size_ > 0) std::memcpy(grown, data_, size_);
      data_ = grown;
      capacity_ = wanted;
    }
    return data_ + size_;
  }
  void grow(size_t bytes) { size_ += bytes; }

  std::string_view view() const { return size_ == 0 ? std::string_view("") : std::string_view(data_, size_); }
  Eval& eval() { return eval_; }

 private:
  Eval& eval_;
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace ordain::stdlib
