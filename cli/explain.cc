// ordain explain: prints for each event what every rule of its capability and stage came to, and why.
#include "analysis/explain.h"
#include "analysis/event_stories.h"
#include "analysis/live_state.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/command.h"
#include "cli/explanation.h"
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

struct Options {
  std::vector<std::string> policies;
  std::string events, fallback, database;
  uint64_t budget = Budget().cost;
  bool json = false;
  bool no_changes = false;
  bool stories = false;
};

// Explains every event. @returns false if a line is malformed.
Result<bool> explain_lines(Input& in, const Options& options, const Compilation& compilation) {
  const DecideOptions how = decide_options("interpreter", options.fallback, options.budget);
  const TimeParts now = timestamp_of_nanos(system_time_ns());
  Explainer explainer(compilation, how, {.now = now, .warn = complain});
  std::unique_ptr<detail::EventStories> stories;
  if (options.stories) {
    auto made = detail::EventStories::make(compilation.program, how, now);
    if (!made) return made.error();
    stories = std::move(*made);
  }
  std::unique_ptr<detail::LiveState> live;
  if (!options.database.empty()) {
    auto made = detail::LiveState::make(compilation.program, how, options.database);
    if (!made) return made.error();
    live = std::move(*made);
  }
  const bool has_state = stories != nullptr || live != nullptr;
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
    if (live != nullptr) {
      if (auto read = live->read(explainer.reader()); !read) {
        state = {"cannot be read, which denies the call: " + read.error().message};
      } else {
        state = live->last_read();
      }
    }
    const auto outcomes = explainer.outcomes();
    std::vector<DecisionChange> changes;
    const bool looks = !options.no_changes && !has_state;
    if (looks) {
      if (auto found = find_changes(compilation.program, text, {.decide = how, .now = now}))
        changes = std::move(*found);
    }
    const Decision decision = explainer.decision();
    // Where no rule ran, there was nothing to look for.
    const bool found_no_change = looks && !outcomes.empty() && changes.empty();
    const Explanation what{line, explainer.reader(), decision, outcomes, changes, state, found_no_change};
    if (options.json) {
      write_out(explanation_json(*compilation.program, what) + "\n");
    } else {
      print_explanation(*compilation.program, what);
    }
  }
  return all;
}

int run(const Options& options) {
  if (options.stories && !options.database.empty()) {
    complain("--stories begins with nothing, and --db with what a directory remembers: give one of them");
    return kUsage;
  }
  const Compilation compilation = compile(options.policies, standard_library(), {.parts = true});
  print(compilation.diagnostics);
  if (compilation.program == nullptr) return kUsage;
  auto input = Input::open(options.events);
  if (!input) return fail(input.error());
  const Result<bool> all = explain_lines(*input, options, compilation);
  if (!all) return fail(all.error());
  if (auto read = input->check_read(); !read) return fail(read.error());
  return *all ? kOk : kFindings;
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
  command
      .add_option("--db", options->database,
                  "explain what each event would come to now, with what this directory remembers; nothing is changed")
      .names_directory();
  command.set_footer(
      "Every rule of the event's capability and stage is evaluated, in source order, whether or not it mattered.\n"
      "Then come the smallest changes of the event's fields that would change the decision, if any are found.\n"
      "Exit codes: 0 every line explained, 1 some lines malformed, 2 policies or usage wrong.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
