// ordain test: runs the `test` blocks of policies, and shows every decision that is not what they expect.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "cli/command.h"
#include "cli/coverage_report.h"
#include "cli/native_code.h"
#include "cli/policy_options.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "cli/test_report.h"
#include "cli/text.h"
#include "ordain/compile.h"
#include "ordain/coverage.h"
#include "ordain/run_tests.h"
#include "ordain/stdlib.h"
#include "ordain/watch.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string engine = "interpreter";
  std::string fallback, filter, junit, lcov, html;
  double fail_under = 0;  ///< percent
  uint64_t budget = Budget().cost;
  bool json = false;
  bool watch = false;
  bool coverage = false;

  bool wants_coverage() const { return coverage || !lcov.empty() || !html.empty() || fail_under > 0; }
};

// Prepares for the reports that are asked for. A file that cannot be written is found before anything runs, and no
// report of an earlier run is left. False after complaining.
bool clear_reports(const Options& options) {
  for (const std::string& file : {options.junit, options.lcov, options.html}) {
    if (file.empty()) continue;
    if (const Result<void> cleared = clear_report(file); !cleared) {
      complain(cleared.error().message);
      return false;
    }
  }
  return true;
}

// False after complaining.
bool write_report(const std::string& name, const std::string& text) {
  const Result<void> written = write_file(name, text);
  if (!written) complain(written.error().message);
  return written.ok();
}

void print_summary(const Options& options, const Compilation& compilation, const std::vector<TestReport>& reports,
                   size_t passed) {
  if (compilation.tests.empty()) {
    print_out("no tests in {}\n", count_text(compilation.program->files().size(), "file"));
    return;
  }
  print_tests_text(compilation, reports);
  const size_t left_out = compilation.tests.size() - reports.size();
  print_out("{} passed, {} failed{}\n", passed, reports.size() - passed,
            options.filter.empty() ? "" : fmt::format(", {} left out by --filter", left_out));
}

// Reports the coverage by `tests`. @returns the exit code
int report_coverage(const Options& options, const Compilation& compilation, const std::vector<const PolicyTest*>& tests,
                    const DecideOptions& how) {
  const Coverage coverage = measure_coverage(compilation, tests, how);
  if (options.json) {
    write_out(coverage_json(compilation, coverage));
  } else {
    print_coverage(compilation, coverage);
  }
  if (!options.lcov.empty() && !write_report(options.lcov, coverage_lcov(compilation, coverage))) return kUsage;
  if (!options.html.empty() && !write_report(options.html, coverage_html(compilation, coverage))) return kUsage;
  if (coverage.percent() >= options.fail_under) return kOk;
  complain(fmt::format("less than {} % is covered", options.fail_under));
  return kFindings;
}

// Runs the tests of policies that compiled. @returns the exit code
int run_compiled(Options options, const Compilation& compilation) {
  options.engine = choose_engine(options.engine);
  if (options.engine == "jit" && !make_native(*compilation.program)) return kUsage;
  const std::vector<const PolicyTest*> tests = select_tests(compilation, options.filter);
  if (tests.empty() && !options.filter.empty()) {
    complain(fmt::format("no test's name contains \"{}\"", options.filter));
    return kUsage;
  }
  const DecideOptions how = decide_options(options.engine, options.fallback, options.budget);
  const std::vector<TestReport> reports = run_tests(compilation, tests, how);
  const auto passed = static_cast<size_t>(
      std::count_if(reports.begin(), reports.end(), [](const TestReport& report) { return report.passed(); }));
  if (options.json) {
    print_tests_json(compilation, reports);
  } else {
    print_summary(options, compilation, reports, passed);
  }
  if (!options.junit.empty() && !write_report(options.junit, tests_junit(compilation, reports))) return kUsage;
  const int covered = options.wants_coverage() ? report_coverage(options, compilation, tests, how) : kOk;
  return std::max(covered, static_cast<int>(passed == reports.size() ? kOk : kFindings));
}

// Runs the tests, or reports that the policies have errors. @returns the exit code
int run_once(const Options& options, const Compilation& compilation) {
  if (compilation.program != nullptr) return run_compiled(options, compilation);
  if (!options.junit.empty()) (void)write_report(options.junit, errors_junit(compilation));
  return kUsage;
}

// The texts that a compilation read. The same texts give the same results.
std::vector<std::pair<std::string, std::string>> texts_of(const Compilation& compilation) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& source : compilation.diagnostics.sources) out.emplace_back(source->path, source->text);
  return out;
}

// Runs the tests again after each change of the files, until standard output cannot be written or the user interrupts.
// The watcher reports programs, and tests are part of none, so the tests run where it compiles.
int watch(const Options& options, const Compilation& first) {
  std::atomic<bool> ended = false;
  auto last = texts_of(first);
  const auto load = [&](const std::vector<std::string>& paths) {
    const Compilation compilation = compile(paths, standard_library(), {.parts = true});
    if (auto texts = texts_of(compilation); texts != last) {
      last = std::move(texts);
      print(compilation.diagnostics);
      try {
        if (clear_reports(options)) (void)run_once(options, compilation);
        if (!try_flush()) throw OutputFailure();
      } catch (const OutputFailure&) {
        ended = true;
        ended.notify_all();
      }
    }
    return Policies{compilation.program, ""};
  };
  const auto on_change = [](const PolicyChange& change) { write_error(change.messages); };
  const PolicyWatcher watcher(options.paths, first.program, on_change, {.load = load});
  ended.wait(false);
  return kUsage;
}

int run(const Options& options) {
  if (!clear_reports(options)) return kUsage;
  const Compilation compilation = compile(options.paths, standard_library(), {.parts = true});
  print(compilation.diagnostics);
  const int code = run_once(options, compilation);
  if (!options.watch) return code;
  if (!try_flush()) throw OutputFailure();
  return watch(options, compilation);
}

}  // namespace

void add_test(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("test", "Run the tests in policies: are the decisions what they expect?");
  add_policy_paths(command, options->paths);
  add_engine_option(command, options->engine, "what decides");
  add_default_option(command, options->fallback);
  add_budget_option(command, options->budget);
  command.add_option("--filter", options->filter,
                     "run only the tests whose name contains this; `*` stands for any text");
  command.add_option("--junit", options->junit, "also write a report in JUnit's XML to this file").names_file();
  command.add_flag("--json", options->json, "print one JSON object a test");
  command.add_flag("--coverage", options->coverage,
                   "also say which rules, and which sides of their conditions, the tests do not reach");
  command.add_option("--lcov", options->lcov, "also write the coverage to this file, for lcov and other tools")
      .names_file();
  command.add_option("--html", options->html, "also write a page about the coverage to this file").names_file();
  command.add_option("--fail-under", options->fail_under, "exit with 1 if less than so many percent are covered")
      .in_range(0.0, 100.0);
  command.add_flag("--watch", options->watch, "run the tests again whenever the files change, until interrupted");
  command.set_footer(
      "A test: test \"a stranger is refused\" { call pay { to: \"x\" } with agent.roles = [\"clerk\"]; expect deny by "
      "payments.unknown; }\n"
      "With `returns` a call is decided after it ran (docs/language.md).\n"
      "Exit codes: 0 all tests pass, or there are none, 1 some fail or too little is covered, 2 policies or usage "
      "wrong.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
