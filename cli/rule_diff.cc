#include "cli/rule_diff.h"

#include <fmt/format.h>

#include <string>

#include "cli/command_line.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/rule_diff.h"

namespace ordain::cli {
namespace {

int colour_of(RuleChange change) {
  switch (change) {
    case RuleChange::added:
    case RuleChange::stronger:
      return 32;
    case RuleChange::removed:
    case RuleChange::weaker:
      return 31;
    default:
      return 33;
  }
}

std::string place_of(const Program& program, RuleId rule) {
  const uint32_t location = program.rules()[rule].location;
  if (location >= program.locations().size()) return "";
  const Location& at = program.locations()[location];
  return fmt::format("{}:{}:{}", program.files()[at.file], at.line, at.column);
}

// "deny p.large (p.policy:3:5)"
std::string rule_text(const Program& program, RuleId rule) {
  const RuleInfo& info = program.rules()[rule];
  return fmt::format("{} {} ({})", to_string(info.kind), info.name, place_of(program, rule));
}

std::string rule_json(const Program& program, RuleId rule) {
  if (rule == kNone) return "null";
  const RuleInfo& info = program.rules()[rule];
  return fmt::format("{{\"rule\": {}, \"kind\": \"{}\", \"package\": {}, \"place\": {}}}", json_text(info.name),
                     to_string(info.kind), json_text(info.package), json_text(place_of(program, rule)));
}

void print_json(const Program& older, const Program& newer, const RuleDiff& diff) {
  std::string out = "{\"rules\": [";
  for (const RuleDifference& each : diff.rules) {
    if (out.back() != '[') out += ", ";
    out += fmt::format("{{\"change\": \"{}\", \"old\": {}, \"new\": {}}}", to_string(each.change),
                       rule_json(older, each.old_rule), rule_json(newer, each.new_rule));
  }
  out += "], \"packages\": [";
  for (const std::string& package : diff.packages) {
    if (out.back() != '[') out += ", ";
    out += json_text(package);
  }
  write_out(out + "]}\n");
}

void print_text(const Program& older, const Program& newer, const RuleDiff& diff) {
  const bool colour = wants_colour(stdout);
  for (const RuleDifference& each : diff.rules) {
    const std::string what = fmt::format("{:<8}", to_string(each.change));
    const std::string before = each.old_rule == kNone ? "" : rule_text(older, each.old_rule);
    const std::string after = each.new_rule == kNone ? "" : rule_text(newer, each.new_rule);
    const char* arrow = before.empty() || after.empty() ? "" : " -> ";
    print_out("{}  {}{}{}\n", coloured(what, colour_of(each.change), colour), before, arrow, after);
  }
  for (const std::string& package : diff.packages) {
    print_out("{}  the rules are the same, but their order, an option, a declaration or a let is not\n",
              package.empty() ? "the package without a name" : "package " + package);
  }
  if (diff.empty()) print_out("the rules are the same: {}\n", count_text(newer.rules().size(), "rule"));
}

}  // namespace

int show_rule_diff(const Program& older, const Program& newer, bool json) {
  const RuleDiff diff = compare_rules(older, newer);
  (json ? print_json : print_text)(older, newer, diff);
  return diff.empty() ? kOk : kFindings;
}

}  // namespace ordain::cli
