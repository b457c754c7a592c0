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
  /// It is tried along with many others in one decision; or it is tried or may loop, and there are not too many of the
  /// kind. Simple code serves the rest as well: conditions that the plan proves on the way to their rule, those that it
  /// leads to a few at a time, and clauses, which run once a decision at most.
  bool optimised = true;
  /// 0: of a capability that was asked for first; 1: tried by decisions; 2: the rest.
  uint8_t rank = 0;
};

/// By predicate. @param first names of capabilities; those that the program does not know are passed over
std::vector<Worth> worth_of_predicates(const Program& program, std::span<const std::string> first);

/// Functions of several rules each, all of them to be optimised: runs, by the entry that they begin at, and answers, by
/// 2 * capability + stage, those asked for first and the largest before the others.
struct Groups {
  struct Group {
    uint32_t number;
    uint32_t rules;
  };
  std::vector<Group> runs, answers;
};

/// Runs of crowds have one always, for the time of a decision is theirs. Of small runs and answers, where there are
/// many, some are left to the predicates: code that is hardly ever in a cache gains nothing.
Groups groups_of(const Program& program, std::span<const std::string> first);

}  // namespace ordain::native
