// A Definition is what the ledger must know of a declared state to keep it. It is stored with the
// state, so that a process whose program does not declare the state still keeps it exactly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ordain/digest.h"
#include "ordain/history.h"
#include "runtime/state/amount.h"

namespace ordain::state {

struct Definition {
  std::string name;
  Digest digest{};  ///< together with the name, what identifies the state
  StateKind kind = StateKind::history;
  StateVerb verb = StateVerb::begun;
  std::vector<KeySource> keys;  ///< in the order of the parts of a key

  int64_t window_ns = 0;      ///< history: 0 is without end
  bool keeps_stamps = false;  ///< with a window: rules read `count`, `sum` or `first`
  bool keeps_all = false;     ///< with a window: rules read `sum` or `first`, which need every stamp in it
  bool sums = false;
  bool negative = false;  ///< amounts may be negative
  uint64_t bound = 0;     ///< with a window and without keeps_all: the largest count that rules tell apart

  int64_t interval_ns = 0;   ///< rate: one call takes so much of it
  int64_t tolerance_ns = 0;  ///< rate: how far calls may be ahead of it

  BudgetPeriod period = BudgetPeriod::none;
  std::string zone;

  bool operator==(const Definition&) const = default;
};

/// @returns the definition of a state that a Program declares
Definition define_state(const StateDecl& declared);

/// @returns true if shares that were kept under one definition can be read under the other: they
/// differ at most in what rules read, and in the speed of a rate
bool compatible(const Definition& a, const Definition& b);

/// Joins two compatible definitions of one identity, as after a reload that changed the thresholds of rules:
/// the result keeps whatever either needs, and rates as `newer` has them.
Definition join_definitions(const Definition& older, const Definition& newer);

void append_definition(std::string& out, const Definition& definition);
/// @returns false if the bytes are not those of a possible definition
bool take_definition(std::string_view& in, Definition* out);

}  // namespace ordain::state
