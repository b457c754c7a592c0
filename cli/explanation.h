// An Explanation is what there is to say about the decision of one event.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/explain.h"
#include "ordain/event.h"
#include "ordain/what_if.h"

namespace ordain::cli {

inline constexpr std::string_view kNoChangeFound = "no single change was found, and no pair of changes";

struct Explanation {
  uint64_t line = 0;
  const EventReader& reader;
  const Decision& decision;
  const std::vector<detail::RuleOutcome>& outcomes;
  const std::vector<DecisionChange>& changes;
  const std::vector<std::string>& state;  ///< what the rules could read of it
  bool found_no_change = false;           ///< although changes were looked for
};

/// One object: the decision as `ordain eval --json` prints it, with `rules`, `state` and `changes`.
std::string explanation_json(const Program& program, const Explanation& what);

/// Prints it on standard output, for people.
void print_explanation(const Program& program, const Explanation& what);

}  // namespace ordain::cli
