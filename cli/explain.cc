// ordain explain: for each event, what every rule that could speak came to, and where it stands.
#include "analysis/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>

#include "cli/command.h"
#include "cli/shared.h"
#include "cli/terminal.h"
#include "ordain/compile.h"
#include "ordain/handlers.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"

namespace ordain::cli {
namespace {

using detail::Explainer;
using detail::FalsePart;
using detail::RuleOutcome;

struct Options {
  std::vector<std::string> policies;
  std::string events, fallback;
  bool json = false;
};

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void print_json(const Program& program, uint64_t line, const EventReader& reader, const Decision& decision,
                const std::vector<RuleOutcome>& outcomes) {
  std::string out = decision_json(program, line, reader.call().stage(), reader.capability(), decision);
  out.pop_back();
  out += ", \"rules\": [";
  for (const RuleOutcome& outcome : outcomes) {
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
  fmt::print("{}]}}\n", out);
}

int colour_of(RuleOutcome::Kind kind) {
  return kind == RuleOutcome::Kind::matched ? 32 : kind == RuleOutcome::Kind::fault ? 31 : 0;
}

void print_text(const Program& program, uint64_t line, const EventReader& reader, const Decision& decision,
                const std::vector<RuleOutcome>& outcomes) {
  const bool colour = wants_colour(stdout);
  const std::string by =
      decision.rule != kNone ? program.rules()[decision.rule].name : fmt::format("({})", to_string(decision.code));
  fmt::print("event {}: {} {}: {} by {}: {}\n", line, to_string(reader.call().stage()),
             terminal_text(reader.capability()), to_string(decision.effect), by, terminal_text(decision.reason));
  size_t width = 0;
  for (const RuleOutcome& outcome : outcomes) width = std::max(width, program.rules()[outcome.rule].name.size());
  for (const RuleOutcome& outcome : outcomes) {
    const RuleInfo& rule = program.rules()[outcome.rule];
    const std::string what = fmt::format("{:<14}", to_string(outcome.kind));
    std::string why = outcome.fault.empty() ? detail::in_words(outcome.false_parts) : outcome.fault;
    if (!outcome.skipped_by.empty()) why += fmt::format("; skipped by the index: {}", outcome.skipped_by);
    fmt::print("  {}  {:<16}  {:<{}}  {}{}{}\n",
               coloured(what, colour_of(outcome.kind), colour && colour_of(outcome.kind) != 0), to_string(rule.kind),
               rule.name, width, detail::place_of(program, rule.location), why.empty() ? "" : ": ", terminal_text(why));
  }
  if (outcomes.empty()) {
    const bool ran = decision.code == DecisionCode::default_effect;
    fmt::print("  {}\n", ran ? "no rule is about this capability and stage" : "no rule ran");
  }
}

bool explain_lines(std::istream& in, const Options& options, const Compilation& compilation) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  DecideOptions how;
  how.interpret_only = true;
  if (options.fallback == "allow") how.default_before = Effect::allow;
  if (options.fallback == "require_approval") how.default_before = Effect::require_approval;
  Explainer explainer(compilation, Now{std::chrono::duration_cast<std::chrono::seconds>(now).count(), 0}, how,
                      complain);
  bool all = true;
  std::string text;
  for (uint64_t line = 1; std::getline(in, text); ++line) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (auto wrong = explainer.read(text)) {
      all = false;
      fmt::print("{}\n", options.json ? error_json(line, wrong->code, wrong->message)
                                      : fmt::format("event {}: malformed: {}", line, wrong->message));
      continue;
    }
    const auto outcomes = explainer.outcomes();
    (options.json ? print_json : print_text)(*compilation.program, line, explainer.reader(), explainer.decision(),
                                             outcomes);
  }
  return all;
}

int run(const Options& options) {
  const Compilation compilation = compile(options.policies, standard_library(), {.parts = true});
  print(compilation.diagnostics);
  if (compilation.program == nullptr) return kUsage;
  std::ifstream file;
  if (options.events != "-") {
    file.open(options.events);
    if (!file) {
      complain("cannot read " + options.events);
      return kUsage;
    }
  }
  return explain_lines(options.events == "-" ? std::cin : file, options, compilation) ? kOk : kFindings;
}

}  // namespace

void add_explain(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("explain", "Say of each event what every rule came to");
  command.add_option("--policies", options->policies, "policy files, or directories searched for *.policy").required();
  command.add_option("--events", options->events, "a file of JSON lines, or - for standard input").required();
  command.add_option("--default", options->fallback, "effect where no rule speaks, in the before stage")
      .one_of({"deny", "allow", "require_approval"})
      .show_default("deny");
  command.add_flag("--json", options->json, "print one JSON object an event: the decision, and its `rules`");
  command.set_footer(
      "Every rule of the event's capability and stage is evaluated, in source order, whether or not it mattered.\n"
      "Exit codes: 0 every line explained, 1 some lines malformed, 2 policies or usage wrong.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
