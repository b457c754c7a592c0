// solve_arithmetic turns a test of a sum or a product into tests of the one number in it, so that
// the index can look the number up.
#pragma once

#include "compiler/check/expression/typed.h"

namespace ordain::indexing {

__extension__ typedef __int128 WideInt;

/// Both ends are inclusive. Empty if `low` is above `high`.
struct WideRange {
  WideInt low = 0, high = 0;
  bool is_empty() const { return low > high; }
};

/// All values of int or of uint.
WideRange range_of_kind(Kind kind);

/// Values of a slot.
struct ArithmeticSolution {
  SlotId slot = kNone;
  WideRange matches;    ///< for these the arithmetic gives a wanted number
  WideRange faultless;  ///< for all others the arithmetic overflows
};

/// Solves sums, differences and products of one slot and constants, all int or all uint: `3 - input.a * 2`.
/// What they give either grows with the slot or falls with it, so that the solutions have no gaps.
/// @param wanted the numbers that `node` should give
/// @returns false if the node is anything else.
bool solve_arithmetic(const typed::Node& node, const Schema& schema, WideRange wanted, ArithmeticSolution* out);

}  // namespace ordain::indexing
