// ordain eval: decides recorded or hand-written events, one JSON line each, and says what and why.
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "analysis/line_stream.h"
#include "cli/command.h"
#include "cli/evaluator.h"
#include "cli/native_code.h"
#include "cli/policy_options.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
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
  uint64_t budget = Budget().cost;
  std::string native_cache;
  std::string database, key, checkpoints;
  uint32_t threads = std::max(1u, std::thread::hardware_concurrency());
  bool json = false;
  bool summary = false;
  bool watch = false;
  bool stories = false;
};

bool make_native_if_wanted(const Options& options, const Program& program) {
  return options.engine != "jit" || make_native(program, options.threads, options.native_cache);
}

void print_summary(const Options& options, const Tally& tally, double seconds, const TimeParts& now) {
  const uint64_t decided = tally.latency.count();
  print_error("{} decided: {} allow, {} require_approval, {} deny; {} malformed\n", decided, tally.effects[0],
              tally.effects[1], tally.effects[2], tally.malformed);
  print_error("{}: {:.0f} decisions/s end to end, deciding p50 {} ns, p99 {} ns; now = {}\n", options.engine,
              seconds > 0 ? static_cast<double>(decided) / seconds : 0.0, tally.latency.quantile(0.5),
              tally.latency.quantile(0.99), format_timestamp(now.seconds, now.nanos));
}

// Compiles the policies again when they change on disk, and puts them in force between one event and the next. Policies
// with errors are reported, and the old ones stay in force.
std::unique_ptr<PolicyWatcher> watch(const Options& options, LiveProgram& live) {
  auto load = [&options](const std::vector<std::string>& paths) {
    const Compilation compilation = compile(paths, standard_library());
    Policies out{compilation.program, render_for(stderr, compilation.diagnostics)};
    if (out && !make_native_if_wanted(options, *out.program)) out.program = nullptr;
    return out;
  };
  auto on_change = [&live](const PolicyChange& change) {
    write_error(change.messages);
    if (change.program != nullptr) live.publish(change.program);
    complain(change.program != nullptr ? fmt::format("reloaded; {} rules", change.program->rules().size())
                                       : "not reloaded: the policies before the change stay in force");
  };
  return std::make_unique<PolicyWatcher>(options.policies, live.current(), on_change, WatchOptions{.load = load});
}

// The file of events, or standard input.
class EventsFile {
 public:
  explicit EventsFile(const std::string& name)
      : descriptor_(name == "-" ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~EventsFile() {
    if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
  }
  EventsFile(const EventsFile&) = delete;
  EventsFile& operator=(const EventsFile&) = delete;

  int descriptor() const { return descriptor_; }  ///< negative if it cannot be opened
  /// Bytes to read; 0 if nobody knows.
  uint64_t size() const {
    struct stat what{};
    const bool known = fstat(descriptor_, &what) == 0 && S_ISREG(what.st_mode);
    return known ? static_cast<uint64_t>(what.st_size) : 0;
  }

 private:
  const int descriptor_;
};

// A bar is drawn for input that takes a while, unless decisions are printed where it would be.
bool wants_progress(const Options& options, uint64_t bytes) {
  return bytes > (1 << 20) && (options.summary || isatty(STDOUT_FILENO) == 0);
}

// Decides every line. False if reading or recording fails, after complaining, and if the decisions cannot be written.
bool decide_events(const EventsFile& events, const Options& options, const Evaluation& evaluation, Tally* tally) {
  constexpr size_t kChunkBytes = 256 * 1024;
  // Records are chained in the order of the events, and stories go on in it, so one thread makes them.
  const bool in_order = evaluation.recorder != nullptr || evaluation.stories != nullptr;
  const unsigned threads = in_order ? 1 : options.threads;
  std::vector<std::unique_ptr<Evaluator>> evaluators;
  for (unsigned i = 0; i < threads; ++i) evaluators.push_back(std::make_unique<Evaluator>(evaluation));
  const uint64_t bytes = events.size();
  uint64_t done = 0;
  bool written = true;
  ProgressBar progress(wants_progress(options, bytes));
  const auto work = [&](detail::Chunk& chunk, unsigned worker) { evaluators[worker]->decide_lines(chunk); };
  const auto write = [&](detail::Chunk& chunk) {
    written = try_write(chunk.out) && try_flush();
    done += chunk.text.size();
    progress.show(static_cast<double>(done) / static_cast<double>(std::max<uint64_t>(1, bytes)));
    return written && evaluators[0]->recorded();
  };
  const bool read = detail::stream_lines(events.descriptor(), threads, kChunkBytes, work, write);
  for (const auto& evaluator : evaluators) tally->add(evaluator->tally());
  const bool recorded = evaluators[0]->recorded();
  if (!read && recorded && written) complain(fmt::format("cannot read {}: {}", options.events, std::strerror(errno)));
  return read && recorded;
}

// Decides, and prints the summary. False as `decide_events` is.
bool decide_and_summarise(const EventsFile& events, const Options& options, const LiveProgram& live, Recorder* recorder,
                          Tally* tally) {
  Warnings warnings;
  const TimeParts now = timestamp_of_nanos(system_time_ns());
  const DecideOptions decide = decide_options(options.engine, options.fallback, options.budget);
  std::unique_ptr<detail::EventStories> stories;
  if (options.stories) {
    auto made = detail::EventStories::make(live.current(), decide, now);
    if (!made) {
      complain(made.error().message);
      return false;
    }
    stories = std::move(*made);
  }
  const Evaluation evaluation{
      .live = live,
      .now = now,
      .clock_per_event = options.watch,
      .decide = decide,
      .format = options.summary ? DecisionFormat::none
                : options.json  ? DecisionFormat::json
                                : DecisionFormat::text,
      .recorder = recorder,
      .stories = stories.get(),
      .warnings = &warnings,
  };
  const auto start = std::chrono::steady_clock::now();
  bool done = decide_events(events, options, evaluation, tally);
  if (recorder != nullptr) done = recorder->close() && done;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (done || tally->latency.count() != 0) print_summary(options, *tally, seconds.count(), evaluation.now);
  return done;
}

int run(Options options) {
  if (!options.native_cache.empty() && options.engine != "jit") {
    complain("--native-cache is for --engine jit");
    return kUsage;
  }
  options.engine = choose_engine(options.engine);
  const Compilation compilation = compile(options.policies, standard_library());
  print(compilation.diagnostics);
  if (compilation.program == nullptr || !make_native_if_wanted(options, *compilation.program)) return kUsage;
  const EventsFile events(options.events);
  if (events.descriptor() < 0) {
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
  if (!decide_and_summarise(events, options, live, recorder.get(), &tally)) return kUsage;
  return tally.malformed == 0 ? kOk : kFindings;
}

}  // namespace

void add_eval(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("eval", "Decide events (one JSON object a line) and say what and why");
  add_policies_option(command, options->policies);
  add_events_option(command, options->events);
  add_engine_option(command, options->engine, "what decides; with jit, everything is native before the first event");
  command
      .add_option("--native-cache", options->native_cache,
                  "with --engine jit: a directory of your own where native code is kept for the next run")
      .names_directory();
  add_default_option(command, options->fallback);
  add_budget_option(command, options->budget);
  command.add_option("--db", options->database, "record every decision in this directory's audit log")
      .names_directory();
  command.add_option("--key", options->key, "with --db: the operator's private key file; the record is signed with it")
      .names_file()
      .needs("--db");
  command.add_option("--checkpoint", options->checkpoints, "with --key: append each checkpoint to this file too")
      .names_file()
      .needs("--key");
  command.add_option("--threads", options->threads, "how many threads decide; output stays in order")
      .in_range(1, 256)
      .show_default();
  command.add_flag("--json", options->json, "print one JSON object a decision");
  command.add_flag("--summary", options->summary, "print no decisions, only the summary");
  Option watches = command.add_flag(
      "--watch", options->watch,
      "compile the policies again when they change, and go on with them; `now` is then the time of each "
      "event");
  command
      .add_flag("--stories", options->stories,
                "decide each event with what those before it left: an event of the stage after says how a call ended")
      .excludes(watches);
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
