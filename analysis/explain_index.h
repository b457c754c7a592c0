// Finds which test of the index keeps a rule from being tried.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ordain/decide.h"
#include "vm/program/program_data.h"

namespace ordain::detail {

/// Returns the lists of rules that decide the call.
std::vector<RuleRange> rule_ranges(const Call& call);

/// Finds the rules that a decision of the call under the default budget does not try. For each it
/// gives a test that skips the rule, as `ordain plan` writes it: "input.to", "has(input.note)".
std::unordered_map<RuleId, std::string> skipped_rules(const Call& call, const Context& context, Scratch& scratch);

}  // namespace ordain::detail
