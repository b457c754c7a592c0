// aegis.cc imports Aegis's YAML: an ordered list of rules, of which the first match decides, then
// the defaults; and plan rules, which depend on the session's earlier actions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "import/aegis_conditions.h"
#include "import/fields.h"
#include "import/finish.h"
#include "import/patterns.h"
#include "ordain/import.h"

namespace ordain::importer {
namespace {

const std::vector<std::string> kRisks = {"low", "medium", "high", "critical"};

struct Rule {
  RuleText text;
  GlobMatch match;
  Span span;
};

class Aegis {
 public:
  Aegis(const ImportOptions& options, const ReadFile& read, Imported& out)
      : options_(options), read_(read), out_(out), diagnostics_(out.diagnostics) {}

  void run(const std::string& path);

 private:
  void read_defaults(Fields& file);
  std::string effect_of(Fields& rule);
  void read_rule(const Yaml& node);
  void read_plan_rules(Fields& file);
  void read_sequence(const Yaml& node);
  std::optional<IndexStep> read_step(const Yaml& node);
  std::vector<std::string> remember_sequence(const std::string& rule, const std::vector<IndexStep>& steps);
  void read_cumulative_risk(const Yaml& node);
  void name_rule(Fields& rule, RuleText& text, const char* fallback);
  void warn_of_shadows();
  void add_default(PolicyText& policy);
  FileText assemble(const std::string& path);

  const ImportOptions& options_;
  const ReadFile& read_;
  Imported& out_;
  Diagnostics& diagnostics_;
  std::string name_, description_, version_;
  std::string default_effect_ = "require_approval";
  std::string default_risk_ = "medium";
  std::vector<Rule> rules_;
  std::vector<RuleText> plan_rules_;
  std::vector<LetText> histories_;
  std::set<std::string> names_ = {"otherwise"};
  bool needs_minute_ = false, needs_weekday_ = false, needs_risk_ = false;
};

void Aegis::run(const std::string& path) {
  const auto source = load(diagnostics_, path, read_, Span{});
  if (!source) return;
  const auto root = read_yaml(diagnostics_, *source);
  if (!root) return;
  Fields file(diagnostics_, *root, "a policy file");
  if (!root->is_map()) return;
  if (const Yaml* version = file.any("version")) {
    const bool known = version->kind == Yaml::Kind::scalar && (version->text == "1" || version->text == "1.0");
    if (!known) diagnostics_.error("bad-value", version->span, "`version` must be 1");
    version_ = version->text;
  }
  name_ = file.text("name").value_or("");
  description_ = file.text("description").value_or("");
  read_defaults(file);
  if (const Yaml* rules = file.list("rules")) {
    for (const Yaml& node : rules->items) read_rule(node);
  }
  read_plan_rules(file);
  file.finish();
  if (diagnostics_.has_errors()) return;
  warn_of_shadows();
  finish(out_, assemble(path));
}

void Aegis::read_defaults(Fields& file) {
  const Yaml* node = file.map("defaults");
  if (node == nullptr) return;
  Fields defaults(diagnostics_, *node, "`defaults`");
  default_risk_ = defaults.choice("risk_level", kRisks).value_or(default_risk_);
  default_effect_ = effect_of(defaults);
  defaults.finish();
  if (default_effect_ == "allow") {
    diagnostics_.warning("allows-by-default", defaults.any("approval")->span,
                         "what no rule matches is allowed, as the file says");
  }
}

std::string Aegis::effect_of(Fields& rule) {
  const auto approval = rule.choice("approval", {"auto", "approve", "block"});
  if (!approval) return default_effect_;
  return *approval == "auto" ? "allow" : *approval == "block" ? "deny" : "require_approval";
}

void Aegis::name_rule(Fields& rule, RuleText& text, const char* fallback) {
  const auto name = rule.text("name");
  const auto description = rule.text("description");
  const std::string stem = identifier(name.value_or(fallback), fallback);
  text.name = stem;
  for (int n = 2; !names_.insert(text.name).second; ++n) text.name = fmt::format("{}_{}", stem, n);
  text.because = description ? *description
                 : name      ? *name
                             : fmt::format("rule at {}", place(diagnostics_, rule.node().span));
}

void Aegis::read_rule(const Yaml& node) {
  Fields fields(diagnostics_, node, "a rule");
  if (!node.is_map()) return;
  Rule rule{.text = {}, .match = {}, .span = node.span};
  name_rule(fields, rule.text, "rule");
  rule.text.effect = effect_of(fields);
  const bool stated = fields.any("approval") != nullptr;
  const auto risk = fields.choice("risk_level", kRisks);
  rule.text.because += fmt::format(" (risk {})", risk.value_or(default_risk_));
  if (!stated) rule.text.comments.push_back("No `approval` of its own: that of the defaults.");
  const bool blocking = rule.text.effect != "allow";
  const Yaml* match = fields.map("match");
  if (match == nullptr && fields.any("match") == nullptr) {
    diagnostics_.error("missing-key", node.span, "a rule needs a `match`", "`match: {type: \"*\"}` matches everything");
  }
  if (match != nullptr) {
    Fields globs(diagnostics_, *match, "`match`");
    rule.match = read_match(globs, blocking, rule.text);
    globs.finish();
  }
  if (const Yaml* conditions = fields.map("conditions")) {
    Fields reader(diagnostics_, *conditions, "`conditions`");
    rule.match.conditional = true;
    const ConditionNeeds needs = read_aegis_conditions(reader, blocking, rule.text);
    needs_minute_ |= needs.minute;
    needs_weekday_ |= needs.weekday;
    reader.finish();
  }
  fields.finish();
  rules_.push_back(std::move(rule));
}

void Aegis::read_plan_rules(Fields& file) {
  const Yaml* node = file.map("plan_rules");
  if (node == nullptr) return;
  Fields plan(diagnostics_, *node, "`plan_rules`");
  if (const Yaml* sequences = plan.list("sequence_patterns")) {
    for (const Yaml& each : sequences->items) read_sequence(each);
  }
  if (const Yaml* risk = plan.any("cumulative_risk")) {
    if (risk->is_list()) {
      for (const Yaml& each : risk->items) read_cumulative_risk(each);
    } else {
      read_cumulative_risk(*risk);
    }
  }
  plan.finish();
  if (!plan_rules_.empty() && !diagnostics_.has_errors()) {
    diagnostics_.warning(
        "needs-host", node->span,
        "plan rules look at what the session did before, so the host must name the session of every call; calls "
        "without one are denied");
  }
}

// Reads one step of a sequence: a glob for the type, or a map of globs.
std::optional<IndexStep> Aegis::read_step(const Yaml& node) {
  IndexStep step;
  if (!node.is_map()) {
    const auto type = text_of(diagnostics_, node, "a step");
    if (!type) return std::nullopt;
    step.type = *type;
    return step;
  }
  Fields fields(diagnostics_, node, "a step");
  step.type = fields.text("type").value_or("*");
  step.target = fields.text("target").value_or("*");
  fields.finish();
  return step;
}

void Aegis::read_sequence(const Yaml& node) {
  Fields fields(diagnostics_, node, "a sequence pattern");
  if (!node.is_map()) return;
  RuleText rule;
  name_rule(fields, rule, "sequence");
  rule.effect = effect_of(fields);
  const auto risk = fields.choice("risk_level", kRisks);
  if (risk) rule.because += fmt::format(" (risk {})", *risk);
  const Yaml* list = fields.list("sequence");
  fields.finish();
  std::vector<IndexStep> steps;
  if (list != nullptr) {
    for (const Yaml& each : list->items) {
      if (auto step = read_step(each)) steps.push_back(*step);
    }
  }
  if (steps.size() < 2) {
    diagnostics_.error("missing-key", node.span, "a sequence pattern needs a `sequence` of two steps or more");
    return;
  }
  if (rule.effect == "allow") {
    diagnostics_.error("bad-value", node.span, "a sequence cannot be allowed by itself",
                       "`approval: approve` or `block`");
    return;
  }
  for (const IndexStep& step : steps) {
    for (const std::string& glob : {step.type, step.target}) {
      if (auto error = pattern_error(glob_pattern(glob))) {
        diagnostics_.error("bad-regex", node.span, "a step is not a valid glob: " + *error);
        return;
      }
    }
  }
  rule.comments.push_back("Safe meaning: the steps in this order, whatever else was done between them.");
  if (steps.size() > 3) {
    rule.comments.push_back("Each step must come before each later one, but not all of them in one row.");
  }
  rule.conditions = remember_sequence(rule.name, steps);
  plan_rules_.push_back(std::move(rule));
}

/// Declares a history for each step but the last. @returns what must hold for this action to be the last
std::vector<std::string> Aegis::remember_sequence(const std::string& rule, const std::vector<IndexStep>& steps) {
  std::vector<std::string> out = step_conditions(steps.back()), names;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    names.push_back(fmt::format("{}_step_{}", rule, i + 1));
    const std::vector<std::string> when = step_conditions(steps[i]);
    histories_.push_back({names.back(),
                          fmt::format("begun *{}{} by session", when.empty() ? "" : " when ", fmt::join(when, " && ")),
                          {fmt::format("Step {} of `{}`.", i + 1, rule)}});
    out.push_back(names.back() + ".seen");
  }
  for (size_t late = 1; late < names.size(); ++late) {
    for (size_t early = 0; early < late; ++early)
      out.push_back(fmt::format("{}.first <= {}.last", names[early], names[late]));
  }
  return out;
}

void Aegis::read_cumulative_risk(const Yaml& node) {
  Fields fields(diagnostics_, node, "`cumulative_risk`");
  if (!node.is_map()) return;
  RuleText rule;
  name_rule(fields, rule, "cumulative_risk");
  rule.effect = effect_of(fields);
  const auto threshold = fields.number("threshold");
  fields.finish();
  if (fields.any("threshold") == nullptr) {
    diagnostics_.error("missing-key", node.span, "`cumulative_risk` needs a `threshold`");
  }
  if (!threshold) return;
  if (rule.effect == "allow" || *threshold < 0) {
    diagnostics_.error("bad-value", node.span, "`cumulative_risk` stops or asks above a threshold of 0 or more");
    return;
  }
  if (!needs_risk_) {
    needs_risk_ = true;
    histories_.push_back(
        {"session_risk",
         "begun * sum !has(action.risk) ? 2.0 : action.risk >= \"critical\" ? 4.0 : action.risk >= \"high\" ? 3.0\n    "
         ": "
         "action.risk == \"low\" ? 1.0 : 2.0 by session",
         {"The risk of all that the session began: low 1, medium 2, high 3, critical 4; none, and what nobody tells,",
          "counts as medium."}});
  }
  rule.conditions = {fmt::format("session_risk.sum > {}", number(*threshold))};
  plan_rules_.push_back(std::move(rule));
}

// Warns of rules without conditions that hide later rules which match no more than they do.
void Aegis::warn_of_shadows() {
  for (size_t late = 0; late < rules_.size(); ++late) {
    for (size_t early = 0; early < late; ++early) {
      if (rules_[early].match.conditional || !covers(rules_[early].match, rules_[late].match)) continue;
      diagnostics_.warning("shadowed", rules_[late].span,
                           fmt::format("never decides: `{}` at {} always answers first", rules_[early].text.name,
                                       place(diagnostics_, rules_[early].span)));
      break;
    }
  }
}

void Aegis::add_default(PolicyText& policy) {
  const bool catches_all = std::any_of(policy.rules.begin(), policy.rules.end(),
                                       [](const RuleText& rule) { return rule.conditions.empty(); });
  if (catches_all) return;
  policy.rules.push_back({.effect = default_effect_,
                          .name = "otherwise",
                          .comments = {"The defaults: what no rule above matches."},
                          .conditions = {},
                          .because = fmt::format("no rule matches (risk {})", default_risk_)});
}

FileText Aegis::assemble(const std::string& path) {
  FileText file;
  file.comments = {fmt::format("Imported from {} (Aegis).", std::filesystem::path(path).filename().string())};
  if (!description_.empty()) file.comments.push_back(description_);
  file.comments.insert(
      file.comments.end(),
      {"", "The first rule that matches answers. action.type, action.target and agent.id are the host's to tell;",
       "what it does not tell counts as matching in rules that block, and as not matching in rules that allow."});
  const std::string base = identifier(name_.empty() ? stem(path) : name_, "policy");
  file.package = "imported." + base;
  file.first_match = true;
  file.histories = histories_;
  const std::string zone = options_.time_zone.empty() ? std::string() : quote(options_.time_zone);
  const std::string where =
      options_.time_zone.empty() ? "in UTC; import with --timezone for another" : options_.time_zone;
  if (needs_minute_) {
    file.lets.push_back({"minute",
                         fmt::format("now.getHours({}) * 60 + now.getMinutes({})", zone, zone),
                         {fmt::format("The minute of the day, {}.", where)}});
  }
  if (needs_weekday_) {
    file.lets.push_back({"weekday",
                         fmt::format("now.getDayOfWeek({})", zone),
                         {fmt::format("The day of the week, 0 for Sunday, {}.", where)}});
  }
  PolicyText policy{
      .name = base, .target = "*", .version = version_, .description = description_, .rules = plan_rules_};
  for (Rule& rule : rules_) policy.rules.push_back(std::move(rule.text));
  add_default(policy);
  file.policies.push_back(std::move(policy));
  return file;
}

}  // namespace

Imported import_aegis(const std::string& path, const ImportOptions& options, const ReadFile& read) {
  Imported out;
  Aegis(options, read, out).run(path);
  return out;
}

}  // namespace ordain::importer
