// ordain test: runs the `test` blocks of policies, and shows every decision that is not what they expect.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/native_code.h"
#include "cli/policy_options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/compile.h"
#include "ordain/run_tests.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string engine = "interpreter";
  std::string fallback;
  uint64_t budget = Budget().cost;
  bool json = false;
};

const Source& source_of(const Compilation& compilation, Span span) {
  return *compilation.diagnostics.sources[span.file];
}

std::string place_of(const Compilation& compilation, Span span) {
  const Source& source = source_of(compilation, span);
  const LineColumn at = line_column(source, span.begin);
  return fmt::format("{}:{}:{}", source.path, at.line, at.column);
}

std::string place_json(const Compilation& compilation, Span span) {
  const LineColumn at = line_column(source_of(compilation, span), span.begin);
  return fmt::format("\"line\": {}, \"column\": {}", at.line, at.column);
}

void print_json(const Compilation& compilation, const TestReport& report) {
  std::string out = fmt::format("{{\"test\": {}, \"file\": {}, {}, \"outcome\": \"{}\", \"expectations\": [",
                                json_text(report.test->name), json_text(source_of(compilation, report.test->span).path),
                                place_json(compilation, report.test->span), report.passed() ? "pass" : "fail");
  for (const TestVerdict& verdict : report.verdicts) {
    const TestExpectation& expected = *verdict.expectation;
    if (out.back() != '[') out += ", ";
    out += fmt::format("{{{}, \"outcome\": \"{}\", \"effect\": {}, \"rule\": {}, \"why\": {}, ",
                       place_json(compilation, expected.span), verdict.met ? "pass" : "fail",
                       json_text(expected.effect), expected.rule.empty() ? "null" : json_text(expected.rule),
                       verdict.why.empty() ? "null" : json_text(verdict.why));
    out += fmt::format("\"event\": {}, \"decision\": {}}}", verdict.call->event, verdict.decision);
  }
  write_out(out + "]}\n");
}

// Every unmet expectation, shown like a diagnostic: with its line and a caret.
std::string failures_of(const Compilation& compilation, const TestReport& report) {
  Diagnostics out;
  out.sources = compilation.diagnostics.sources;
  for (const TestVerdict& verdict : report.verdicts) {
    if (verdict.met) continue;
    const TestExpectation& expected = *verdict.expectation;
    const std::string by = expected.rule.empty() ? "" : " by " + expected.rule;
    Diagnostic& failure =
        out.error("", expected.span, fmt::format("expected {}{}, decided {}", expected.effect, by, verdict.decided));
    if (!verdict.why.empty()) failure.notes.push_back({Severity::note, "", verdict.why, verdict.call->span, "", {}});
  }
  return render_for(stdout, out);
}

// The fault behind an expected denial, or "": the test passes, but perhaps not for the reason that its author has in
// mind.
std::string fault_of(const TestReport& report) {
  const auto at = std::find_if(report.verdicts.begin(), report.verdicts.end(),
                               [](const TestVerdict& verdict) { return verdict.met && verdict.fault; });
  return at == report.verdicts.end() ? "" : "  (" + at->decided + ")";
}

void print_text(const Compilation& compilation, const std::vector<TestReport>& reports) {
  const bool colour = wants_colour(stdout);
  size_t width = 0;
  for (const TestReport& report : reports)
    width = std::max(width, terminal_text(place_of(compilation, report.test->span)).size());
  for (const TestReport& report : reports) {
    const bool passed = report.passed();
    const ReadyText outcome = coloured(passed ? "pass" : "FAIL", passed ? 32 : 31, colour);
    print_out("{}  {:<{}}  {}{}\n", outcome, place_of(compilation, report.test->span), width, report.test->name,
              fault_of(report));
    if (!passed) write_out(failures_of(compilation, report));
  }
}

int run(const Options& options) {
  const Compilation compilation = compile(options.paths, standard_library(), {.parts = true});
  print(compilation.diagnostics);
  if (compilation.program == nullptr) return kUsage;
  if (options.engine == "jit" && !make_native(*compilation.program)) return kUsage;
  const std::vector<TestReport> reports =
      run_tests(compilation, decide_options(options.engine, options.fallback, options.budget));
  const auto passed = static_cast<size_t>(
      std::count_if(reports.begin(), reports.end(), [](const TestReport& report) { return report.passed(); }));
  if (options.json) {
    for (const TestReport& report : reports) print_json(compilation, report);
  } else if (reports.empty()) {
    print_out("no tests in {}\n", count_text(compilation.program->files().size(), "file"));
  } else {
    print_text(compilation, reports);
    print_out("{} passed, {} failed\n", passed, reports.size() - passed);
  }
  return passed == reports.size() ? kOk : kFindings;
}

}  // namespace

void add_test(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("test", "Run the tests in policies: are the decisions what they expect?");
  add_policy_paths(command, options->paths);
  add_engine_option(command, options->engine, "what decides");
  add_default_option(command, options->fallback);
  add_budget_option(command, options->budget);
  command.add_flag("--json", options->json, "print one JSON object a test");
  command.set_footer(
      "A test: test \"a stranger is refused\" { call pay { to: \"x\" } with agent.roles = [\"clerk\"]; expect deny by "
      "payments.unknown; }\n"
      "With `returns` a call is decided after it ran (docs/language.md).\n"
      "Exit codes: 0 all tests pass, or there are none, 1 some fail, 2 policies or usage wrong.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
