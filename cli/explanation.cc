#include "cli/explanation.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/decision_json.h"
#include "ordain/terminal_text.h"

namespace ordain::cli {
namespace {

using detail::FalsePart;
using detail::RuleOutcome;

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

int colour_of(RuleOutcome::Kind kind) {
  return kind == RuleOutcome::Kind::matched ? 32 : kind == RuleOutcome::Kind::fault ? 31 : 0;
}

// Prints one line: what the rule came to, and why. `width` is how many columns names take.
void print_rule_outcome(const Program& program, const RuleOutcome& outcome, size_t width) {
  const RuleInfo& rule = program.rules()[outcome.rule];
  const int colour = colour_of(outcome.kind);
  const std::string what = fmt::format("{:<14}", to_string(outcome.kind));
  std::string why = detail::reason_of(outcome);
  if (!outcome.skipped_by.empty()) why += fmt::format("; skipped by the index: {}", outcome.skipped_by);
  print_out("  {}  {:<16}  {:<{}}  {}{}{}\n", coloured(what, colour, wants_colour(stdout) && colour != 0),
            to_string(rule.kind), rule.name, width, detail::place_of(program, rule.location), why.empty() ? "" : ": ",
            why);
}

}  // namespace

std::string explanation_json(const Program& program, const Explanation& what) {
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
  if (what.found_no_change) out += ", \"no_change\": " + json_text(kNoChangeFound);
  return out + "}";
}

void print_explanation(const Program& program, const Explanation& what) {
  const Decision& decision = what.decision;
  const std::string by =
      decision.rule != kNone ? program.rules()[decision.rule].name : fmt::format("({})", to_string(decision.code));
  print_out("event {}: {} {}: {} by {}: {}\n", what.line, to_string(what.reader.call().stage()),
            what.reader.event().capability, to_string(decision.effect), by, decision.reason);
  size_t width = 0;
  for (const RuleOutcome& outcome : what.outcomes) {
    width = std::max(width, terminal_text(program.rules()[outcome.rule].name).size());
  }
  for (const RuleOutcome& outcome : what.outcomes) print_rule_outcome(program, outcome, width);
  if (what.outcomes.empty()) {
    const bool ran = decision.code == DecisionCode::default_effect;
    print_out("  {}\n", ran ? "no rule is about this capability and stage" : "no rule ran");
  }
  for (const std::string& read : what.state) print_out("  state           {}\n", read);
  for (const DecisionChange& change : what.changes) print_out("  {}\n", to_string(change));
  if (what.found_no_change) print_out("  {}\n", kNoChangeFound);
}

}  // namespace ordain::cli
