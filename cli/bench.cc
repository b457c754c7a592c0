// ordain bench: what deciding costs with these policies on these events.
#include "cli/bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>

#include "cli/command.h"
#include "cli/terminal.h"
#include "ordain/stdlib.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::vector<std::string> policies;
  std::string events;
  std::string html;
  double seconds = 0.5;
  uint32_t threads = std::max(1u, std::thread::hardware_concurrency());
  bool json = false;
};

double ms_since(Clock::time_point from) {
  return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

// A line on a terminal that is written over and over; nothing anywhere else.
class ProgressLine {
 public:
  ~ProgressLine() { clear(); }
  void show(const std::string& what, double done) {
    if (!on_ || (what == last_ && ms_since(shown_) < 100)) return;
    fmt::print(stderr, "\r{:<24} {:>3.0f} %\033[K", what, done * 100);
    std::fflush(stderr);
    last_ = what;
    shown_ = Clock::now();
  }
  void clear() {
    if (on_ && !last_.empty()) fmt::print(stderr, "\r\033[K");
    last_.clear();
  }

 private:
  bool on_ = isatty(STDERR_FILENO) != 0;
  std::string last_;
  Clock::time_point shown_;
};

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

// The events of a file, or of standard input. False after complaining.
bool read_lines(const std::string& path, std::vector<std::string>* out) {
  std::ifstream file;
  if (path != "-") {
    file.open(path);
    if (!file) {
      complain("cannot read " + path);
      return false;
    }
  }
  std::istream& in = path == "-" ? std::cin : file;
  for (std::string line; std::getline(in, line);) {
    if (!is_blank(line)) out->push_back(std::move(line));
  }
  return true;
}

// Reads every event. Complains of the first malformed line.
void read_events(const std::vector<std::string>& lines, PreparedEvents* prepared, BenchReport* report,
                 ProgressLine* progress) {
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i % 1024 == 0) progress->show("reading events", static_cast<double>(i) / static_cast<double>(lines.size()));
    if (auto wrong = prepared->add(lines[i])) {
      if (report->malformed++ == 0) complain(fmt::format("warning: event {} is left out: {}", i + 1, wrong->message));
    }
  }
  report->events = prepared->calls().size();
  report->contexts = prepared->contexts();
}

// False after complaining. A build without the native tier measures the interpreter only.
bool make_native(const Program& program, uint32_t threads, BenchReport* report) {
#ifdef ORDAIN_HAS_JIT
  const auto start = Clock::now();
  Result<NativeReport> native = compile_native(program, {.threads = threads});
  report->native_ms = ms_since(start);
  if (!native) {
    complain(native.error().message);
    return false;
  }
  report->code_bytes = native->code_bytes;
#else
  (void)program, (void)threads, (void)report;
#endif
  return true;
}

// Decides every event as it is read from JSON by the interpreter, and from the fields that were kept of it by what is
// measured. False, after complaining, if there are two answers.
bool engines_agree(const PreparedEvents& prepared, const std::vector<std::string>& lines, const Now& now) {
  EventReader reader(prepared.program(), now);
  Call call(prepared.program());
  Scratch scratch, other_scratch;
  size_t next = 0;
  for (const std::string& line : lines) {
    if (reader.read(line)) continue;
    const Decision expected = decide(reader.call(), reader.context(), scratch, {.interpret_only = true});
    const PreparedCall& kept = prepared.calls()[next++];
    kept.fill(call);
    const Decision got = decide(call, *kept.context, other_scratch);
    if (got.effect != expected.effect || got.rule != expected.rule || got.code != expected.code ||
        got.reason != expected.reason) {
      complain("the engines disagree about an event; please report it: " + line);
      return false;
    }
  }
  return true;
}

void load_again(const Program& program, BenchReport* report) {
  const std::string bytes = program.serialise();
  report->serialised_bytes = bytes.size();
  const auto start = Clock::now();
  const bool loaded = Program::load(bytes, standard_library()).ok();
  report->load_serialised_ms = ms_since(start);
  if (!loaded) complain("warning: the serialised program does not load; please report it");
}

Now wall_clock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
  return {nanos / 1'000'000'000, static_cast<int32_t>(nanos % 1'000'000'000)};
}

int show(const Options& options, const BenchReport& report) {
  fmt::print("{}", options.json ? bench_json(report) + "\n" : bench_text(report));
  if (options.html.empty()) return report.malformed == 0 ? kOk : kFindings;
  std::ofstream file(options.html, std::ios::binary);
  file << bench_html(report, fmt::format("{}", fmt::join(options.policies, ", ")));
  file.close();
  if (!file) {
    complain("cannot write " + options.html);
    return kUsage;
  }
  return report.malformed == 0 ? kOk : kFindings;
}

int run(const Options& options) {
  std::vector<std::string> lines;
  if (!read_lines(options.events, &lines)) return kUsage;
  ProgressLine progress;
  progress.show("compiling", 0);
  BenchReport report;
  const auto start = Clock::now();
  const Compilation compilation = compile(options.policies, standard_library());
  if (compilation.program == nullptr) {
    progress.clear();
    print(compilation.diagnostics);
    return kUsage;
  }
  const Program& program = *compilation.program;
  const Now now = wall_clock();
  PreparedEvents prepared(compilation.program, now);
  // The first decision comes before the other events are read.
  size_t first = 0;
  while (first < lines.size() && prepared.add(lines[first])) ++first;
  if (first == lines.size()) {
    complain(options.events + ": there is no event");
    return kUsage;
  }
  {
    Call call(compilation.program);
    Scratch scratch;
    const PreparedCall& event = prepared.calls().front();
    event.fill(call);
    (void)decide(call, *event.context, scratch);
    report.first_decision_ms = ms_since(start);
  }
  report.rules = program.rules().size();
  report.capabilities = program.schema().capabilities.size();
  report.compile = compilation.times;
  report.memory_bytes = program.memory();
  PreparedEvents all(compilation.program, now, complain);
  read_events(lines, &all, &report, &progress);
  load_again(program, &report);
  progress.show("making native code", 0);
  if (!make_native(program, options.threads, &report)) return kUsage;
  if (!engines_agree(all, lines, now)) return kUsage;

  const BenchEffort effort{options.seconds, options.threads};
  const auto tell = [&](const char* what, double done) { progress.show(what, done); };
  report.engines.push_back(measure_engine(all, true, {}, effort, tell));
#ifdef ORDAIN_HAS_JIT
  report.engines.push_back(measure_engine(all, false, {}, effort, tell));
#endif
  progress.show("by capability and rule", 0);
  measure_groups(all, {}, effort, &report);
  progress.clear();
  return show(options, report);
}

}  // namespace

void add_bench(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("bench", "Measure what deciding costs with these policies on these events");
  command.add_option("--policies", options->policies, "policy files, or directories searched for *.policy").required();
  command.add_option("--events", options->events, "a file of JSON lines, or - for standard input").required();
  command.add_option("--html", options->html, "also write a page with plots to this file");
  command.add_option("--threads", options->threads, "measure throughput on 1 to so many threads")
      .in_range(1, 256)
      .show_default();
  command.add_option("--seconds", options->seconds, "how long each measurement takes")
      .in_range(0.01, 60.0)
      .show_default();
  command.add_flag("--json", options->json, "print one JSON object");
  command.set_footer(
      "One decision: the call is begun, its fields are set, it is decided. Callers' contexts are made before.\n"
      "Latencies are of short batches of successive events (docs/performance.md says how).\n"
      "Exit codes: 0 measured, 1 measured without some malformed lines, 2 policies or usage wrong, or no events.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
