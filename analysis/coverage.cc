// Measures coverage as explanations are made: after a call is read, every rule for it is evaluated,
// and every part of the rule's condition. Deciding is not involved, so it pays nothing.
#include "ordain/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "analysis/explain.h"
#include "analysis/story.h"
#include "ordain/event.h"
#include "ordain/time_text.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

class CoverageMeter {
 public:
  CoverageMeter(const Compilation& compilation, const DecideOptions& options)
      : compilation_(compilation),
        program_(*compilation.program),
        options_(options),
        start_{timestamp_of_nanos(system_time_ns()).seconds, 0},
        reader_(compilation.program, {.now = start_}) {
    const ProgramData& data = data_of(program_);
    places_.resize(data.rule_codes.size());
    for (RuleId rule = 0; rule < program_.rules().size(); ++rule) add_rule(rule);
    for (uint32_t code = 0; code < data.rule_codes.size(); ++code) add_parts(data, code);
    for (CoveredRule& rule : out_.rules) sort_parts(rule);
    for (uint32_t code = 0; code < data.rule_codes.size(); ++code) place_parts(data, code);
  }

  void run(const PolicyTest& test) {
    if (detail::tells_stories(program_)) return tell(test);
    for (const TestCall& call : test.calls) {
      if (reader_.read(call.event)) count();
    }
  }

  Coverage take() { return std::move(out_); }

 private:
  // Every decision of a call counts, also those before an answer.
  void tell(const PolicyTest& test) {
    auto story = detail::Story::make(compilation_.program, options_, start_);
    for (const TestCall& call : test.calls) {
      if (!story.ok()) return;
      (void)(*story)->play(call, reader_, [this](const Decision&, bool by_rules) {
        if (by_rules) count();
      });
    }
  }

  void add_rule(RuleId rule) {
    CoveredRule out{.rule = rule};
    const uint32_t location = program_.rules()[rule].location;
    if (location < program_.locations().size()) {
      const Location& at = program_.locations()[location];
      out.file = at.file;
      out.line = at.line;
      out.column = at.column;
    }
    out_.rules.push_back(std::move(out));
  }

  // A rule has several codes if it means something else for several capabilities. Parts at the same
  // place count as one.
  void add_parts(const ProgramData& data, uint32_t code) {
    CoveredRule& rule = out_.rules[data.rule_codes[code].rule];
    rule.conditional = rule.conditional || data.rule_codes[code].condition != kNone;
    for (const ConditionPart& part : detail::condition_parts(data, code)) {
      const Location& at = data.locations[part.location];
      const auto same = [&](const CoveredPart& other) {
        return other.file == at.file && other.line == at.line && other.column == at.column;
      };
      if (std::any_of(rule.parts.begin(), rule.parts.end(), same)) continue;
      rule.parts.push_back({.text = detail::text_of(*compilation_.diagnostics.sources[at.file], part),
                            .file = at.file,
                            .line = at.line,
                            .column = at.column});
    }
  }

  // Parts of lets come after the rule's own where they are in a later file or line.
  static void sort_parts(CoveredRule& rule) {
    std::stable_sort(rule.parts.begin(), rule.parts.end(), [](const CoveredPart& a, const CoveredPart& b) {
      return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
    });
  }

  // Notes which of the rule's parts each part of a code is.
  void place_parts(const ProgramData& data, uint32_t code) {
    const CoveredRule& rule = out_.rules[data.rule_codes[code].rule];
    for (const ConditionPart& part : detail::condition_parts(data, code)) {
      const Location& at = data.locations[part.location];
      const auto found = std::find_if(rule.parts.begin(), rule.parts.end(), [&](const CoveredPart& other) {
        return other.file == at.file && other.line == at.line && other.column == at.column;
      });
      places_[code].push_back(static_cast<size_t>(found - rule.parts.begin()));
    }
  }

  void count() {
    for (const detail::RuleOutcome& outcome : detail::explain(reader_.call(), reader_.context(), scratch_, options_)) {
      if (outcome.kind == detail::RuleOutcome::Kind::other_target) continue;
      CoveredRule& rule = out_.rules[outcome.rule];
      ++rule.evaluated;
      if (outcome.kind == detail::RuleOutcome::Kind::matched) ++rule.matched;
      if (outcome.kind == detail::RuleOutcome::Kind::fault) ++rule.faulted;
      size_t number = 0;
      for (const ConditionPart& part : detail::condition_parts(data_of(program_), outcome.code)) {
        CoveredPart& counted = rule.parts[places_[outcome.code][number++]];
        Value result;
        Fault fault;
        if (!evaluate(program_, part.predicate, reader_.call(), reader_.context(), scratch_, options_, &result,
                      &fault)) {
          ++counted.faults;
        } else {
          ++(result.as_bool() ? counted.is_true : counted.is_false);
        }
      }
    }
  }

  const Compilation& compilation_;
  const Program& program_;
  DecideOptions options_;
  TimeParts start_;
  EventReader reader_;
  Scratch scratch_;
  Coverage out_;
  std::vector<std::vector<size_t>> places_;  ///< by rule code: for each of its parts, the index into CoveredRule::parts
};

size_t sum_over(const std::vector<CoveredRule>& rules, size_t (CoveredRule::*count)() const) {
  return std::accumulate(rules.begin(), rules.end(), size_t{0},
                         [&](size_t sum, const CoveredRule& rule) { return sum + (rule.*count)(); });
}

}  // namespace

size_t CoveredRule::points() const { return (conditional ? 2 : 1) + (parts.size() > 1 ? 2 * parts.size() : 0); }

size_t CoveredRule::covered() const {
  size_t out = (matched > 0 ? 1 : 0) + (conditional && evaluated > matched + faulted ? 1 : 0);
  if (parts.size() < 2) return out;
  for (const CoveredPart& part : parts) out += (part.is_true > 0 ? 1 : 0) + (part.is_false > 0 ? 1 : 0);
  return out;
}

std::vector<std::string> CoveredRule::gaps() const {
  if (evaluated == 0) return {"no test calls its capability"};
  std::vector<std::string> out;
  if (matched == 0) out.emplace_back("never matches");
  if (conditional && evaluated == matched + faulted) {
    out.emplace_back(matched > 0 ? "always matches" : "is never without a fault");
  }
  if (parts.size() < 2) return out;
  for (const CoveredPart& part : parts) {
    if (part.is_true == 0) out.push_back(fmt::format("`{}` is never true", part.text));
    if (part.is_false == 0) out.push_back(fmt::format("`{}` is never false", part.text));
  }
  return out;
}

size_t Coverage::points() const { return sum_over(rules, &CoveredRule::points); }

size_t Coverage::covered() const { return sum_over(rules, &CoveredRule::covered); }

double Coverage::percent() const {
  const size_t all = points();
  return all == 0 ? 100.0 : 100.0 * static_cast<double>(covered()) / static_cast<double>(all);
}

Coverage measure_coverage(const Compilation& compilation, const std::vector<const PolicyTest*>& tests,
                          const DecideOptions& options) {
  CoverageMeter meter(compilation, options);
  for (const PolicyTest* test : tests) meter.run(*test);
  return meter.take();
}

}  // namespace ordain
