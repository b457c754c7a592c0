// ordain replay and ordain diff: what other policies would have decided about past calls.
#include "ordain/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/policy_options.h"
#include "cli/progress.h"
#include "cli/rule_diff.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

struct Options {
  std::string database, events;
  std::string old_path, new_path;  // of `diff OLD NEW`
  std::vector<std::string> policies, against;
  std::string fallback, now;
  uint64_t budget = Budget().cost;
  size_t limit = 3;
  unsigned threads = 0;
  bool json = false, strict = false;
};

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
    case ReplayChange::approval_terms:
      return "approval terms";
    case ReplayChange::state:
      return "state differs";
    default:
      return "unchanged";
  }
}

int colour_of(ReplayChange change) {
  return change == ReplayChange::newly_denied ? 31 : change == ReplayChange::newly_allowed ? 32 : 33;
}

std::string dash(const std::string& text) { return text.empty() ? "-" : terminal_text(text); }

std::string verdict_text(const ReplayVerdict& verdict) {
  std::string out = fmt::format("{} by {}: {}", to_string(verdict.effect), verdict.rule, verdict.reason);
  for (const std::string& obligation : verdict.obligations) out += "; " + obligation;
  if (!verdict.has_terms) return out;
  if (!verdict.from.empty()) out += "; from " + join_with_commas(verdict.from);
  if (verdict.expires_seconds != 0) out += fmt::format("; expires {}s", verdict.expires_seconds);
  for (const AskingRule& rule : verdict.approvals) {
    if (rule.need < rule.from.size()) out += fmt::format("; {} of {}", rule.need, join_with_commas(rule.from));
    if (!rule.distinct) out += "; not distinct";
  }
  return out;
}

void print_example(const ReplayExample& example, bool recorded) {
  print_out("      {} {}  {} {}{}{}\n", recorded ? "record" : "event", example.number, to_string(example.stage),
            example.capability, example.agent.empty() ? "" : "  by " + example.agent,
            example.approval.empty() ? "" : "  approval " + example.approval);
  if (!example.why.empty()) {
    print_out("        {}\n", example.why);
    return;
  }
  print_out("        old  {}\n        new  {}\n", verdict_text(example.old_verdict), verdict_text(example.new_verdict));
}

void print_groups(const ReplayReport& report, bool recorded) {
  if (report.groups.empty()) return;
  size_t old_width = 8, new_width = 8;
  for (const ReplayGroup& group : report.groups) {
    old_width = std::max(old_width, dash(group.old_rule).size());
    new_width = std::max(new_width, dash(group.new_rule).size());
  }
  const std::vector<Column> columns = {
      {"change", 15}, {"calls", 10, 0, true}, {"old rule", old_width + 1, 12}, {"new rule", new_width, 12}};
  const TableLayout layout(columns, terminal_width(stdout));
  const bool colour = wants_colour(stdout);
  write_out("\n" + layout.heading());
  for (const ReplayGroup& group : report.groups) {
    write_out(layout.line_of({{heading(group.change), colour_of(group.change)},
                              std::to_string(group.count),
                              dash(group.old_rule),
                              dash(group.new_rule)},
                             colour));
    for (const ReplayExample& example : group.examples) print_example(example, recorded);
  }
}

void print_text(const ReplayReport& report, bool recorded) {
  for (size_t i = 0; i < kReplayChanges; ++i) {
    const auto change = static_cast<ReplayChange>(i);
    if (change == ReplayChange::state && !report.folds_state) continue;
    const double share =
        report.decided == 0 ? 0 : 100.0 * static_cast<double>(report.counts[i]) / static_cast<double>(report.decided);
    print_out("{:<15} {:>10}  {:>5.1f} %\n", heading(change), report.counts[i], share);
  }
  if (report.folds_state) {
    print_out("{:<15} {:>10}  calls that change only because of what calls before them would have done\n", "knock-on",
              report.knock_on);
    print_out("{:<15} {:>10}  outcomes of calls that would have been denied\n", "not reached", report.not_reached);
    if (recorded)
      print_out("{:<15} {:>10}  reads of state that the records hold too\n", "compared", report.state_reads);
  }
  print_groups(report, recorded);
  print_error("{} calls decided, {} records without a decision, {} malformed lines; {:.0f} records/s\n", report.decided,
              report.skipped, report.malformed,
              report.seconds > 0 ? static_cast<double>(report.decided + report.skipped) / report.seconds : 0.0);
}

std::string asking_json(const AskingRule& rule) {
  std::string out = "{\"from\": [";
  for (const std::string& group : rule.from) {
    if (out.back() != '[') out += ", ";
    out += json_text(group);
  }
  return out + fmt::format("], \"need\": {}, \"distinct\": {}, \"expires_seconds\": {}}}", rule.need, rule.distinct,
                           rule.expires_seconds == 0 ? "null" : fmt::format("{}", rule.expires_seconds));
}

std::string verdict_json(const ReplayVerdict& verdict) {
  std::string out = fmt::format("{{\"effect\": \"{}\", \"rule\": {}, \"reason\": {}, \"obligations\": [",
                                to_string(verdict.effect), json_text(verdict.rule), json_text(verdict.reason));
  for (const std::string& obligation : verdict.obligations) {
    if (out.back() != '[') out += ", ";
    out += json_text(obligation);
  }
  out += "]";
  if (verdict.has_terms) {
    out += ", \"from\": [";
    for (const std::string& group : verdict.from) {
      if (out.back() != '[') out += ", ";
      out += json_text(group);
    }
    out += "], \"expires_seconds\": " +
           (verdict.expires_seconds == 0 ? "null" : fmt::format("{}", verdict.expires_seconds));
    out += ", \"approvals\": [";
    for (const AskingRule& rule : verdict.approvals) {
      if (out.back() != '[') out += ", ";
      out += asking_json(rule);
    }
    out += "]";
  }
  return out + "}";
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
  std::string out = fmt::format("{{\"decided\": {}, \"skipped\": {}, \"malformed\": {}", report.decided, report.skipped,
                                report.malformed);
  for (size_t i = 0; i < kReplayChanges; ++i) {
    out += fmt::format(", \"{}\": {}", to_string(static_cast<ReplayChange>(i)), report.counts[i]);
  }
  if (report.folds_state) {
    out += fmt::format(", \"knock_on\": {}, \"not_reached\": {}, \"state_reads\": {}", report.knock_on,
                       report.not_reached, report.state_reads);
  }
  out += ", \"groups\": [";
  const char* separator = "";
  for (const ReplayGroup& group : report.groups) {
    out += fmt::format("{}{{\"change\": \"{}\", \"old_rule\": {}, \"new_rule\": {}, \"count\": {}, \"examples\": [",
                       separator, to_string(group.change), json_text(group.old_rule), json_text(group.new_rule),
                       group.count);
    separator = ", ";
    for (size_t i = 0; i < group.examples.size(); ++i) {
      out += (i == 0 ? "" : ", ") + example_json(group.examples[i]);
    }
    out += "]}";
  }
  write_out(out + "]}\n");
}

// Lets the bar show how much of `total` is done. A total of 0 is unknown, and shows nothing.
void show_progress(uint64_t total, ProgressBar* bar, ReplayOptions* how) {
  if (total == 0) return;
  how->progress = [total, bar](uint64_t done) { bar->show(static_cast<double>(done) / static_cast<double>(total)); };
}

Result<ReplayReport> replay_database(const Options& options, const std::shared_ptr<const Program>& program,
                                     const std::shared_ptr<const Program>& against, ReplayOptions& how) {
  auto log = AuditLog::open(options.database);
  if (!log) return log.error();
  auto count = log->count();
  if (!count) return count.error();
  ProgressBar bar;
  show_progress(*count, &bar, &how);
  return replay(*log, program, against, how);
}

Result<ReplayReport> replay_file(const Options& options, const std::shared_ptr<const Program>& program,
                                 const std::shared_ptr<const Program>& against, ReplayOptions& how) {
  auto input = Input::open(options.events);
  if (!input) return input.error();
  std::error_code unknown;
  const auto size = std::filesystem::file_size(options.events, unknown);
  ProgressBar bar;
  show_progress(unknown ? 0 : size, &bar, &how);
  return replay(input->stream(), program, against, how);
}

bool read_options(const Options& options, ReplayOptions* how) {
  how->decide = decide_options("interpreter", options.fallback, options.budget);
  how->examples = options.limit;
  how->threads = options.threads;
  if (options.now.empty()) return true;
  const auto now_ns = parse_time_option("--now", options.now);
  if (!now_ns) {
    complain(now_ns.error().message);
    return false;
  }
  how->now_ns = *now_ns;
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

// `diff`: by events if there are any, otherwise rule by rule.
int run_diff(Options options) {
  if (!options.old_path.empty()) options.against.push_back(options.old_path);
  if (!options.new_path.empty()) options.policies.push_back(options.new_path);
  if (options.against.empty() || options.policies.empty()) {
    complain("which policies are to be compared? Give OLD and NEW, or --against OLD and --policies NEW");
    return kUsage;
  }
  if (!options.events.empty()) return run(options);
  const auto older = compiled(options.against);
  if (older == nullptr) return kUsage;
  const auto newer = compiled(options.policies);
  if (newer == nullptr) return kUsage;
  return show_rule_diff(*older, *newer, options.json);
}

constexpr const char* kNewPolicies = "the new policies: files, or directories searched for *.policy";

void add_common(Command command, const std::shared_ptr<Options>& options) {
  add_default_option(command, options->fallback, "effect where no rule speaks, in the before stage, on both sides");
  add_budget_option(command, options->budget);
  command.add_option("--now", options->now, "the time of events that do not say theirs (RFC 3339)");
  command.add_option("--limit", options->limit, "examples shown of each kind of change").show_default();
  command.add_option("--threads", options->threads, "threads that decide; 0: as many as there are cores")
      .in_range(0, 1024);
  command.add_flag("--strict", options->strict, "count indeterminate calls as changed");
  command.add_flag("--json", options->json, "print one JSON object");
  command.set_footer(
      "Only what was recorded counts: its clock, its approvals. A rule that reads a value which was redacted, or a "
      "time\n"
      "that an event does not say, makes the call indeterminate unless the rest of the rules settles it.\n"
      "Histories, rates, budgets and labels of the policies are made anew from the calls; docs/history.md says how.\n"
      "Exit codes: 0 nothing changed, 1 something changed (or a line is not an event; with --strict, or something is\n"
      "indeterminate), 2 could not run.");
}

}  // namespace

void add_replay(Command parent) {
  auto options = std::make_shared<Options>();
  Command replay = parent.add_command("replay", "Decide recorded calls again, and say what new policies would change");
  replay.add_option("--audit", options->database, "the database directory whose audit log holds the calls")
      .names_directory();
  replay.add_option("--events", options->events, "or a file of events, JSON lines; - for standard input").names_file();
  replay
      .add_option("--against", options->against,
                  "the old policies; without them the recorded verdict is compared (--audit)")
      .names_file();
  add_policies_option(replay, options->policies, kNewPolicies);
  add_common(replay, options);
  replay.set_action([options] { return run(*options); });

  auto pair = std::make_shared<Options>();
  Command diff =
      parent.add_command("diff", "Say what differs between two sets of policies: in rules, or by deciding events");
  diff.add_option("OLD", pair->old_path, "the old policies: a file, or a directory").names_file();
  diff.add_option("NEW", pair->new_path, "the new policies: a file, or a directory").names_file();
  diff.add_option("--against", pair->against, "or the old policies, in several files").names_file();
  diff.add_option("--policies", pair->policies, "or the new policies, in several files").names_file();
  diff.add_option("--events", pair->events,
                  "decide these events, JSON lines; - for standard input. Without it, rules are compared")
      .names_file();
  add_common(diff, pair);
  diff.set_action([pair] { return run_diff(*pair); });
}

}  // namespace ordain::cli
