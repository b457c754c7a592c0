// ordain eval: decides recorded or hand-written events, one JSON line each, and says what and why.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iostream>

#include "cli/command.h"
#include "cli/latency.h"
#include "cli/record.h"
#include "cli/shared.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/live_program.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"
#include "ordain/watch.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> policies;
  std::string events;
  std::string engine = "interpreter";
  std::string fallback;  // --default
  std::string database;
  bool json = false;
  bool watch = false;
};

struct Tally {
  std::array<uint64_t, 3> effects{};  // by Effect
  uint64_t malformed = 0;
  LatencyHistogram latency;
};

Now wall_clock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
  return {nanos / 1'000'000'000, static_cast<int32_t>(nanos % 1'000'000'000)};
}

// The default is the host's choice for calls before they run; what has run is released unless a rule withholds it.
DecideOptions decide_options(const Options& options) {
  DecideOptions out;
  out.interpret_only = options.engine == "interpreter";
  if (options.fallback == "allow") out.default_before = Effect::allow;
  if (options.fallback == "require_approval") out.default_before = Effect::require_approval;
  return out;
}

bool make_native(const Program& program) {
#ifdef ORDAIN_HAS_JIT
  Result<NativeReport> report = compile_native(program);
  if (!report) {
    complain(report.error().message);
    return false;
  }
  if (!program.fully_native()) {
    complain("not every rule could be compiled to native code");
    return false;
  }
  return true;
#else
  (void)program;
  complain("this build has no native tier; use --engine interpreter");
  return false;
#endif
}

void print_line(const Program& program, uint64_t event, const EventReader& reader, const Decision& decision,
                bool colour) {
  static constexpr std::array<int, 3> kColours = {32, 33, 31};
  const std::string effect = coloured(fmt::format("{:<16}", to_string(decision.effect)),
                                      kColours[static_cast<size_t>(decision.effect)], colour);
  std::string notes;
  for (const Obligation& obligation : decision.obligations) {
    notes += obligation.kind == RuleKind::redact ? fmt::format("; redact {}", obligation.path)
                                                 : fmt::format("; warn: {}", obligation.reason);
  }
  const std::string rule =
      decision.rule == kNone ? std::string(to_string(decision.code)) : program.rules()[decision.rule].name;
  fmt::print("{:>5}  {:<6}  {} {:<30} {:<28} {}{}\n", event, to_string(reader.call().stage()), effect,
             reader.capability(), rule, decision.reason, notes);
}

void print_summary(const Options& options, const Tally& tally, double seconds, const Now& now) {
  const uint64_t decided = tally.latency.count();
  fmt::print(stderr, "{} decided: {} allow, {} require_approval, {} deny; {} malformed\n", decided, tally.effects[0],
             tally.effects[1], tally.effects[2], tally.malformed);
  fmt::print(stderr, "{}: {:.0f} decisions/s end to end, deciding p50 {} ns, p99 {} ns; now = {}\n", options.engine,
             seconds > 0 ? static_cast<double>(decided) / seconds : 0.0, tally.latency.quantile(0.5),
             tally.latency.quantile(0.99), format_timestamp(now.seconds, now.nanos));
}

// Compiles anew what changes on disk, and puts it in force between one event and the next. A policy set with errors is
// told of, and the old one goes on.
std::unique_ptr<PolicyWatcher> watch(const Options& options, LiveProgram& live) {
  auto load = [&options](const std::vector<std::string>& paths) {
    const Compilation compilation = compile(paths, standard_library());
    Policies out{compilation.program, render(compilation.diagnostics, {.colour = wants_colour(stderr)})};
    if (out && options.engine == "jit" && !make_native(*out.program)) out.program = nullptr;
    return out;
  };
  auto on_change = [&live](const PolicyChange& change) {
    std::fputs(change.messages.c_str(), stderr);
    if (change.program != nullptr) live.publish(change.program);
    complain(change.program != nullptr ? fmt::format("reloaded; {} rules", change.program->rules().size())
                                       : "not reloaded: the policies before the change stay in force");
  };
  return std::make_unique<PolicyWatcher>(options.policies, live.current(), on_change, WatchOptions{.load = load});
}

// Decides every line of `in`, each by the program that is current when it was read. False if the record could not be
// written.
bool decide_lines(std::istream& in, const Options& options, const LiveProgram& live, const Now& now, Recorder* recorder,
                  Tally& tally) {
  using Clock = std::chrono::steady_clock;
  std::shared_ptr<const Program> program;
  std::optional<EventReader> current;
  uint64_t version = 0;
  Scratch scratch;
  const DecideOptions how = decide_options(options);
  const bool colour = wants_colour(stdout);
  std::string line;
  for (uint64_t event = 1;; ++event) {
    if (options.watch) std::fflush(stdout);  // somebody may wait for the answer before sending the next event
    if (!std::getline(in, line)) return true;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (live.version() != version) {
      const auto pin = live.pin();
      version = pin.version();
      program = pin.shared();
      current.emplace(program, now, complain);
    }
    EventReader& reader = *current;
    if (options.watch) reader.set_now(wall_clock());  // a service, not a replay
    if (auto wrong = reader.read(line)) {
      ++tally.malformed;
      if (options.json) {
        fmt::print("{}\n", error_json(event, wrong->code, wrong->message));
      } else {
        fmt::print("{:>5}  malformed: {}\n", event, wrong->message);
      }
      continue;
    }
    const auto start = Clock::now();
    const Decision decision = decide_all(reader.call(), reader.context(), scratch, how);
    tally.latency.add(
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count()));
    ++tally.effects[static_cast<size_t>(decision.effect)];
    if (options.json) {
      fmt::print("{}\n", decision_json(*program, event, reader.call().stage(), reader.capability(), decision));
    } else {
      print_line(*program, event, reader, decision, colour);
    }
    if (recorder != nullptr && !recorder->add(reader, decision)) return false;
  }
}

int run(const Options& options) {
  const Compilation compilation = compile(options.policies, standard_library());
  print(compilation.diagnostics);
  if (compilation.program == nullptr) return kUsage;
  if (options.engine == "jit" && !make_native(*compilation.program)) return kUsage;

  std::ifstream file;
  if (options.events != "-") {
    file.open(options.events);
    if (!file) {
      complain("cannot read " + options.events);
      return kUsage;
    }
  }
  std::unique_ptr<Recorder> recorder;
  if (!options.database.empty()) {
    recorder = Recorder::open(options.database);
    if (recorder == nullptr) return kUsage;
  }
  LiveProgram live(compilation.program);
  const auto watcher = options.watch ? watch(options, live) : nullptr;
  Tally tally;
  const Now now = wall_clock();
  const auto start = std::chrono::steady_clock::now();
  bool recorded = decide_lines(options.events == "-" ? std::cin : file, options, live, now, recorder.get(), tally);
  if (recorder != nullptr) recorded = recorder->close() && recorded;
  std::fflush(stdout);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  print_summary(options, tally, seconds.count(), now);
  if (!recorded) return kUsage;
  return tally.malformed == 0 ? kOk : kFindings;
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("eval", "Decide events (one JSON object a line) and say what and why");
  command->add_option("--policies", options->policies, "policy files, or directories searched for *.policy")
      ->required();
  command->add_option("--events", options->events, "a file of JSON lines, or - for standard input")->required();
  command
      ->add_option("--engine", options->engine, "what decides; with jit, everything is native before the first event")
      ->check(CLI::IsMember({"interpreter", "jit"}))
      ->capture_default_str();
  command->add_option("--default", options->fallback, "effect where no rule speaks, in the before stage")
      ->check(CLI::IsMember({"deny", "allow", "require_approval"}))
      ->default_str("deny");
  command->add_option("--db", options->database, "record every decision in this directory's audit log");
  command->add_flag("--json", options->json, "print one JSON object a decision");
  command->add_flag("--watch", options->watch,
                    "compile the policies again when they change, and go on with them; `now` is then the time of each "
                    "event");
  command->footer(
      "An event: {\"capability\": \"send_money\", \"input\": {...}, \"agent\": {\"id\": \"a-1\", \"roles\": "
      "[\"banker\"]}}\n"
      "Also: stage, output, principal, tenant, environment, session, resource, action, metadata, risk, now "
      "(docs/cli.md).\n"
      "The summary goes to standard error.\n"
      "Exit codes: 0 every line decided (denials included), 1 some lines malformed, 2 policies or usage wrong.");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace ordain::cli
