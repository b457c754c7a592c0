// lint.cc runs the compiler with all its checks, and adds what only decisions show: rules that the
// tests do not reach.
#include "ordain/lint.h"

#include <algorithm>
#include <utility>

#include "analysis/story.h"
#include "compiler/acknowledge.h"
#include "compiler/diagnostic/words.h"
#include "compiler/passes.h"
#include "ordain/decide.h"
#include "ordain/event.h"
#include "ordain/time_text.h"

namespace ordain {
namespace {

/// Finds the byte at a line and column, both from 1.
class LineStarts {
 public:
  explicit LineStarts(const std::string& text) : text_(text) {
    for (size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\n') starts_.push_back(at + 1);
    }
  }

  uint32_t offset(uint32_t line, uint32_t column) const {
    size_t at = line >= 1 && line <= starts_.size() ? starts_[line - 1] : text_.size();
    for (uint32_t point = 1; point < column && at < text_.size(); ++point) {
      ++at;
      while (at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xC0) == 0x80) ++at;
    }
    return static_cast<uint32_t>(at);
  }

 private:
  const std::string& text_;
  std::vector<size_t> starts_{0};
};

// @returns by rule, whether it matched a call of a test, or decided it by a fault
std::vector<bool> rules_that_tests_reach(const Compilation& compilation) {
  const Program& program = *compilation.program;
  std::vector<bool> out(program.rules().size());
  const auto reach = [&](RuleId rule) {
    if (rule < out.size()) out[rule] = true;
  };
  const TimeParts now{timestamp_of_nanos(system_time_ns()).seconds, 0};
  EventReader reader(compilation.program, {.now = now});
  Scratch scratch;
  const auto note = [&] {
    const Decision decision = decide_all(reader.call(), reader.context(), scratch);
    reach(decision.rule);
    reach(decision.fault_rule);
    for (const RuleId rule : decision.matched) reach(rule);
    for (const Obligation& obligation : decision.obligations) reach(obligation.rule);
  };
  const bool stories = detail::tells_stories(*compilation.program);
  for (const PolicyTest& test : compilation.tests) {
    if (stories) {
      auto story = detail::Story::make(compilation.program, {}, now);
      for (const TestCall& call : test.calls) {
        if (story.ok()) (void)(*story)->play(call, reader, [&](const Decision&, bool) { note(); });
      }
      continue;
    }
    for (const TestCall& call : test.calls) {
      if (reader.read(call.event)) note();
    }
  }
  return out;
}

// A set without tests is not told of every rule.
void warn_untested(Compilation& compilation) {
  if (compilation.program == nullptr || compilation.tests.empty()) return;
  const Program& program = *compilation.program;
  const std::vector<bool> reached = rules_that_tests_reach(compilation);
  std::vector<LineStarts> files;
  for (const auto& source : compilation.diagnostics.sources) files.emplace_back(source->text);
  for (RuleId id = 0; id < reached.size(); ++id) {
    const RuleInfo& rule = program.rules()[id];
    if (reached[id] || rule.location >= program.locations().size()) continue;
    const Location& at = program.locations()[rule.location];
    if (at.file >= files.size()) continue;
    const uint32_t begin = files[at.file].offset(at.line, at.column);
    const auto end = static_cast<uint32_t>(begin + to_string(rule.kind).size());
    compilation.diagnostics.warning("untested-rule", {at.file, begin, end},
                                    "no test has a call that " + quoted(rule.name) + " matches",
                                    "write a test that expects what the rule does");
  }
}

Compilation lint_sources(Diagnostics read, const FunctionTable& functions) {
  Compilation out = detail::run_passes(std::move(read), functions, {}, true);
  warn_untested(out);
  acknowledge(out.diagnostics, true);
  return out;
}

}  // namespace

Compilation lint_policies(const std::vector<std::string>& paths, const FunctionTable& functions) {
  return lint_sources(read_sources(paths), functions);
}

Compilation lint_policies(std::vector<std::shared_ptr<const Source>> sources, const FunctionTable& functions) {
  Diagnostics read;
  read.sources = std::move(sources);
  return lint_sources(std::move(read), functions);
}

}  // namespace ordain
