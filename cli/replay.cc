// ordain replay, ordain diff: what other policies would have said of the calls that were.
#include "ordain/replay.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/command.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
#include "ordain/handlers.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string database, events;
  std::vector<std::string> policies, against;
  std::string fallback, now;
  size_t limit = 3;
  unsigned threads = 0;
  bool json = false, strict = false;
};

/// A line that is drawn over itself, on a terminal only.
class Progress {
 public:
  explicit Progress(uint64_t total) : total_(total), shown_(isatty(STDERR_FILENO) != 0 && total > 0) {}
  void show(uint64_t done) const {
    if (!shown_) return;
    constexpr uint64_t kWidth = 40;
    const uint64_t part = std::min(done, total_);
    const auto filled = static_cast<size_t>(part * kWidth / total_);
    fmt::print(stderr, "\r[{}{}] {:>3} %", std::string(filled, '#'), std::string(kWidth - filled, '.'),
               part * 100 / total_);
  }
  void clear() const {
    if (shown_) fmt::print(stderr, "\r{}\r", std::string(50, ' '));
  }

 private:
  const uint64_t total_;
  const bool shown_;
};

int fail(const Error& error) {
  complain(error.message);
  return kUsage;
}

std::shared_ptr<const Program> compiled(const std::vector<std::string>& paths) {
  Compilation compilation = compile(paths, standard_library());
  print(compilation.diagnostics);
  return compilation.program;
}

const char* heading(ReplayChange change) {
  switch (change) {
    case ReplayChange::newly_denied:
      return "newly denied";
    case ReplayChange::newly_allowed:
      return "newly allowed";
    case ReplayChange::newly_approval:
      return "newly approval";
    case ReplayChange::obligations:
      return "obligations";
    case ReplayChange::indeterminate:
      return "indeterminate";
    default:
      return "unchanged";
  }
}

int colour_of(ReplayChange change) {
  return change == ReplayChange::newly_denied ? 31 : change == ReplayChange::newly_allowed ? 32 : 33;
}

std::string dash(const std::string& text) { return text.empty() ? "-" : terminal_text(text); }

std::string said(const ReplayVerdict& verdict) {
  std::string out = fmt::format("{} by {}: {}", to_string(verdict.effect), verdict.rule, terminal_text(verdict.reason));
  for (const std::string& obligation : verdict.obligations) out += "; " + terminal_text(obligation);
  return out;
}

void print_example(const ReplayExample& example, bool recorded) {
  fmt::print("      {} {}  {} {}{}{}\n", recorded ? "record" : "event", example.number, to_string(example.stage),
             terminal_text(example.capability), example.agent.empty() ? "" : "  by " + terminal_text(example.agent),
             example.approval.empty() ? "" : "  approval " + terminal_text(example.approval));
  if (!example.why.empty()) {
    fmt::print("        {}\n", terminal_text(example.why));
    return;
  }
  fmt::print("        old  {}\n        new  {}\n", said(example.old_verdict), said(example.new_verdict));
}

void print_groups(const ReplayReport& report, bool recorded) {
  if (report.groups.empty()) return;
  size_t old_width = 8, new_width = 8;
  for (const ReplayGroup& group : report.groups) {
    old_width = std::max(old_width, dash(group.old_rule).size());
    new_width = std::max(new_width, dash(group.new_rule).size());
  }
  const bool colour = wants_colour(stdout);
  fmt::print("\n{:<15} {:>10}  {:<{}}  {:<{}}\n", "change", "calls", "old rule", old_width, "new rule", new_width);
  for (const ReplayGroup& group : report.groups) {
    fmt::print("{} {:>10}  {:<{}}  {:<{}}\n",
               coloured(fmt::format("{:<15}", heading(group.change)), colour_of(group.change), colour), group.count,
               dash(group.old_rule), old_width, dash(group.new_rule), new_width);
    for (const ReplayExample& example : group.examples) print_example(example, recorded);
  }
}

void print_text(const ReplayReport& report, bool recorded) {
  for (size_t i = 0; i < kReplayChanges; ++i) {
    const auto change = static_cast<ReplayChange>(i);
    const double share =
        report.decided == 0 ? 0 : 100.0 * static_cast<double>(report.counts[i]) / static_cast<double>(report.decided);
    fmt::print("{:<15} {:>10}  {:>5.1f} %\n", heading(change), report.counts[i], share);
  }
  print_groups(report, recorded);
  fmt::print(stderr, "{} calls decided, {} records without a decision, {} malformed lines; {:.0f} records/s\n",
             report.decided, report.skipped, report.malformed,
             report.seconds > 0 ? static_cast<double>(report.decided + report.skipped) / report.seconds : 0.0);
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string verdict_json(const ReplayVerdict& verdict) {
  std::string out = fmt::format("{{\"effect\": \"{}\", \"rule\": {}, \"reason\": {}, \"obligations\": [",
                                to_string(verdict.effect), json_text(verdict.rule), json_text(verdict.reason));
  for (const std::string& obligation : verdict.obligations) {
    if (out.back() != '[') out += ", ";
    out += json_text(obligation);
  }
  return out + "]}";
}

std::string example_json(const ReplayExample& example) {
  std::string out =
      fmt::format("{{\"number\": {}, \"stage\": \"{}\", \"capability\": {}, \"agent\": {}, ", example.number,
                  to_string(example.stage), json_text(example.capability), json_text(example.agent));
  if (!example.approval.empty()) out += fmt::format("\"approval\": {}, ", json_text(example.approval));
  if (!example.why.empty()) return out + fmt::format("\"why\": {}}}", json_text(example.why));
  return out + fmt::format("\"old\": {}, \"new\": {}}}", verdict_json(example.old_verdict),
                           verdict_json(example.new_verdict));
}

void print_json(const ReplayReport& report) {
  fmt::print("{{\"decided\": {}, \"skipped\": {}, \"malformed\": {}", report.decided, report.skipped, report.malformed);
  for (size_t i = 0; i < kReplayChanges; ++i) {
    fmt::print(", \"{}\": {}", to_string(static_cast<ReplayChange>(i)), report.counts[i]);
  }
  fmt::print(", \"groups\": [");
  const char* separator = "";
  for (const ReplayGroup& group : report.groups) {
    fmt::print("{}{{\"change\": \"{}\", \"old_rule\": {}, \"new_rule\": {}, \"count\": {}, \"examples\": [", separator,
               to_string(group.change), json_text(group.old_rule), json_text(group.new_rule), group.count);
    separator = ", ";
    for (size_t i = 0; i < group.examples.size(); ++i) {
      fmt::print("{}{}", i == 0 ? "" : ", ", example_json(group.examples[i]));
    }
    fmt::print("]}}");
  }
  fmt::print("]}}\n");
}

Result<ReplayReport> replay_database(const Options& options, const std::shared_ptr<const Program>& program,
                                     const std::shared_ptr<const Program>& against, ReplayOptions& how) {
  auto log = AuditLog::open(options.database);
  if (!log) return log.error();
  auto count = log->count();
  if (!count) return count.error();
  const Progress progress(*count);
  how.progress = [&progress](uint64_t done) { progress.show(done); };
  auto report = replay(*log, program, against, how);
  progress.clear();
  return report;
}

Result<ReplayReport> replay_file(const Options& options, const std::shared_ptr<const Program>& program,
                                 const std::shared_ptr<const Program>& against, ReplayOptions& how) {
  if (options.events == "-") return replay(std::cin, program, against, how);
  std::ifstream file(options.events, std::ios::binary);
  if (!file) return Error{"unreadable", "cannot read " + options.events};
  std::error_code unknown;
  const auto size = std::filesystem::file_size(options.events, unknown);
  const Progress progress(unknown ? 0 : size);
  how.progress = [&progress](uint64_t done) { progress.show(done); };
  auto report = replay(file, program, against, how);
  progress.clear();
  return report;
}

bool read_options(const Options& options, ReplayOptions* how) {
  how->decide.interpret_only = true;
  if (options.fallback == "allow") how->decide.default_before = Effect::allow;
  if (options.fallback == "require_approval") how->decide.default_before = Effect::require_approval;
  how->examples = options.limit;
  how->threads = options.threads;
  if (options.now.empty()) return true;
  TimeParts parts;
  int64_t nanos = 0;
  if (!parse_timestamp(options.now, &parts) || __builtin_mul_overflow(parts.seconds, int64_t{1'000'000'000}, &nanos) ||
      __builtin_add_overflow(nanos, int64_t{parts.nanos}, &nanos)) {
    complain("--now: an RFC 3339 timestamp is needed, such as 2026-05-01T12:00:00Z");
    return false;
  }
  how->now_ns = nanos;
  return true;
}

int run(const Options& options) {
  if (options.database.empty() == options.events.empty()) {
    complain("what is to be decided again? Give either --audit DIR or --events FILE");
    return kUsage;
  }
  if (!options.events.empty() && options.against.empty()) {
    complain("events hold no verdict to compare with; give --against OLD (a log holds its own: --audit DIR)");
    return kUsage;
  }
  ReplayOptions how;
  if (!read_options(options, &how)) return kUsage;
  const auto program = compiled(options.policies);
  if (program == nullptr) return kUsage;
  std::shared_ptr<const Program> against;
  if (!options.against.empty() && (against = compiled(options.against)) == nullptr) return kUsage;
  auto report = options.events.empty() ? replay_database(options, program, against, how)
                                       : replay_file(options, program, against, how);
  if (!report) return fail(report.error());
  if (options.json) {
    print_json(*report);
  } else {
    print_text(*report, options.events.empty());
  }
  if (!report->first_malformed.empty()) complain(report->first_malformed);
  const bool unsure = options.strict && report->counts[static_cast<size_t>(ReplayChange::indeterminate)] != 0;
  return report->changed() != 0 || report->malformed != 0 || unsure ? kFindings : kOk;
}

void add_common(Command command, const std::shared_ptr<Options>& options) {
  command.add_option("--policies", options->policies, "the new policies: files, or directories searched for *.policy")
      .required();
  command.add_option("--default", options->fallback, "effect where no rule speaks, in the before stage, on both sides")
      .one_of({"deny", "allow", "require_approval"})
      .show_default("deny");
  command.add_option("--now", options->now, "the time of events that do not say theirs (RFC 3339)");
  command.add_option("--limit", options->limit, "examples shown of each kind of change").show_default();
  command.add_option("--threads", options->threads, "threads that decide; 0: as many as there are cores")
      .in_range(0, 1024);
  command.add_flag("--strict", options->strict, "what cannot be known counts as changed");
  command.add_flag("--json", options->json, "print one JSON object");
  command.set_footer(
      "Only what was recorded counts: its clock, its approvals. A rule that reads a value which was redacted, or a "
      "time\n"
      "that an event does not say, makes the call indeterminate unless the rest of the rules settles it.\n"
      "Exit codes: 0 nothing changed, 1 something changed (or a line is no event; with --strict, or something is\n"
      "indeterminate), 2 could not run.");
  command.set_action([options] { return run(*options); });
}

}  // namespace

void add_replay(Command parent) {
  auto options = std::make_shared<Options>();
  Command replay = parent.add_command("replay", "Decide recorded calls again, and say what new policies would change");
  replay.add_option("--audit", options->database, "the database directory whose audit log holds the calls");
  replay.add_option("--events", options->events, "or a file of events, JSON lines; - for standard input");
  replay.add_option("--against", options->against,
                    "the old policies; without them the recorded verdict is compared (--audit)");
  add_common(replay, options);

  auto pair = std::make_shared<Options>();
  Command diff = parent.add_command("diff", "Say what differs between two sets of policies, by deciding events");
  diff.add_option("--against", pair->against, "the old policies").required();
  diff.add_option("--events", pair->events, "a file of events, JSON lines; - for standard input").required();
  add_common(diff, pair);
}

}  // namespace ordain::cli
