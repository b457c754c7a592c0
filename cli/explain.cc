// ordain explain: prints for each event what every rule of its capability and stage came to, and why.
#include "analysis/explain.h"
#include "analysis/event_stories.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/policy_options.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/compile.h"
#include "ordain/decision_json.h"
#include "ordain/event.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"
#include "ordain/what_if.h"

namespace ordain::cli {
namespace {

using detail::Explainer;
using detail::FalsePart;
using detail::RuleOutcome;

struct Options {
  std::vector<std::string> policies;
  std::string events, fallback;
  uint64_t budget = Budget().cost;
  bool json = false;
  bool no_changes = false;
  bool stories = false;
};

// What there is to say about one event.
struct Explanation {
  uint64_t line = 0;
  const EventReader& reader;
  const Decision& decision;
  const std::vector<RuleOutcome>& outcomes;
  const std::vector<DecisionChange>& changes;
  const std::vector<std::string>& state;  ///< what the rules could read of it
  bool found_no_change = false;           ///< although changes were looked for
};

constexpr std::string_view kNoChange = "no single change was found, and no pair of changes";

std::string changes_json(const std::vector<DecisionChange>& changes) {
  std::string out = "[";
  for (const DecisionChange& change : changes) {
    if (out.back() != '[') out += ", ";
    out += fmt::format("{{\"effect\": \"{}\", \"rule\": {}, \"text\": {}, \"fields\": [", to_string(change.effect),
                       change.rule.empty() ? "null" : json_text(change.rule), json_text(to_string(change)));
    for (const FieldChange& field : change.fields) {
      if (out.back() != '[') out += ", ";
      out += fmt::format("{{\"path\": {}, \"relation\": \"{}\", \"value\": {}}}", json_text(field.path),
                         to_string(field.relation), field.value.empty() ? "null" : field.value);
    }
    out += "]}";
  }
  return out + "]";
}

void print_json(const Program& program, const Explanation& what) {
  std::string out = decision_json(what.reader.call(), what.decision, what.line);
  out.pop_back();
  out += ", \"rules\": [";
  for (const RuleOutcome& outcome : what.outcomes) {
    const RuleInfo& rule = program.rules()[outcome.rule];
    if (out.back() != '[') out += ", ";
    out +=
        fmt::format("{{\"rule\": {}, \"kind\": \"{}\", \"outcome\": \"{}\", \"place\": {}", json_text(rule.name),
                    to_string(rule.kind), to_string(outcome.kind), json_text(detail::place_of(program, rule.location)));
    if (!outcome.fault.empty()) out += ", \"fault\": " + json_text(outcome.fault);
    if (outcome.kind == RuleOutcome::Kind::not_matched) {
      out += ", \"false\": [";
      for (const FalsePart& part : outcome.false_parts) {
        if (out.back() != '[') out += ", ";
        out += fmt::format("{{\"text\": {}, \"place\": {}}}", json_text(part.text), json_text(part.place));
      }
      out += ']';
    }
    if (!outcome.skipped_by.empty()) out += ", \"skipped_by\": " + json_text(outcome.skipped_by);
    out += '}';
  }
  out += ']';
  if (!what.state.empty()) {
    out += ", \"state\": [";
    for (const std::string& read : what.state) {
      if (out.back() != '[') out += ", ";
      out += json_text(read);
    }
    out += ']';
  }
  out += ", \"changes\": " + changes_json(what.changes);
  if (what.found_no_change) out += ", \"no_change\": " + json_text(kNoChange);
  write_out(out + "}\n");
}

int colour_of(RuleOutcome::Kind kind) {
  return kind == RuleOutcome::Kind::matched ? 32 : kind == RuleOutcome::Kind::fault ? 31 : 0;
}

void print_text(const Program& program, const Explanation& what) {
  const Decision& decision = what.decision;
  const std::vector<RuleOutcome>& outcomes = what.outcomes;
  const bool colour = wants_colour(stdout);
  const std::string by =
      decision.rule != kNone ? program.rules()[decision.rule].name : fmt::format("({})", to_string(decision.code));
  print_out("event {}: {} {}: {} by {}: {}\n", what.line, to_string(what.reader.call().stage()),
            what.reader.event().capability, to_string(decision.effect), by, decision.reason);
  size_t width = 0;
  for (const RuleOutcome& outcome : outcomes) {
    width = std::max(width, terminal_text(program.rules()[outcome.rule].name).size());
  }
  for (const RuleOutcome& outcome : outcomes) {
    const RuleInfo& rule = program.rules()[outcome.rule];
    const std::string what = fmt::format("{:<14}", to_string(outcome.kind));
    std::string why = outcome.fault.empty() ? detail::in_words(outcome.false_parts) : outcome.fault;
    if (!outcome.skipped_by.empty()) why += fmt::format("; skipped by the index: {}", outcome.skipped_by);
    print_out("  {}  {:<16}  {:<{}}  {}{}{}\n",
              coloured(what, colour_of(outcome.kind), colour && colour_of(outcome.kind) != 0), to_string(rule.kind),
              rule.name, width, detail::place_of(program, rule.location), why.empty() ? "" : ": ", why);
  }
  if (outcomes.empty()) {
    const bool ran = decision.code == DecisionCode::default_effect;
    print_out("  {}\n", ran ? "no rule is about this capability and stage" : "no rule ran");
  }
  for (const std::string& read : what.state) print_out("  state           {}\n", read);
  for (const DecisionChange& change : what.changes) print_out("  {}\n", to_string(change));
  if (what.found_no_change) print_out("  {}\n", kNoChange);
}

// Explains every event. False if a line is malformed.
bool explain_lines(Input& in, const Options& options, const Compilation& compilation) {
  const DecideOptions how = decide_options("interpreter", options.fallback, options.budget);
  const TimeParts now = timestamp_of_nanos(system_time_ns());
  Explainer explainer(compilation, how, {.now = now, .warn = complain});
  std::unique_ptr<detail::EventStories> stories;
  if (options.stories) {
    auto made = detail::EventStories::make(compilation.program, how, now);
    if (!made) {
      complain(made.error().message);
      return false;
    }
    stories = std::move(*made);
  }
  Scratch deciding;
  bool all = true;
  std::string text;
  for (uint64_t line = 1; in.next_line(&text); ++line) {
    if (is_blank(text)) continue;
    if (auto read = explainer.read(text); !read) {
      all = false;
      if (options.json) {
        write_out(error_json(read.error(), line) + "\n");
      } else {
        print_out("event {}: malformed: {}\n", line, read.error().message);
      }
      continue;
    }
    std::vector<std::string> state;
    if (stories != nullptr) {  // fills the slots that the rules read
      (void)stories->decide(explainer.reader(), deciding);
      state = stories->last_read();
    }
    const auto outcomes = explainer.outcomes();
    std::vector<DecisionChange> changes;
    if (!options.no_changes && stories == nullptr) {
      if (auto found = find_changes(compilation.program, text, {.decide = how, .now = now}))
        changes = std::move(*found);
    }
    const Decision decision = explainer.decision();
    // Where no rule ran, there was nothing to look for.
    const bool found_no_change = !options.no_changes && !outcomes.empty() && changes.empty();
    (options.json ? print_json : print_text)(
        *compilation.program, {line, explainer.reader(), decision, outcomes, changes, state, found_no_change});
  }
  return all;
}

int run(const Options& options) {
  const Compilation compilation = compile(options.policies, standard_library(), {.parts = true});
  print(compilation.diagnostics);
  if (compilation.program == nullptr) return kUsage;
  auto input = Input::open(options.events);
  if (!input) return fail(input.error());
  const bool all = explain_lines(*input, options, compilation);
  if (auto read = input->check_read(); !read) return fail(read.error());
  return all ? kOk : kFindings;
}

}  // namespace

void add_explain(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("explain", "Say of each event what every rule came to");
  add_policies_option(command, options->policies);
  add_events_option(command, options->events);
  add_default_option(command, options->fallback);
  add_budget_option(command, options->budget);
  command.add_flag("--json", options->json, "print one JSON object an event: the decision, its `rules`, and `changes`");
  command.add_flag("--no-changes", options->no_changes,
                   "do not look for changes of the event that would change its decision");
  command.add_flag("--stories", options->stories,
                   "explain each event with what those before it left, and say what its rules could read of that; "
                   "changes are not looked for");
  command.set_footer(
      "Every rule of the event's capability and stage is evaluated, in source order, whether or not it mattered.\n"
      "Then come the smallest changes of the event's fields that would change the decision, if any are found.\n"
      "Exit codes: 0 every line explained, 1 some lines malformed, 2 policies or usage wrong.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
