// explanation.cc plays a test as run_tests does, and asks what each rule came to.
#include "lsp/explanation.h"

#include <string_view>

#include "analysis/explain.h"
#include "analysis/story.h"
#include "ordain/time_text.h"

namespace ordain::lsp {
namespace {

std::string decision_line(const Program& program, const Decision& decision, std::string_view capability) {
  const bool by_rule = decision.rule != kNone;
  const std::string by = by_rule ? program.rules()[decision.rule].name : std::string(to_string(decision.code));
  std::string out = std::string(capability) + ": " + std::string(to_string(decision.effect)) + " by " + by;
  if (decision.reason != by) out += ": " + std::string(decision.reason);
  return out;
}

std::string outcome_line(const Program& program, const detail::RuleOutcome& outcome) {
  const RuleInfo& rule = program.rules()[outcome.rule];
  std::string out = "\n  " + std::string(to_string(rule.kind)) + " " + rule.name + ": ";
  out += to_string(outcome.kind);
  const std::string why = detail::reason_of(outcome);
  return why.empty() ? out : out + ": " + why;
}

// Why the decision of the call that the explainer holds is what it is.
std::string explain_decision(const Program& program, const Decision& decision, detail::Explainer& explainer) {
  std::string out = decision_line(program, decision, explainer.reader().event().capability);
  if (explainer.reader().call().error().failed) return out;  // no rule ran
  for (const detail::RuleOutcome& outcome : explainer.outcomes()) {
    if (outcome.kind != detail::RuleOutcome::Kind::other_target) out += outcome_line(program, outcome);
  }
  return out;
}

}  // namespace

std::string explain_last_call(const Compilation& compilation, const PolicyTest& test) {
  if (test.calls.empty()) return "the test makes no call";
  const TimeParts start{timestamp_of_nanos(system_time_ns()).seconds, 0};
  const Program& program = *compilation.program;
  detail::Explainer explainer(compilation, {}, {.now = start});
  if (!detail::tells_stories(program)) {
    if (auto read = explainer.read(test.calls.back().event); !read.ok()) return read.error().message;
    return explain_decision(program, explainer.decision(), explainer);
  }
  auto story = detail::Story::make(compilation.program, {}, start);
  if (!story.ok()) return story.error().message;
  std::string out;
  for (const TestCall& call : test.calls) {
    const bool last = &call == &test.calls.back();
    const auto see = [&](const Decision& decision, bool) {
      if (last) out = explain_decision(program, decision, explainer);
    };
    if (auto played = (*story)->play(call, explainer.reader(), see); !played.ok()) return played.error().message;
  }
  return out;
}

}  // namespace ordain::lsp
