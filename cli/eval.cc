// ordain eval: decides recorded or hand-written events, one JSON line each, and says what and why.
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "analysis/line_stream.h"
#include "cli/command.h"
#include "cli/native_code.h"
#include "cli/record.h"
#include "cli/shared.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
#include "ordain/decide_many.h"
#include "ordain/latency.h"
#include "ordain/live_program.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"
#include "ordain/watch.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> policies;
  std::string events;
  std::string engine = "interpreter";
  std::string fallback;  // --default
  std::string native_cache;
  std::string database, key, checkpoints;
  uint32_t threads = std::max(1u, std::thread::hardware_concurrency());
  bool json = false;
  bool summary = false;
  bool watch = false;
};

struct Tally {
  std::array<uint64_t, 3> effects{};  // by Effect
  uint64_t malformed = 0;
  LatencyHistogram latency;

  void add(const Tally& other) {
    for (size_t i = 0; i < effects.size(); ++i) effects[i] += other.effects[i];
    malformed += other.malformed;
    latency.add(other.latency);
  }
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

void append_line(std::string& out, const Program& program, uint64_t event, const EventReader& reader,
                 const Decision& decision, bool colour) {
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
  out += fmt::format("{:>5}  {:<6}  {} {:<30} {:<28} {}{}\n", event, to_string(reader.call().stage()), effect,
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
    if (out && options.engine == "jit" && !make_native(*out.program, options.threads, options.native_cache))
      out.program = nullptr;
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

// Tells each warning once, whichever thread has it.
class Warnings {
 public:
  void tell(const std::string& message) {
    const std::lock_guard lock(mutex_);
    if (told_.insert(message).second) complain(message);
  }

 private:
  std::mutex mutex_;
  std::set<std::string> told_;
};

// One thread's share of the work: reads events, decides them, writes what is to be printed. Each by the program that is
// current when it is read.
class Evaluator {
 public:
  Evaluator(const Options& options, const LiveProgram& live, const Now& now, Warnings& warnings, Recorder* recorder)
      : options_(options),
        live_(live),
        now_(now),
        warnings_(warnings),
        how_(decide_options(options)),
        recorder_(recorder),
        colour_(wants_colour(stdout)) {}

  const Tally& tally() const { return tally_; }
  bool recorded() const { return recorded_; }

  void work(detail::Chunk& chunk) {
    rest_ = chunk.text;
    event_ = chunk.first_line - 1;
    // A summary needs no list of every rule that matches.
    const DecideManyOptions how{.decide = how_, .all = !options_.summary || recorder_ != nullptr};
    decide_many([&] { return next(chunk.out); },
                [&](size_t, const Decision& decision) {
                  add_latency();
                  decided(decision, chunk.out);
                },
                how);
  }

 private:
  using Clock = std::chrono::steady_clock;

  EventReader& reader() {
    if (reader_ && live_.version() == version_) return *reader_;
    const auto pin = live_.pin();
    version_ = pin.version();
    program_ = pin.shared();
    return reader_.emplace(program_, now_, [this](const std::string& message) { warnings_.tell(message); });
  }

  // The next line that is a call; says of the others that they are malformed.
  const CallInContext* next(std::string& out) {
    while (!rest_.empty() && recorded_) {
      const size_t end = std::min(rest_.find('\n'), rest_.size());
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++event_;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      EventReader& reader = this->reader();
      if (options_.watch) reader.set_now(wall_clock());  // a service, not a replay
      if (auto wrong = reader.read(line)) {
        malformed(*wrong, out);
        continue;
      }
      asked_ = {&reader.call(), &reader.context()};
      asked_at_ = Clock::now();
      return &asked_;
    }
    return nullptr;
  }

  void malformed(const EventError& wrong, std::string& out) {
    ++tally_.malformed;
    if (options_.summary) return;
    out += options_.json ? error_json(event_, wrong.code, wrong.message) + "\n"
                         : fmt::format("{:>5}  malformed: {}\n", event_, wrong.message);
  }

  void add_latency() {
    const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - asked_at_);
    tally_.latency.add(static_cast<uint64_t>(took.count()));
  }

  void decided(const Decision& decision, std::string& out) {
    ++tally_.effects[static_cast<size_t>(decision.effect)];
    if (recorder_ != nullptr) recorded_ = recorder_->add(*reader_, decision);
    if (options_.summary) return;
    if (options_.json) {
      out += decision_json(*program_, event_, reader_->call().stage(), reader_->capability(), decision) + "\n";
    } else {
      append_line(out, *program_, event_, *reader_, decision, colour_);
    }
  }

  const Options& options_;
  const LiveProgram& live_;
  const Now now_;
  Warnings& warnings_;
  std::shared_ptr<const Program> program_;
  std::optional<EventReader> reader_;
  uint64_t version_ = 0;
  std::string_view rest_;  ///< of the chunk under way
  uint64_t event_ = 0;     ///< its line
  CallInContext asked_;
  Clock::time_point asked_at_;
  DecideOptions how_;
  Recorder* recorder_;
  bool colour_;
  bool recorded_ = true;
  Tally tally_;
};

// A bar on a terminal, for input whose size is known, unless decisions are printed there.
class ProgressBar {
 public:
  ProgressBar(int descriptor, bool printing) {
    struct stat what{};
    const bool sized = fstat(descriptor, &what) == 0 && S_ISREG(what.st_mode) && what.st_size > (1 << 20);
    if (sized && isatty(STDERR_FILENO) != 0 && !(printing && isatty(STDOUT_FILENO) != 0)) {
      total_ = static_cast<double>(what.st_size);
    }
  }
  ~ProgressBar() {
    if (shown_ >= 0) fmt::print(stderr, "\r\033[K");
  }
  void advance(size_t bytes) {
    done_ += static_cast<double>(bytes);
    const int percent = total_ > 0 ? static_cast<int>(100 * done_ / total_) : shown_;
    if (percent == shown_) return;
    shown_ = percent;
    const auto filled = static_cast<size_t>(std::min(percent, 100) * 2 / 5);
    fmt::print(stderr, "\r[{:<40}] {:>3} %", std::string(filled, '#'), percent);
    std::fflush(stderr);
  }

 private:
  double total_ = 0, done_ = 0;
  int shown_ = -1;
};

// Decides every line. False, after complaining, if reading or recording fails.
bool decide_lines(int descriptor, const Options& options, const LiveProgram& live, const Now& now, Recorder* recorder,
                  Tally& tally) {
  constexpr size_t kChunkBytes = 256 * 1024;
  // Records are chained in the order of the events, so one thread makes them.
  const unsigned threads = recorder != nullptr ? 1 : options.threads;
  Warnings warnings;
  std::vector<std::unique_ptr<Evaluator>> evaluators;
  for (unsigned i = 0; i < threads; ++i) {
    evaluators.push_back(std::make_unique<Evaluator>(options, live, now, warnings, recorder));
  }
  ProgressBar progress(descriptor, !options.summary);
  const bool read = detail::stream_lines(
      descriptor, threads, kChunkBytes, [&](detail::Chunk& chunk, unsigned worker) { evaluators[worker]->work(chunk); },
      [&](detail::Chunk& chunk) {
        if (!chunk.out.empty()) {
          std::fwrite(chunk.out.data(), 1, chunk.out.size(), stdout);
          std::fflush(stdout);
        }
        progress.advance(chunk.text.size());
        return recorder == nullptr || evaluators[0]->recorded();
      });
  for (const auto& evaluator : evaluators) tally.add(evaluator->tally());
  const bool recorded = evaluators[0]->recorded();
  if (!read && recorded) complain(fmt::format("cannot read {}: {}", options.events, std::strerror(errno)));
  return read && recorded;
}

int run(const Options& options) {
  if (!options.native_cache.empty() && options.engine != "jit") {
    complain("--native-cache is for --engine jit");
    return kUsage;
  }
  const Compilation compilation = compile(options.policies, standard_library());
  print(compilation.diagnostics);
  if (compilation.program == nullptr) return kUsage;
  if (options.engine == "jit" && !make_native(*compilation.program, options.threads, options.native_cache))
    return kUsage;

  const bool piped = options.events == "-";
  const int events = piped ? STDIN_FILENO : ::open(options.events.c_str(), O_RDONLY | O_CLOEXEC);
  if (events < 0) {
    complain(fmt::format("cannot read {}: {}", options.events, std::strerror(errno)));
    return kUsage;
  }
  std::unique_ptr<Recorder> recorder;
  if (!options.database.empty()) {
    recorder = Recorder::open({options.database, options.key, options.checkpoints});
    if (recorder == nullptr) return kUsage;
  }
  LiveProgram live(compilation.program);
  const auto watcher = options.watch ? watch(options, live) : nullptr;
  Tally tally;
  const Now now = wall_clock();
  const auto start = std::chrono::steady_clock::now();
  bool recorded = decide_lines(events, options, live, now, recorder.get(), tally);
  if (!piped) ::close(events);
  if (recorder != nullptr) recorded = recorder->close() && recorded;
  std::fflush(stdout);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  print_summary(options, tally, seconds.count(), now);
  if (!recorded) return kUsage;
  return tally.malformed == 0 ? kOk : kFindings;
}

}  // namespace

void add_eval(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("eval", "Decide events (one JSON object a line) and say what and why");
  command.add_option("--policies", options->policies, "policy files, or directories searched for *.policy").required();
  command.add_option("--events", options->events, "a file of JSON lines, or - for standard input").required();
  command.add_option("--engine", options->engine, "what decides; with jit, everything is native before the first event")
      .one_of({"interpreter", "jit"})
      .show_default();
  command.add_option("--native-cache", options->native_cache,
                     "with --engine jit: a directory of your own where native code is kept for the next run");
  command.add_option("--default", options->fallback, "effect where no rule speaks, in the before stage")
      .one_of({"deny", "allow", "require_approval"})
      .show_default("deny");
  command.add_option("--db", options->database, "record every decision in this directory's audit log");
  command.add_option("--key", options->key, "with --db: the operator's private key file; the record is signed with it")
      .needs("--db");
  command.add_option("--checkpoint", options->checkpoints, "with --key: append each checkpoint to this file too")
      .needs("--key");
  command.add_option("--threads", options->threads, "how many threads decide; output stays in order")
      .in_range(1, 256)
      .show_default();
  command.add_flag("--json", options->json, "print one JSON object a decision");
  command.add_flag("--summary", options->summary, "print no decisions, only the summary");
  command.add_flag("--watch", options->watch,
                   "compile the policies again when they change, and go on with them; `now` is then the time of each "
                   "event");
  command.set_footer(
      "An event: {\"capability\": \"send_money\", \"input\": {...}, \"agent\": {\"id\": \"a-1\", \"roles\": "
      "[\"banker\"]}}\n"
      "Also: stage, output, principal, tenant, environment, session, resource, action, metadata, risk, now "
      "(docs/cli.md).\n"
      "The summary goes to standard error.\n"
      "Exit codes: 0 every line decided (denials included), 1 some lines malformed, 2 policies or usage wrong.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
