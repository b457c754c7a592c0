// Well-typed expressions, with values for their variables, out of a fuzzer's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "compiler/check/expression/check_expression.h"
#include "ordain/arena.h"
#include "ordain/eval.h"
#include "ordain/value.h"

namespace ordain::fuzz {

/// The bytes as a row of decisions. When they are used up every decision is the first, which always leads to an end.
class Choices {
 public:
  Choices(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool done() const { return at_ == end_; }
  uint8_t byte() { return done() ? 0 : *at_++; }
  /// 0 to `count` - 1.
  uint32_t pick(size_t count);
  bool one_in(uint32_t count) { return pick(count) + 1 == count && count > 1; }
  template <typename T, size_t N>
  const T& of(const T (&items)[N]) {
    return items[pick(N)];
  }
  uint64_t word();

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

/// An expression that follows the type rules, and what to run it with.
struct Generated {
  std::string text;
  ExpressionEnv env;
  std::vector<std::pair<std::string, Value>> bindings;  ///< one variable has none: reading it faults
  Budget small;                                         ///< one that such an expression may well exceed
};

/// The same bytes give the same expression. Types and values live in `arena`.
Generated generate(Arena& arena, const uint8_t* data, size_t size);

}  // namespace ordain::fuzz
