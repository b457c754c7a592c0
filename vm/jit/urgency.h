// Which predicates are worth which code, and in which order: what decisions try comes first, what they hardly ever run
// last, and only where code runs often does it repay an optimiser's time.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ordain/program.h"

namespace ordain::native {

/// What a predicate's code is worth.
struct Worth {
  /// Decisions try it, or it may loop. Others are clauses that run once a decision at most, and conditions that the
  /// plan proves on the way to their rule; simple code serves these.
  bool optimised = true;
  /// 0: of a capability that was asked for first; 1: tried by decisions; 2: the rest.
  uint8_t rank = 0;
};

/// By predicate. @param first names of capabilities; those that the program does not know are passed over
std::vector<Worth> worth_of_predicates(const Program& program, std::span<const std::string> first);

}  // namespace ordain::native
