// capfence_conditions.cc translates the conditions of CapFence's rules, other than those on texts,
// into expressions.
#include "import/capfence_conditions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "import/capfence_texts.h"
#include "import/patterns.h"
#include "ordain/schema.h"

namespace ordain::importer {
namespace {

constexpr const char* kAmountWord = R"((?i)^\s*(?:\w*amount\w*|\w*total\w*|sum|price|value)\s*$)";
constexpr const char* kPathWord =
    R"((?i)^\s*(?:\w*path\w*|file|file_?name|dir|directory|folder|dest|destination|source|src|target)\s*$)";

// --- numbers ---------------------------------------------------------------------------------------------------------

struct Bound {
  const char* key;
  const char* sign;
};

constexpr std::array<Bound, 5> kAmounts = {Bound{"amount_gt", ">"}, Bound{"amount_gte", ">="}, Bound{"amount_lt", "<"},
                                           Bound{"amount_lte", "<="}, Bound{"amount_eq", "=="}};

// The least and the greatest value that satisfy all bounds; an `open` end excludes its value.
struct Range {
  double low = -1e308, high = 1e308;
  bool low_open = false, high_open = false;

  void bound(char sign, bool open, double value) {
    if (sign != '<' && (value > low || (value == low && open))) low = value, low_open = open;
    if (sign != '>' && (value < high || (value == high && open))) high = value, high_open = open;
  }
  bool empty() const { return low > high || (low == high && (low_open || high_open)); }
};

void read_amounts(Fields& rule, const RuleReading& reading, RuleText& out) {
  std::vector<std::string> tests;
  Range range;
  bool from_below = true;  // there are only upper limits: negative amounts match anyway
  const Yaml* last = nullptr;
  for (const Bound& bound : kAmounts) {
    auto value = rule.number(bound.key);
    if (!value) continue;
    last = rule.any(bound.key);
    from_below &= bound.sign[0] == '<';
    tests.push_back(fmt::format("input.amount {} {}", bound.sign, number(*value)));
    range.bound(bound.sign[0], bound.sign[1] == '\0', *value);
  }
  if (last == nullptr) return;
  if (!reading.blocking) range.bound('>', false, 0);
  if (range.empty()) {
    rule.diagnostics().error("never-matches", last->span,
                             "no amount fits all these limits, so the rule can never match");
    return;
  }
  reading.needs->other_amounts = true;
  reading.fields->insert("amount: optional(double)");
  const std::string inside =
      tests.size() == 1 && reading.blocking ? tests[0] : fmt::format("{}", fmt::join(tests, " && "));
  if (reading.blocking) {
    out.comments.push_back(
        "Safe meaning: an amount that is absent, negative, or beside another one counts as matching.");
    out.conditions.push_back(fmt::format("(!has(input.amount) || {}other_amounts || {})",
                                         from_below ? "" : "input.amount < 0.0 || ",
                                         tests.size() > 1 ? fmt::format("({})", inside) : inside));
  } else {
    out.comments.push_back("Safe meaning: one amount, at the top of the input, and not negative.");
    out.conditions.push_back(fmt::format("has(input.amount) && input.amount >= 0.0 && {} && !other_amounts", inside));
  }
}

void read_depth(Fields& rule, RuleText& out) {
  static constexpr std::array<Bound, 5> kDepths = {Bound{"caller_depth_gt", ">"}, Bound{"caller_depth_gte", ">="},
                                                   Bound{"caller_depth_lt", "<"}, Bound{"caller_depth_lte", "<="},
                                                   Bound{"caller_depth_eq", "=="}};
  Range range;
  const Yaml* last = nullptr;
  range.bound('>', false, 0);
  for (const Bound& bound : kDepths) {
    auto value = rule.count(bound.key);
    if (!value) continue;
    last = rule.any(bound.key);
    out.conditions.push_back(fmt::format("agent.chain_depth {} {}", bound.sign, *value));
    // Depths are whole numbers.
    const bool open = bound.sign[1] == '\0';
    range.bound(bound.sign[0], false, open ? *value + (bound.sign[0] == '>' ? 1 : -1) : *value);
  }
  if (last != nullptr && range.empty()) {
    rule.diagnostics().error("never-matches", last->span,
                             "no depth fits all these limits, so the rule can never match");
  }
}

// --- paths -----------------------------------------------------------------------------------------------------------

void read_paths(Fields& rule, const RuleReading& reading, RuleText& out) {
  std::vector<std::string> tests;
  rule.texts("path_prefix");
  for (const Yaml* node : nodes(rule, "path_prefix")) {
    if (!node->is_text() || node->text.empty()) continue;
    const std::string& prefix = node->text;
    const std::string framed = "/" + prefix + "/";
    if (prefix[0] == '~' || framed.find("/../") != std::string::npos) {
      rule.diagnostics().error("bad-value", node->span, "a path prefix must not hold `..`, nor begin with `~`");
      continue;
    }
    tests.push_back(reading.blocking ? fmt::format("input.path.lowerAscii().isWithin({})", quote(lower_ascii(prefix)))
                                     : fmt::format("input.path.isWithin({})", quote(prefix)));
  }
  if (tests.empty()) return;
  reading.needs->other_paths = true;
  reading.fields->insert("path: optional(string)");
  if (reading.blocking) {
    out.comments.push_back(
        "Safe meaning: whole segments, `..` resolved, any case; a path that is absent, beside another one, or that "
        "leads who knows where (`~`, leading `..`, `\\`, `%`) counts as matching.");
    out.conditions.push_back(
        fmt::format("(!has(input.path) || other_paths || input.path.matches(r\"^~|[\\\\%\\x00]\")\n"
                    "         || paths.normalize(input.path).startsWith(\"..\") || {})",
                    fmt::join(tests, " || ")));
  } else {
    out.comments.push_back("Safe meaning: whole segments, `..` resolved; one path, without `~`, `\\` and `%`.");
    out.conditions.push_back(
        fmt::format("has(input.path) && {} && !input.path.matches(r\"[\\\\%\\x00]\") && !other_paths", any_of(tests)));
  }
}

// --- names in the input ----------------------------------------------------------------------------------------------

void read_table(Fields& rule, const RuleReading& reading, RuleText& out) {
  const std::vector<std::string> tables = rule.texts("table");
  if (tables.empty()) return;
  reading.fields->insert("table: optional(string)");
  std::vector<std::string> tests;
  for (const std::string& table : tables) {
    const std::string pattern = is_glob(table) ? glob_pattern(table) : escape_pattern(table);
    if (reading.blocking) {
      tests.push_back(fmt::format("t.matches({})", raw(fmt::format(R"((?is)(?:^|\W){}(?:\W|$))", pattern))));
    } else {
      tests.push_back(is_glob(table) ? fmt::format("input.table.matches({})", raw("^" + pattern + "$"))
                                     : fmt::format("input.table == {}", quote(table)));
    }
  }
  if (reading.blocking) {
    reading.needs->said = true;
    out.comments.push_back("Safe meaning: the table named anywhere in the input, in any case.");
    out.conditions.push_back(fmt::format("said.exists(t, {})", fmt::join(tests, " || ")));
  } else {
    out.conditions.push_back(fmt::format("has(input.table) && {}", any_of(tests)));
  }
}

void read_tool(Fields& rule, const RuleReading& reading, RuleText& out) {
  const std::vector<std::string> tools = rule.texts("tool_name");
  if (tools.empty()) return;
  reading.fields->insert("tool_name: optional(string)");
  std::vector<std::string> tests;
  for (const std::string& tool : tools) {
    const std::string pattern = glob_pattern(tool);
    if (reading.blocking) {
      tests.push_back(fmt::format("t.matches({})", raw(fmt::format(R"((?is)(?:^|[/.:]|__)\s*{}\s*$)", pattern))));
    } else {
      tests.push_back(is_glob(tool) ? fmt::format("input.tool_name.matches({})", raw("^" + pattern + "$"))
                                    : fmt::format("input.tool_name == {}", quote(tool)));
    }
  }
  if (reading.blocking) {
    reading.needs->said = true;
    out.comments.push_back(
        "Safe meaning: the tool named anywhere in the input, in any case, with or without a server's name.");
    out.conditions.push_back(fmt::format("(said + [action.target]).exists(t, {})", fmt::join(tests, " || ")));
  } else {
    out.conditions.push_back(fmt::format("has(input.tool_name) && {}", any_of(tests)));
  }
}

// --- the host's facts ------------------------------------------------------------------------------------------------

void read_host_name(Fields& rule, const RuleReading& reading, const char* key, RuleText& out) {
  const std::vector<std::string> names = rule.texts(key);
  if (names.empty()) return;
  std::vector<std::string> tests;
  for (const std::string& name : names) tests.push_back(fmt::format("{} == {}", key, quote(name)));
  if (reading.blocking) {
    tests.push_back(fmt::format("{} == \"\"", key));
    out.comments.push_back(
        fmt::format("Safe meaning: the host's {}, never the input's; one that the host does not tell "
                    "counts as matching.",
                    key));
  } else {
    out.comments.push_back(fmt::format("Safe meaning: the host's {}, never the input's.", key));
  }
  out.conditions.push_back(any_of(tests));
}

void read_roles(Fields& rule, const RuleReading& reading, RuleText& out) {
  const std::vector<std::string> roles = rule.texts("user_role");
  if (roles.empty()) return;
  std::vector<std::string> tests;
  for (const std::string& role : roles) tests.push_back(fmt::format("{} in agent.roles", quote(role)));
  if (reading.blocking) {
    tests.push_back("agent.roles.size() == 0");
    out.comments.push_back(
        "Safe meaning: the host's agent.roles, never the input's; an agent without roles counts as matching.");
  } else {
    out.comments.push_back("Safe meaning: the host's agent.roles, never the input's.");
  }
  out.conditions.push_back(any_of(tests));
}

void read_risk(Fields& rule, const RuleReading& reading, RuleText& out) {
  const std::vector<std::string> levels = rule.texts("risk_level");
  if (levels.empty()) return;
  std::vector<std::string> tests;
  Risk least = Risk::critical;
  for (const Yaml* node : nodes(rule, "risk_level")) {
    const std::optional<Risk> risk = find_risk(node->text);
    if (!risk) {
      if (node->is_text()) {
        wrong_choice(rule.diagnostics(), *node, "`risk_level`", {kRiskNames.begin(), kRiskNames.end()});
      }
      return;
    }
    least = std::min(least, *risk);
    tests.push_back(fmt::format("action.risk == {}", quote(node->text)));
  }
  if (reading.blocking) {
    out.comments.push_back("Safe meaning: this risk or a higher one.");
    out.conditions.push_back(fmt::format("action.risk >= {}", quote(kRiskNames[static_cast<size_t>(least)])));
  } else {
    out.conditions.push_back(any_of(tests));
  }
}

}  // namespace

void read_conditions(Fields& rule, const RuleReading& reading, RuleText& out) {
  read_host_name(rule, reading, "environment", out);
  read_host_name(rule, reading, "tenant", out);
  read_roles(rule, reading, out);
  read_risk(rule, reading, out);
  read_depth(rule, out);
  read_amounts(rule, reading, out);
  read_paths(rule, reading, out);
  read_table(rule, reading, out);
  read_tool(rule, reading, out);
  read_text_conditions(rule, reading, out);
}

std::vector<LetText> lets_for(const Needs& needs) {
  std::vector<LetText> out;
  if (needs.said_as_call) {
    out.push_back(
        {"texts_of_call",
         "texts(input) + [capability.name, json.encode(input), capability.name + \"(\" + json.encode(input) + "
         "\")\"]",
         {"Every text of the call, its name, its input as JSON, and both as one call."}});
  }
  if (needs.said) {
    const char* base = needs.said_as_call ? "texts_of_call" : "texts(input)";
    out.push_back(
        {"said",
         fmt::format("{} + {}.map(t,\n  regex.replace(regex.replace(t, r\"(?s)/\\*.*?\\*/|\\$\\{{?IFS\\}}?\", "
                     "\" \"), r\"\"\"['\"\\\\]\"\"\", \"\"))",
                     base, base),
         {"What blocking rules search: every text as it stands, and once more without quotes, backslashes, "
          "comments and $IFS."}});
  }
  if (needs.other_amounts) {
    out.push_back(
        {"other_amounts",
         fmt::format("texts(input).filter(t, t.matches({})).size() > (has(input.amount) ? 1 : 0)", raw(kAmountWord)),
         {"Whether the input names an amount elsewhere than in `amount`: nested, or as another key."}});
  }
  if (needs.other_paths) {
    out.push_back(
        {"other_paths",
         fmt::format("texts(input).filter(t, t.matches({})).size() > (has(input.path) ? 1 : 0)", raw(kPathWord)),
         {"Whether the input names a path elsewhere than in `path`: nested, or as another key."}});
  }
  return out;
}

}  // namespace ordain::importer
