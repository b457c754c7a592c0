// ordain bench: measures what deciding costs with these policies on these events.
#include "cli/bench.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/policy_options.h"
#include "cli/progress.h"
#include "cli/replace_file.h"
#include "cli/terminal.h"
#include "embed/code_generator.h"
#include "ordain/digest.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"

namespace ordain::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::vector<std::string> policies, against;
  std::string events;
  std::string html;
  double seconds = 0.5;
  double tolerance = 2;  // per cent
  uint64_t budget = Budget().cost;
  uint32_t repeats = 15;
  uint32_t threads = std::max(1u, std::thread::hardware_concurrency());
  bool json = false;
};

double ms_since(Clock::time_point from) {
  return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

// The lines of a file or of standard input that are not blank. False after complaining.
bool read_lines(const std::string& name, std::vector<std::string>* out) {
  auto input = Input::open(name);
  if (!input) {
    complain(input.error().message);
    return false;
  }
  for (std::string line; input->next_line(&line);) {
    if (!is_blank(line)) out->push_back(std::move(line));
  }
  if (auto read = input->check_read(); !read) {
    complain(read.error().message);
    return false;
  }
  return true;
}

// Reads every event. Complains about the first malformed line.
void read_events(const std::vector<std::string>& lines, PreparedEvents* prepared, BenchReport* report,
                 ProgressBar* progress) {
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i % 1024 == 0) progress->show(static_cast<double>(i) / static_cast<double>(lines.size()), "reading events");
    const Result<void> added = prepared->add(lines[i]);
    if (!added && report->malformed++ == 0) {
      complain(fmt::format("warning: event {} is left out: {}", i + 1, added.error().message));
    }
  }
  report->events = prepared->calls().size();
  report->contexts = prepared->contexts();
}

// Compiles to native code. Without a code generator the report is about the interpreter alone, and a warning
// says so. False after complaining about an error.
bool make_native(const Program& program, uint32_t threads, BenchReport* report) {
  const auto generator = detail::open_code_generator();
  if (!generator) {
    complain("warning: only the interpreter is measured: " + generator.error().message);
    return true;
  }
  report->native = true;
  const auto start = Clock::now();
  Result<NativeReport> native = (*generator)->compile(program, {.threads = threads});
  report->native_ms = ms_since(start);
  if (!native) {
    complain(native.error().message);
    return false;
  }
  report->code_bytes = native->code_bytes;
  return true;
}

// Measures how long it takes to load the program from its serialised form.
void measure_loading(const Program& program, BenchReport* report) {
  const std::string bytes = program.serialise();
  report->serialised_bytes = bytes.size();
  const auto start = Clock::now();
  const bool loaded = Program::load(bytes, standard_library()).ok();
  report->load_serialised_ms = ms_since(start);
  if (!loaded) complain("warning: the serialised program does not load; please report it");
}

int code_of(const BenchReport& report) {
  const bool slower = report.comparison && report.comparison->verdict == CostVerdict::slower;
  return report.malformed == 0 && !slower ? kOk : kFindings;
}

int show(const Options& options, const BenchReport& report) {
  write_out(options.json ? bench_json(report) + "\n" : bench_text(report));
  if (options.html.empty()) return code_of(report);
  const Result<void> written =
      write_file(options.html, bench_html(report, fmt::format("{}", fmt::join(options.policies, ", "))));
  if (!written) return fail(written.error());
  return code_of(report);
}

// Decides the first event before the others are read: how soon does a host that starts have its first answer?
// False after complaining.
bool decide_first_event(const Options& options, const Compilation& compilation, const std::vector<std::string>& lines,
                        const EventReaderOptions& reading) {
  PreparedEvents prepared(compilation.program, reading);
  size_t first = 0;
  while (first < lines.size() && !prepared.add(lines[first])) ++first;
  if (first == lines.size()) {
    complain(options.events + " holds no event");
    return false;
  }
  Call call(compilation.program);
  Scratch scratch;
  const PreparedCall& event = prepared.calls().front();
  event.fill(call);
  (void)decide(call, *event.context, scratch);
  return true;
}

void measure_engines(const Options& options, const PreparedEvents& events, BenchReport* report, ProgressBar* progress) {
  MeasureOptions how{.seconds = options.seconds, .threads = options.threads};
  how.decide.budget.cost = options.budget;
  const auto measure = [&](const char* name, bool interpret_only) {
    how.decide.interpret_only = interpret_only;
    how.progress = [&](double done) { progress->show(done, name); };
    report->engines.push_back(
        {name, measure_decisions(events, how), measure_rounds(events, how.decide, options.seconds, options.repeats)});
  };
  measure("interpreter", true);
  if (report->native) measure("jit", false);
  progress->show(0, "by capability and rule");
  report->groups = measure_groups(events, {.decide = how.decide, .seconds = options.seconds});
  progress->show(0, "by condition");
  report->rule_costs = measure_rules(events, how.decide, options.seconds);
}

// Compiles the policies of --against, if it is given. False after complaining.
bool compile_old(const Options& options, ProgressBar* progress, Compilation* old) {
  if (options.against.empty()) return true;
  *old = compile(options.against, standard_library());
  if (old->program != nullptr) return true;
  progress->clear();
  print(old->diagnostics);
  return false;
}

// Measures the events under the old policies in turn with the others. False after complaining.
bool measure_against(const Options& options, const Compilation& old, const std::vector<std::string>& lines,
                     const EventReaderOptions& reading, const PreparedEvents& events, BenchReport* report,
                     ProgressBar* progress) {
  report->old_digest = to_hex(old.program->digest());
  PreparedEvents old_events(old.program, reading);
  for (const std::string& line : lines) (void)old_events.add(line);  // the same are malformed
  BenchReport unused;
  if (report->native && !make_native(*old.program, options.threads, &unused)) return false;
  CompareCostsOptions how{.seconds = options.seconds, .rounds = options.repeats, .tolerance = options.tolerance / 100};
  how.decide.budget.cost = options.budget;
  how.progress = [&](double done) { progress->show(done, "against"); };
  report->comparison = compare_costs(old_events, events, how);
  return true;
}

int run(const Options& options) {
  if (!options.html.empty()) {
    if (const Result<void> cleared = clear_report(options.html); !cleared) return fail(cleared.error());
  }
  std::vector<std::string> lines;
  if (!read_lines(options.events, &lines)) return kUsage;
  ProgressBar progress;
  progress.show(0, "compiling");
  BenchReport report{.machine = describe_machine()};
  const auto start = Clock::now();
  const Compilation compilation = compile(options.policies, standard_library());
  if (compilation.program == nullptr) {
    progress.clear();
    print(compilation.diagnostics);
    return kUsage;
  }
  const Program& program = *compilation.program;
  const EventReaderOptions reading{.now = timestamp_of_nanos(system_time_ns())};
  if (!decide_first_event(options, compilation, lines, reading)) return kUsage;
  report.first_decision_ms = ms_since(start);
  report.rules = program.rules().size();
  report.capabilities = program.schema().capabilities.size();
  report.compile = compilation.times;
  report.memory_bytes = program.memory();
  report.digest = to_hex(program.digest());
  Compilation old;
  if (!compile_old(options, &progress, &old)) return kUsage;
  PreparedEvents events(compilation.program, {.now = reading.now, .warn = complain});
  read_events(lines, &events, &report, &progress);
  measure_loading(program, &report);
  progress.show(0, "making native code");
  if (!make_native(program, options.threads, &report)) return kUsage;
  if (const auto line = find_disagreement(events, lines, reading)) {
    complain("the engines disagree about an event; please report it: " + lines[*line]);
    return kUsage;
  }
  measure_engines(options, events, &report, &progress);
  if (old.program != nullptr && !measure_against(options, old, lines, reading, events, &report, &progress)) {
    return kUsage;
  }
  report.warning = load_warning(report.machine, describe_machine());
  progress.clear();
  return show(options, report);
}

}  // namespace

void add_bench(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("bench", "Measure what deciding costs with these policies on these events");
  add_policies_option(command, options->policies);
  add_events_option(command, options->events);
  add_budget_option(command, options->budget);
  command.add_option("--html", options->html, "also write a page with plots to this file").names_file();
  command.add_option("--threads", options->threads, "measure throughput on 1 to so many threads")
      .in_range(1, 256)
      .show_default();
  command.add_option("--seconds", options->seconds, "how long each measurement takes")
      .in_range(0.01, 60.0)
      .show_default();
  command
      .add_option("--against", options->against,
                  "old policies, measured in turn with the others; the verdict is faster, slower or no difference")
      .names_file();
  command.add_option("--repeats", options->repeats, "how many rounds each measurement of means has")
      .in_range(1, 1000)
      .show_default();
  command.add_option("--tolerance", options->tolerance, "with --against: the difference in per cent that is none")
      .in_range(0.0, 100.0)
      .show_default();
  command.add_flag("--json", options->json, "print one JSON object");
  command.set_footer(
      "One decision: the call is begun, its fields are set, it is decided. Callers' contexts are made before.\n"
      "Latencies are of short batches of successive events (docs/performance.md says how).\n"
      "Exit codes: 0 measured, 1 measured without some malformed lines, or slower than --against, 2 policies or usage "
      "wrong, or no events.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
