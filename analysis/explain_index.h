// Which test of the decision DAG keeps a rule from being tried.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ordain/decide.h"
#include "vm/program/program_data.h"

namespace ordain::detail {

/// The lists of rules that decide the call.
std::vector<RuleRange> rule_ranges(const Call& call);

/// The rules that a decision of the call under the default budget does not try: for each a test that leads away from
/// it, as `ordain plan` writes it: "input.to", "has(input.note)".
std::unordered_map<RuleId, std::string> skipped_rules(const Call& call, const Context& context, Scratch& scratch);

}  // namespace ordain::detail
