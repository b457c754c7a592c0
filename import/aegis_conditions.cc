// aegis_conditions.cc translates the matches and conditions of Aegis's rules into expressions.
#include "import/aegis_conditions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "import/patterns.h"

namespace ordain::importer {
namespace {

// Tests `subject` against one glob; "" if it always matches.
std::string glob_test(const std::string& subject, std::string_view glob, bool blocking) {
  if (glob.find_first_not_of('*') == std::string_view::npos) return "";
  const std::string name = blocking ? subject + ".lowerAscii()" : subject;
  if (!is_glob(glob)) return fmt::format("{} == {}", name, quote(blocking ? lower_ascii(glob) : std::string(glob)));
  if (!is_glob(glob.substr(0, glob.size() - 1)) && glob.back() == '*') {
    const std::string prefix(glob.substr(0, glob.size() - 1));
    return fmt::format("{}.startsWith({})", name, quote(blocking ? lower_ascii(prefix) : prefix));
  }
  return fmt::format("{}.matches({})", subject,
                     raw(fmt::format("{}^{}$", blocking ? "(?is)" : "(?s)", glob_pattern(glob))));
}

void read_globs(Fields& match, const std::string& key, const std::string& subject, bool blocking,
                std::vector<std::string>& globs, RuleText& out) {
  if (match.any(key) == nullptr) return;
  globs = match.texts(key);
  std::vector<std::string> tests;
  bool always = false;
  for (const std::string& glob : globs) {
    if (auto error = pattern_error(glob_pattern(glob))) {
      match.diagnostics().error("bad-regex", match.any(key)->span,
                                fmt::format("`{}` is not a valid glob: {}", key, *error));
    }
    tests.push_back(glob_test(subject, glob, blocking));
    always |= tests.back().empty();
  }
  if (always || tests.empty()) return;
  if (blocking) tests.push_back(subject + " == \"\"");
  out.conditions.push_back(any_of(tests));
}

bool covers_globs(const std::vector<std::string>& wide, const std::vector<std::string>& narrow) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const std::string& glob) {
    return std::any_of(wide.begin(), wide.end(), [&](const std::string& w) {
      if (w == glob || w.find_first_not_of('*') == std::string::npos) return true;
      const bool prefix = w.size() > 1 && w.back() == '*' && !is_glob(std::string_view(w).substr(0, w.size() - 1));
      return prefix && glob.starts_with(std::string_view(w).substr(0, w.size() - 1));
    });
  });
}

// Reads "18:00" as a minute of the day.
std::optional<int> read_time(Fields& conditions, const char* key) {
  const Yaml* node = conditions.any(key);
  if (node == nullptr) return std::nullopt;
  const std::string& text = node->text;
  const bool shape = node->kind == Yaml::Kind::scalar && text.size() == 5 && text[2] == ':' &&
                     std::all_of(text.begin(), text.end(), [](char c) { return c == ':' || (c >= '0' && c <= '9'); });
  const int hours = shape ? (text[0] - '0') * 10 + text[1] - '0' : 99;
  const int minutes = shape ? (text[3] - '0') * 10 + text[4] - '0' : 99;
  if (hours > 23 || minutes > 59 || text.find(':', 3) != std::string::npos) {
    conditions.diagnostics().error("bad-value", node->span,
                                   fmt::format("`{}` must be a time of day such as \"18:00\"", key));
    return std::nullopt;
  }
  return hours * 60 + minutes;
}

bool read_times(Fields& conditions, bool blocking, RuleText& out) {
  const auto after = read_time(conditions, "time_after");
  const auto before = read_time(conditions, "time_before");
  const char* until = blocking ? "<=" : "<";  // a blocking rule includes the last minute
  if (after && before) {
    if (*after == *before) {
      conditions.diagnostics().error("never-matches", conditions.any("time_before")->span,
                                     "`time_after` and `time_before` are the same, so the rule can never match");
      return false;
    }
    const bool wraps = *after > *before;
    if (wraps) {
      out.comments.push_back("Safe meaning: over midnight. No time is both after the first and before the second.");
    }
    out.conditions.push_back(
        fmt::format("(minute >= {} {} minute {} {})", *after, wraps ? "||" : "&&", until, *before));
  } else if (after) {
    out.conditions.push_back(fmt::format("minute >= {}", *after));
  } else if (before) {
    out.conditions.push_back(fmt::format("minute {} {}", until, *before));
  }
  return after || before;
}

bool read_weekdays(Fields& conditions, RuleText& out) {
  const Yaml* list = conditions.list("weekdays");
  if (list == nullptr) return false;
  static constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
  static constexpr std::array<std::string_view, 7> kLong = {"sunday",   "monday", "tuesday", "wednesday",
                                                            "thursday", "friday", "saturday"};
  std::set<int> days;
  for (const Yaml& item : list->items) {
    const auto number = item.number();
    const std::string name = lower_ascii(item.text);
    int day = -1;
    for (int i = 0; i < 7; ++i) {
      const auto at = static_cast<size_t>(i);
      if ((number && *number == (i == 0 ? 7 : i)) || name == kDays[at] || name == kLong[at]) day = i;
    }
    if (day < 0) {
      conditions.diagnostics().error("bad-value", item.span,
                                     "a weekday is 1 (Monday) to 7 (Sunday), or a name such as mon");
    } else {
      days.insert(day);
    }
  }
  if (list->items.empty()) {
    conditions.diagnostics().error("never-matches", list->span, "no weekdays, so the rule can never match");
  }
  out.conditions.push_back(fmt::format("weekday in [{}]", fmt::join(days, ", ")));
  return true;
}

// @returns `input.count`, or "" after reporting that the name cannot be written
std::string field_of(Fields& params, const Yaml& key) {
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const std::string& name = key.text;
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), word) && (name[0] < '0' || name[0] > '9');
  static const std::set<std::string, std::less<>> kNoField = {"true", "false", "null", "in"};
  if (plain && kNoField.count(name) == 0) return "input." + name;
  const bool escapable = !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return word(c) || c == '-' || c == '/' || c == ' ';
  });
  if (escapable) return fmt::format("input.`{}`", name);
  params.diagnostics().error("bad-value", key.span,
                             "a parameter's name has letters, digits, `_`, `-`, `/` and blanks only");
  return "";
}

void compare_param(Fields& params, const Yaml& value, const std::string& field, const char* sign, bool blocking,
                   RuleText& out) {
  const auto limit = value.number();
  if (!limit) {
    params.diagnostics().error("wrong-type", value.span,
                               fmt::format("a limit must be a plain decimal number, not {}", kind_name(value)));
    return;
  }
  static constexpr const char* kNumbers = "[int, uint, double]";
  if (blocking) {
    out.comments.push_back(fmt::format("Safe meaning: {} absent, or no number, counts as matching.", field));
    out.conditions.push_back(fmt::format("(!has({}) || !(type({}) in {}) || {} {} {})", field, field, kNumbers, field,
                                         sign, number(*limit)));
  } else {
    out.conditions.push_back(
        fmt::format("has({}) && type({}) in {} && {} {} {}", field, field, kNumbers, field, sign, number(*limit)));
  }
}

void equal_param(Fields& params, const Yaml& value, const std::string& field, bool blocking, RuleText& out) {
  std::vector<std::string> tests;
  const bool truth =
      value.kind == Yaml::Kind::scalar && !value.quoted && (value.text == "true" || value.text == "false");
  if (value.is_text()) {
    tests.push_back(fmt::format("{} == {}", field, quote(value.text)));
    if (blocking) {
      tests.push_back(
          fmt::format("texts({}).exists(t, t.trim().lowerAscii() == {})", field, quote(lower_ascii(value.text))));
    }
  } else if (const auto limit = value.number()) {
    tests.push_back(fmt::format("{} == {}", field, number(*limit)));
    if (blocking) tests.push_back(fmt::format("type({}) == string", field));
  } else if (truth) {
    tests.push_back(fmt::format("{} == {}", field, value.text));
    if (blocking) tests.push_back(fmt::format("type({}) != bool", field));
  } else {
    params.diagnostics().error(
        "wrong-type", value.span,
        fmt::format("a value must be a text, a number, true or false, not {}", kind_name(value)));
    return;
  }
  if (blocking) out.comments.push_back("Safe meaning: the value in any spelling.");
  out.conditions.push_back(fmt::format("has({}) && {}", field, any_of(tests)));
}

void search_param(Fields& params, const Yaml& value, const std::string& field, bool is_pattern, bool blocking,
                  RuleText& out) {
  const auto text = text_of(params.diagnostics(), value, is_pattern ? "a pattern" : "a text to contain");
  if (!text) return;
  std::string pattern = is_pattern ? *text : "";
  if (is_pattern) {
    const WithoutLookaround bare = without_lookaround(pattern);
    if (bare.changed && !blocking) {
      params.diagnostics().error("bad-regex", value.span, "a lookaround in a rule that allows cannot be made safe",
                                 "write the pattern without (?=...) and (?!...), which RE2 has not");
      return;
    }
    if (bare.changed) {
      out.comments.push_back("Safe meaning: the lookaround of " + quote(pattern) +
                             " is left out, so that more matches.");
      params.diagnostics().warning("made-safe", value.span,
                                   "the lookaround is left out: the rule blocks more than it did");
      pattern = bare.pattern;
    }
    if (blocking) pattern = widen_pattern(pattern);
    if (auto error = pattern_error(pattern)) {
      params.diagnostics().error("bad-regex", value.span, "not a regular expression: " + *error,
                                 "patterns are RE2's: no lookaround, no backreferences");
      return;
    }
  } else if (blocking) {
    pattern = keyword_pattern(*text);
  }
  if (blocking) {
    out.comments.push_back("Safe meaning: anywhere in the value, in any case and spelling.");
    out.conditions.push_back(fmt::format("has({}) && texts({}).exists(t, t.matches({}))", field, field, raw(pattern)));
  } else {
    const std::string test =
        is_pattern ? fmt::format("matches({})", raw(pattern)) : fmt::format("contains({})", quote(*text));
    out.conditions.push_back(fmt::format("has({}) && type({}) == string && {}.{}", field, field, field, test));
  }
}

void read_params(Fields& conditions, bool blocking, RuleText& out) {
  static constexpr std::array<std::pair<const char*, const char*>, 7> kParams = {
      std::pair{"param_gt", ">"}, {"param_gte", ">="},    {"param_lt", "<"},    {"param_lte", "<="},
      {"param_eq", ""},           {"param_contains", ""}, {"param_matches", ""}};
  for (const auto& [key, sign] : kParams) {
    const Yaml* map = conditions.map(key);
    if (map == nullptr) continue;
    Fields params(conditions.diagnostics(), *map, fmt::format("`{}`", key));
    if (map->items.empty()) {
      conditions.diagnostics().error("bad-value", map->span, fmt::format("`{}` names no parameter", key));
    }
    for (size_t i = 0; i < map->items.size(); ++i) {
      const std::string field = field_of(params, map->keys[i]);
      if (field.empty()) continue;
      const std::string_view name = key;
      if (*sign != '\0') {
        compare_param(params, map->items[i], field, sign, blocking, out);
      } else if (name == "param_eq") {
        equal_param(params, map->items[i], field, blocking, out);
      } else {
        search_param(params, map->items[i], field, name == "param_matches", blocking, out);
      }
    }
  }
}

}  // namespace

bool covers(const GlobMatch& wide, const GlobMatch& narrow) {
  return covers_globs(wide.type, narrow.type) && covers_globs(wide.target, narrow.target) &&
         covers_globs(wide.agent, narrow.agent);
}

GlobMatch read_match(Fields& match, bool blocking, RuleText& out) {
  GlobMatch globs;
  read_globs(match, "type", "action.type", blocking, globs.type, out);
  read_globs(match, "target", "action.target", blocking, globs.target, out);
  read_globs(match, "agent", "agent.id", blocking, globs.agent, out);
  return globs;
}

ConditionNeeds read_aegis_conditions(Fields& conditions, bool blocking, RuleText& out) {
  ConditionNeeds needs;
  needs.minute = read_times(conditions, blocking, out);
  needs.weekday = read_weekdays(conditions, out);
  read_params(conditions, blocking, out);
  return needs;
}

std::vector<std::string> step_conditions(const IndexStep& step) {
  std::vector<std::string> out;
  for (const auto& [subject, glob] : {std::pair{"action.type", step.type}, {"action.target", step.target}}) {
    const std::string test = glob_test(subject, glob, true);
    if (!test.empty()) out.push_back(fmt::format("({} || {} == \"\")", test, subject));
  }
  return out;
}

}  // namespace ordain::importer
