#include "cli/test_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/terminal.h"
#include "cli/text.h"

namespace ordain::cli {
namespace {

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

// The line of the row that a call is made for.
std::string row_json(const Compilation& compilation, const TestCall& call) {
  if (!call.row) return "";
  return fmt::format("\"row\": {}, ", line_column(source_of(compilation, *call.row), call.row->begin).line);
}

bool is_within(Span inner, Span outer) {
  return inner.file == outer.file && inner.begin >= outer.begin && inner.end <= outer.end;
}

}  // namespace

std::string test_json(const Compilation& compilation, const TestReport& report) {
  std::string out = fmt::format("{{\"test\": {}, \"file\": {}, {}, \"outcome\": \"{}\", \"expectations\": [",
                                json_text(report.test->name), json_text(source_of(compilation, report.test->span).path),
                                place_json(compilation, report.test->span), report.passed() ? "pass" : "fail");
  for (const TestVerdict& verdict : report.verdicts) {
    const TestExpectation& expected = *verdict.expectation;
    if (out.back() != '[') out += ", ";
    out += fmt::format("{{{}, {}\"outcome\": \"{}\", \"effect\": {}, \"rule\": {}, \"why\": {}, ",
                       place_json(compilation, expected.span), row_json(compilation, *verdict.call),
                       verdict.met ? "pass" : "fail", json_text(expected.effect),
                       expected.rule.empty() ? "null" : json_text(expected.rule),
                       verdict.why.empty() ? "null" : json_text(verdict.why));
    out += fmt::format("\"event\": {}, \"decision\": {}}}", verdict.call->event, verdict.decision);
  }
  return out + "]}";
}

namespace {

// Every unmet expectation as a diagnostic, with its line.
Diagnostics failures_of(const Compilation& compilation, const TestReport& report) {
  Diagnostics out;
  out.sources = compilation.diagnostics.sources;
  for (const TestVerdict& verdict : report.verdicts) {
    if (verdict.met) continue;
    const TestExpectation& expected = *verdict.expectation;
    const std::string by = expected.rule.empty() ? "" : " by " + expected.rule;
    Diagnostic& failure =
        out.error("", expected.span, fmt::format("expected {}{}, decided {}", expected.effect, by, verdict.decided));
    if (!verdict.why.empty()) failure.notes.push_back({Severity::note, "", verdict.why, verdict.call->span, "", {}});
    const std::optional<Span>& row = verdict.call->row;
    if (row && !is_within(expected.span, *row))
      failure.notes.push_back({Severity::note, "", "for this row", *row, "", {}});
  }
  return out;
}

// The fault behind an expected denial, or "": the test passes, but perhaps not for the reason that its author has in
// mind.
std::string fault_of(const TestReport& report) {
  const auto at = std::find_if(report.verdicts.begin(), report.verdicts.end(),
                               [](const TestVerdict& verdict) { return verdict.met && verdict.fault; });
  return at == report.verdicts.end() ? "" : "  (" + at->decided + ")";
}

// One `testcase`. Its failures are one text, as JUnit allows one `failure` only.
std::string test_junit(const Compilation& compilation, const TestReport& report) {
  const Source& source = source_of(compilation, report.test->span);
  std::string out = fmt::format("    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6f}\"",
                                markup_text(report.test->name), markup_text(source.path), markup_text(source.path),
                                line_column(source, report.test->span.begin).line, report.seconds);
  const Diagnostics failures = failures_of(compilation, report);
  if (failures.items.empty()) return out + "/>\n";
  return out + fmt::format(">\n      <failure type=\"expectation\" message=\"{}\">{}</failure>\n    </testcase>\n",
                           markup_text(failures.items.front().message), markup_text(render(failures)));
}

size_t count_failed(const std::vector<const TestReport*>& reports) {
  return static_cast<size_t>(
      std::count_if(reports.begin(), reports.end(), [](const TestReport* report) { return !report->passed(); }));
}

}  // namespace

void print_tests_text(const Compilation& compilation, const std::vector<TestReport>& reports) {
  const bool colour = wants_colour(stdout);
  size_t width = 0;
  for (const TestReport& report : reports)
    width = std::max(width, terminal_text(place_of(compilation, report.test->span)).size());
  for (const TestReport& report : reports) {
    const bool passed = report.passed();
    const ReadyText outcome = coloured(passed ? "pass" : "FAIL", passed ? 32 : 31, colour);
    print_out("{}  {:<{}}  {}{}\n", outcome, place_of(compilation, report.test->span), width, report.test->name,
              fault_of(report));
    if (!passed) write_out(render_for(stdout, failures_of(compilation, report)));
  }
}

void print_tests_json(const Compilation& compilation, const std::vector<TestReport>& reports) {
  for (const TestReport& report : reports) write_out(test_json(compilation, report) + "\n");
}

std::string tests_junit(const Compilation& compilation, const std::vector<TestReport>& reports) {
  std::vector<std::vector<const TestReport*>> by_file(compilation.diagnostics.sources.size());
  size_t failed = 0;
  for (const TestReport& report : reports) {
    by_file[report.test->span.file].push_back(&report);
    if (!report.passed()) ++failed;
  }
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ordain test\" tests=\"{}\" failures=\"{}\" "
      "errors=\"0\">\n",
      reports.size(), failed);
  for (size_t file = 0; file < by_file.size(); ++file) {
    const std::vector<const TestReport*>& tests = by_file[file];
    if (tests.empty()) continue;
    double seconds = 0;
    for (const TestReport* report : tests) seconds += report->seconds;
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" time=\"{:.6f}\">\n",
        markup_text(compilation.diagnostics.sources[file]->path), tests.size(), count_failed(tests), seconds);
    for (const TestReport* report : tests) out += test_junit(compilation, *report);
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

std::string errors_junit(const Compilation& compilation) {
  const Diagnostics& diagnostics = compilation.diagnostics;
  const auto error = std::find_if(diagnostics.items.begin(), diagnostics.items.end(),
                                  [](const Diagnostic& each) { return each.severity == Severity::error; });
  const bool known = error != diagnostics.items.end() && error->span.file < diagnostics.sources.size();
  const std::string file = markup_text(known ? diagnostics.sources[error->span.file]->path : "policies");
  const std::string message = error != diagnostics.items.end() ? error->message : "the policies do not compile";
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"ordain test\" tests=\"1\" failures=\"0\" errors=\"1\">\n"
      "  <testsuite name=\"{0}\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" time=\"0.000000\">\n"
      "    <testcase name=\"the policies compile\" classname=\"{0}\" file=\"{0}\" time=\"0.000000\">\n"
      "      <error type=\"policy\" message=\"{1}\">{2}</error>\n"
      "    </testcase>\n"
      "  </testsuite>\n"
      "</testsuites>\n",
      file, markup_text(message), markup_text(render(diagnostics)));
}

}  // namespace ordain::cli
