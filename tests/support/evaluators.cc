// evaluators.cc compiles policies for every evaluator, and compares the evaluators' decisions.
#include "tests/support/evaluators.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "compiler/check/policy/check.h"
#include "compiler/data_files.h"
#include "compiler/emit/emit.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/decide.h"
#include "ordain/event.h"
#include "ordain/stdlib.h"
#include "tests/support/annotations.h"
#include "vm/program/linked_program.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain {

std::unique_ptr<Compiled> compile_everywhere(std::vector<std::shared_ptr<const Source>> sources) {
  auto out = std::make_unique<Compiled>();
  std::stable_partition(sources.begin(), sources.end(), [](const auto& source) { return !source->is_data; });
  out->diagnostics.sources = std::move(sources);
  std::vector<syntax::File> files;
  for (uint32_t i = 0; i < out->diagnostics.sources.size(); ++i) {
    if (!out->diagnostics.sources[i]->is_data) files.push_back(parse(out->arena, out->diagnostics, i));
  }
  read_data_files(out->arena, out->diagnostics, files);
  if (out->diagnostics.has_errors()) return out;
  out->set = check(out->arena, out->diagnostics, files, standard_library());
  if (out->diagnostics.has_errors()) return out;
  fold(out->arena, out->set);
  auto program = link_program(emit(out->set, indexing::index_rules(out->set), out->diagnostics), standard_library());
  if (!program) throw std::runtime_error(program.error().message);
  out->interpreted = *program;
  // Native code runs on a program that was serialised and loaded again.
  auto reloaded = Program::load((*program)->serialise(), standard_library());
  if (!reloaded) throw std::runtime_error(reloaded.error().message);
  out->native = *reloaded;
#ifdef ORDAIN_HAS_JIT
  auto report = compile_native(*out->native);
  if (!report) throw std::runtime_error(report.error().message);
  if (!out->native->fully_native()) throw std::runtime_error("a predicate has no native code");
#endif
  return out;
}

std::vector<std::string> codes(const Diagnostics& diagnostics) {
  static constexpr const char* kSeverities[] = {"error", "warning", "note"};
  std::vector<std::string> out;
  for (const Diagnostic& item : diagnostics.items) {
    const LineColumn at = line_column(*diagnostics.sources[item.span.file], item.span.begin);
    out.push_back(
        fmt::format("{}:{} {} {}", at.line, at.column, kSeverities[static_cast<int>(item.severity)], item.code));
  }
  std::sort(out.begin(), out.end());
  return out;
}

// @returns the one-line form that files contain
static std::string short_form(const oracle::Verdict& v) {
  std::string out(to_string(v.effect));
  if (v.code != DecisionCode::rule) out += fmt::format(" ({})", to_string(v.code));
  if (!v.rule.empty()) out += " by " + v.rule;
  if (!v.reason.empty() && v.reason != v.rule && v.code != DecisionCode::default_effect)
    out += fmt::format(" because {}", v.reason);
  if (!v.from.empty()) out += fmt::format("; from {}", fmt::join(v.from, ", "));
  if (v.expires_seconds != 0) out += fmt::format("; expires {}s", v.expires_seconds);
  for (const AskingRule& rule : v.approvals) {
    if (rule.need < rule.from.size()) out += fmt::format("; {} of {}", rule.need, fmt::join(rule.from, ", "));
    if (!rule.distinct) out += "; not distinct";
  }
  for (const std::string& obligation : v.obligations) out += "; " + obligation;
  if (!v.fault.empty()) out += "; fault in " + v.fault;
  return out;
}

// Decides one event on every evaluator, and requires the same answer from all. @returns that
// answer.
std::string decide_everywhere(Compiled& compiled, const std::string& event) {
  const TimeParts now{1714564800, 0};  // 2024-05-01T12:00:00Z
  EventReader reader(compiled.interpreted, {.now = now});
  EventReader native_reader(compiled.native, {.now = now});
  const Result<void> read = reader.read(event), native_read = native_reader.read(event);
  if (!read) return "malformed: " + read.error().message;
  if (!native_read) return "malformed: only for native code";

  const oracle::Verdict expected =
      oracle::decide(compiled.arena, compiled.set, compiled.diagnostics.sources, reader.call(), reader.context());
  Scratch scratch;
  const oracle::Verdict interpreted = oracle::describe(
      *compiled.interpreted, decide_all(reader.call(), reader.context(), scratch, {.interpret_only = true}));
  EXPECT_EQ(oracle::to_string(expected), oracle::to_string(interpreted)) << "oracle, interpreter: " << event;

  const oracle::Verdict native =
      oracle::describe(*compiled.native, decide_all(native_reader.call(), native_reader.context(), scratch));
  EXPECT_EQ(oracle::to_string(expected), oracle::to_string(native)) << "oracle, native: " << event;

  for (const auto& [program, from] :
       {std::pair(compiled.interpreted, &reader), std::pair(compiled.native, &native_reader)}) {
    const Decision quick = decide(from->call(), from->context(), scratch);
    oracle::Verdict brief = oracle::describe(*program, quick);
    brief.matched = expected.matched;  // `decide` lists only rules that ask
    EXPECT_EQ(oracle::to_string(expected), oracle::to_string(brief)) << "decide differs from decide_all: " << event;
  }
  return short_form(expected);
}

std::unique_ptr<Compiled> compile_directory_everywhere(const std::string& directory) {
  std::vector<std::shared_ptr<const Source>> sources;
  for (const std::string& path : policy_files(directory)) {
    std::ifstream in(path, std::ios::binary);
    sources.push_back(std::make_shared<Source>(Source{path, {std::istreambuf_iterator<char>(in), {}}}));
  }
  return compile_everywhere(std::move(sources));
}

}  // namespace ordain
