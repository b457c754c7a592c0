// A string under construction in an evaluation's memory.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "stdlib/rows.h"

namespace ordain::stdlib {

/// Grows by doubling; what it outgrows stays charged to the memory budget. After a failed append it must not be used.
class TextBuilder {
 public:
  explicit TextBuilder(Eval& eval) : eval_(eval) {}

  /// @returns false, with the fault set, past the budget.
  bool append(std::string_view text) {
    if (text.empty()) return true;
    char* at = room(text.size());
    if (at == nullptr) return false;
    std::memcpy(at, text.data(), text.size());
    size_ += text.size();
    return eval_.charge(bytes_cost(text.size()));
  }

  /// Memory for `bytes` more bytes, to be filled by the caller and then `grow`n by what it filled; nullptr past the
  /// budget.
  char* room(size_t bytes) {
    if (data_ == nullptr || capacity_ - size_ < bytes) {  // room for nothing is not the nullptr of a failure
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
