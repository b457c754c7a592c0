// Runs the tests of policies, and explains expectations that are not met.
#include "ordain/run_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "analysis/explain.h"
#include "analysis/story.h"
#include "ordain/decision_json.h"
#include "ordain/time_text.h"

namespace ordain {
namespace {

std::string name_of(const Program& program, RuleId rule) { return rule == kNone ? "" : program.rules()[rule].name; }

bool has_obligation(const Program& program, const Decision& decision, const TestExpectation& expected) {
  return std::any_of(decision.obligations.begin(), decision.obligations.end(), [&](const Obligation& obligation) {
    return to_string(obligation.kind) == expected.effect &&
           (expected.rule.empty() || name_of(program, obligation.rule) == expected.rule);
  });
}

// If several rules require an approval, each of them counts; of several denials, only one gives the
// reason.
bool is_by(const Program& program, const Decision& decision, const std::string& rule) {
  if (rule.empty() || name_of(program, decision.rule) == rule) return true;
  return decision.effect == Effect::require_approval &&
         std::any_of(decision.matched.begin(), decision.matched.end(),
                     [&](RuleId asking) { return name_of(program, asking) == rule; });
}

bool meets(const Program& program, const Decision& decision, const TestExpectation& expected) {
  if (expected.effect == "default") return decision.code == DecisionCode::default_effect;
  if (expected.effect == "redact" || expected.effect == "warn") return has_obligation(program, decision, expected);
  return to_string(decision.effect) == expected.effect && is_by(program, decision, expected.rule);
}

std::string in_words(const Program& program, const Decision& decision) {
  std::string out(to_string(decision.effect));
  if (decision.rule != kNone) out += " by " + name_of(program, decision.rule);
  if (decision.code != DecisionCode::rule) out += fmt::format(" ({})", to_string(decision.code));
  if (decision.reason != name_of(program, decision.rule)) out += ": " + std::string(decision.reason);
  for (const Obligation& obligation : decision.obligations) {
    out += fmt::format("; {}{}{} by {}", to_string(obligation.kind), obligation.path.empty() ? "" : " ",
                       obligation.path, name_of(program, obligation.rule));
  }
  return out;
}

class Runner {
 public:
  Runner(const Compilation& compilation, const DecideOptions& options)
      : shared_program_(compilation.program),
        program_(*compilation.program),
        start_(start()),
        explainer_(compilation, options, {.now = start_}),
        options_(options) {}

  TestReport run(const PolicyTest& test) {
    TestReport out{.test = &test};
    const auto began = std::chrono::steady_clock::now();
    if (detail::tells_stories(program_)) {
      tell(test, &out);
    } else {
      decide_each(test, &out);
    }
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return out;
  }

 private:
  // The current time, in whole seconds.
  static TimeParts start() { return {timestamp_of_nanos(system_time_ns()).seconds, 0}; }

  // Decides each call by itself.
  void decide_each(const PolicyTest& test, TestReport* out) {
    uint64_t number = 0;
    for (const TestCall& call : test.calls) {
      ++number;
      const Result<void> read = explainer_.read(call.event);
      if (!read) {
        add_unread(call, read.error(), number, out);
        continue;
      }
      const EventReader& event = explainer_.reader();
      add_verdicts(call, decide(event.call(), event.context(), scratch_, options_), true, number, out);
    }
  }

  // Plays the calls one after another, as they share what is remembered.
  void tell(const PolicyTest& test, TestReport* out) {
    auto story = detail::Story::make(shared_program_, options_, start_);
    uint64_t number = 0;
    for (const TestCall& call : test.calls) {
      ++number;
      if (!story.ok()) {
        add_unread(call, story.error(), number, out);
        continue;
      }
      const size_t before = out->verdicts.size();
      const auto see = [&](const Decision& decision, bool by_rules) {
        out->verdicts.resize(before);  // expectations are about the last decision
        add_verdicts(call, decision, by_rules, number, out);
      };
      if (auto played = (*story)->play(call, explainer_.reader(), see); !played.ok()) {
        out->verdicts.resize(before);
        add_unread(call, played.error(), number, out);
      }
    }
  }

  static void add_unread(const TestCall& call, const Error& error, uint64_t number, TestReport* out) {
    for (const TestExpectation& expected : call.expectations) {
      TestVerdict verdict{.call = &call, .expectation = &expected};
      verdict.decided = "nothing: " + error.message;
      verdict.decision = error_json(error, number);
      out->verdicts.push_back(std::move(verdict));
    }
  }

  void add_verdicts(const TestCall& call, const Decision& decision, bool by_rules, uint64_t number, TestReport* out) {
    for (const TestExpectation& expected : call.expectations) {
      TestVerdict verdict{.call = &call, .expectation = &expected};
      judge(verdict, decision, by_rules, number);
      out->verdicts.push_back(std::move(verdict));
    }
  }

  // The verdict is about the decision that a host gets; the record lists every rule that matched.
  void judge(TestVerdict& verdict, const Decision& decision, bool by_rules, uint64_t number) {
    verdict.met = meets(program_, decision, *verdict.expectation);
    verdict.fault = static_cast<bool>(decision.fault);
    verdict.decided = in_words(program_, decision);
    if (!verdict.met && !verdict.expectation->rule.empty()) verdict.why = why_not(verdict.expectation->rule);
    const Call& facts = explainer_.reader().call();
    verdict.decision = decision_json(facts, by_rules ? explainer_.decision() : decision, number);
  }

  // Explains the outcome of the expected rule.
  std::string why_not(const std::string& rule) {
    if (explainer_.reader().call().error().failed) return "";
    for (const detail::RuleOutcome& outcome : explainer_.outcomes()) {
      if (name_of(program_, outcome.rule) != rule) continue;
      switch (outcome.kind) {
        case detail::RuleOutcome::Kind::matched:
          return fmt::format("`{}` matches, but does not settle it", rule);
        case detail::RuleOutcome::Kind::fault:
          return fmt::format("`{}` faults: {}", rule, outcome.fault);
        case detail::RuleOutcome::Kind::not_matched: {
          const std::string parts = detail::in_words(outcome.false_parts);
          return fmt::format("`{}` does not match{}{}", rule, parts.empty() ? "" : ": ", parts);
        }
        case detail::RuleOutcome::Kind::other_target:
          break;
      }
    }
    return fmt::format("`{}` is not about this capability", rule);
  }

  std::shared_ptr<const Program> shared_program_;
  const Program& program_;
  TimeParts start_;
  detail::Explainer explainer_;
  DecideOptions options_;
  Scratch scratch_;
};

// Whether the pieces of `pattern` between its `*` stand in `name`, in their order.
bool holds_pieces(std::string_view name, std::string_view pattern) {
  while (true) {
    const size_t star = std::min(pattern.find('*'), pattern.size());
    const std::string_view piece = pattern.substr(0, star);
    const size_t at = name.find(piece);
    if (at == std::string_view::npos) return false;
    if (star == pattern.size()) return true;
    name.remove_prefix(at + piece.size());
    pattern.remove_prefix(star + 1);
  }
}

}  // namespace

bool TestReport::passed() const {
  return std::all_of(verdicts.begin(), verdicts.end(), [](const TestVerdict& verdict) { return verdict.met; });
}

std::vector<TestReport> run_tests(const Compilation& compilation, const DecideOptions& options) {
  return run_tests(compilation, select_tests(compilation, ""), options);
}

std::vector<TestReport> run_tests(const Compilation& compilation, const std::vector<const PolicyTest*>& tests,
                                  const DecideOptions& options) {
  Runner runner(compilation, options);
  std::vector<TestReport> out;
  for (const PolicyTest* test : tests) out.push_back(runner.run(*test));
  return out;
}

std::vector<const PolicyTest*> select_tests(const Compilation& compilation, std::string_view pattern) {
  std::vector<const PolicyTest*> out;
  for (const PolicyTest& test : compilation.tests) {
    if (holds_pieces(test.name, pattern)) out.push_back(&test);
  }
  return out;
}

}  // namespace ordain
