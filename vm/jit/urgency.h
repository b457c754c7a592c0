// urgency decides how well each predicate is compiled, and in which order. Predicates that
// decisions evaluate come first, and those that hardly ever run come last; only code that runs
// often repays the optimiser's time.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ordain/program.h"

namespace ordain::native {

/// How much a predicate's code is worth.
struct Worth {
  /// True if the predicate is tried along with many others in one decision; or if it is tried or
  /// may loop, and there are not too many such predicates. Simple code suffices for the rest:
  /// conditions that the index proves on the way to their rule, conditions that it tries a few at a
  /// time, and clauses, which run at most once per decision.
  bool optimised = true;
  /// 0: of a capability that was requested first; 1: tried by decisions; 2: the rest.
  uint8_t rank = 0;
};

/// @returns the worth of each predicate. @param first names of capabilities; unknown ones are
/// ignored
std::vector<Worth> worth_of_predicates(const Program& program, std::span<const std::string> first);

/// Functions of several rules each, all of which are to be optimised: batches, by their first
/// entry, and answers, by 2 * capability + stage. Those requested first and the largest precede the
/// others.
struct Groups {
  struct Group {
    uint32_t number;
    uint32_t rules;
  };
  std::vector<Group> runs, answers;
};

/// Batches of crowds always have a function, because they dominate the time of a decision. If there
/// are many small batches and answers, some are left to the predicates: code that is hardly ever in
/// a cache gains nothing.
Groups groups_of(const Program& program, std::span<const std::string> first);

}  // namespace ordain::native
