// generate turns a fuzzer's bytes into well-typed expressions with values for their variables.
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

/// Reads the bytes as a series of decisions. After their end, every decision is the first choice,
/// which always leads to an end.
class Choices {
 public:
  Choices(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool done() const { return at_ == end_; }
  uint8_t byte() { return done() ? 0 : *at_++; }
  /// @returns a number from 0 to `count` - 1
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

/// An expression that follows the type rules, and the values and budget to run it with.
struct Generated {
  std::string text;
  ExpressionEnv env;
  std::vector<std::pair<std::string, Value>> bindings;  ///< one variable has none, and faults
  Budget small;                                         ///< the expression may well exceed it
};

/// Makes an expression; the same bytes give the same one. Types and values live in `arena`.
Generated generate(Arena& arena, const uint8_t* data, size_t size);

}  // namespace ordain::fuzz
