#include "umbrella/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "vm/program_data.h"

namespace ordain::detail {
namespace {

// The rule codes of the call's capability and stage, in source order, each rule once.
std::vector<uint32_t> codes_of(const Call& call) {
  const ProgramData& data = call.program().data();
  std::vector<uint32_t> out;
  if (data.capability_plans.empty()) return out;
  const CapabilityId id = call.capability().id;
  const CapabilityPlan& plan = id == kNone ? data.capability_plans.back() : data.capability_plans[id];
  const Range packages = plan.packages[static_cast<size_t>(call.stage())];
  for (uint32_t p = packages.first; p < packages.first + packages.count; ++p) {
    const PackagePlan& package = data.package_plans[p];
    for (const RuleRange& range :
         {package.deny, package.require_approval, package.allow, package.answers, package.obligations}) {
      for (uint32_t i = 0; i < range.entries.count; ++i) out.push_back(data.plan[range.entries.first + i]);
    }
  }
  const auto rule = [&](uint32_t code) { return data.rule_codes[code].rule; };
  std::sort(out.begin(), out.end(), [&](uint32_t a, uint32_t b) { return rule(a) < rule(b); });
  out.erase(std::unique(out.begin(), out.end(), [&](uint32_t a, uint32_t b) { return rule(a) == rule(b); }), out.end());
  return out;
}

RuleOutcome outcome_of(uint32_t code, const Call& call, const Context& context, Scratch& scratch,
                       const DecideOptions& options) {
  const Program& program = call.program();
  const ProgramData& data = program.data();
  const RuleCode& rule = data.rule_codes[code];
  RuleOutcome out{rule.rule, RuleOutcome::Kind::matched, ""};
  if (rule.target_set != kNone && (data.target_sets[rule.target_set] & call.capability().globs).none()) {
    out.kind = RuleOutcome::Kind::other_target;
    return out;
  }
  if (rule.condition == kNone) return out;
  Value result;
  Fault fault;
  if (evaluate(program, rule.condition, call, context, scratch, options, &result, &fault)) {
    if (!result.as_bool()) out.kind = RuleOutcome::Kind::not_matched;
    return out;
  }
  out.kind = RuleOutcome::Kind::fault;
  out.fault = fault_message(fault);
  if (fault.location != kNone) out.fault += " at " + place_of(program, fault.location);
  return out;
}

}  // namespace

std::string_view to_string(RuleOutcome::Kind kind) {
  switch (kind) {
    case RuleOutcome::Kind::matched:
      return "matches";
    case RuleOutcome::Kind::not_matched:
      return "does not match";
    case RuleOutcome::Kind::fault:
      return "faults";
    case RuleOutcome::Kind::other_target:
      return "other target";
  }
  return "?";
}

std::vector<RuleOutcome> explain(const Call& call, const Context& context, Scratch& scratch,
                                 const DecideOptions& options) {
  std::vector<RuleOutcome> out;
  if (call.error().failed || context.error().failed) return out;
  for (const uint32_t code : codes_of(call)) out.push_back(outcome_of(code, call, context, scratch, options));
  return out;
}

std::string place_of(const Program& program, uint32_t location) {
  if (location >= program.locations().size()) return "";
  const Location& at = program.locations()[location];
  return fmt::format("{}:{}:{}", program.files()[at.file], at.line, at.column);
}

}  // namespace ordain::detail
