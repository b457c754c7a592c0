// capfence.cc imports CapFence's YAML: lists of rules by effect, rules with an action each, and a
// map from risks to effects.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "import/capfence_conditions.h"
#include "import/fields.h"
#include "import/finish.h"
#include "ordain/import.h"
#include "ordain/schema.h"

namespace ordain::importer {
namespace {

constexpr size_t kMaxExtends = 64;

struct Rule {
  std::string capability;
  RuleText text;
  Span span;
};

class Capfence {
 public:
  Capfence(const ImportOptions& options, const ReadFile& read, Imported& out)
      : options_(options), read_(read), out_(out), diagnostics_(out.diagnostics) {}

  void run(const std::string& path) {
    path_ = path;
    read_file(path, Span{});
    if (diagnostics_.has_errors()) return;
    warn_of_shadows();
    finish(out_, assemble());
  }

 private:
  void read_file(const std::string& path, Span from);
  void read_extends(Fields& file, const std::string& path);
  void read_head(Fields& file);
  void read_section(Fields& file, const char* effect);
  void read_rules(Fields& file);
  void read_risk_levels(Fields& file);
  void add_rule(const Yaml& node, std::string effect, bool listed_by_action);
  std::string capability_of(Fields& rule, bool optional);
  void check_capability(const Yaml& node);
  void warn_of_shadows();
  FileText assemble();
  std::vector<std::string> head() const;

  const ImportOptions& options_;
  const ReadFile& read_;
  Imported& out_;
  Diagnostics& diagnostics_;
  std::string path_;
  std::string name_, description_, version_;
  std::vector<std::string> open_;  // files that extend one another, outermost first
  std::set<std::string> done_;
  std::vector<Rule> rules_;
  std::vector<std::pair<std::string, std::string>> risks_;  // level, effect
  std::map<std::string, std::set<std::string>> fields_;     // by capability
  Needs needs_;
};

void Capfence::read_file(const std::string& path, Span from) {
  const std::string key = std::filesystem::path(path).lexically_normal().string();
  if (std::find(open_.begin(), open_.end(), key) != open_.end()) {
    std::vector<std::string> circle(std::find(open_.begin(), open_.end(), key), open_.end());
    circle.push_back(key);
    diagnostics_.error("extends-cycle", from, fmt::format("files extend each other: {}", fmt::join(circle, " -> ")));
    return;
  }
  if (!done_.insert(key).second) return;
  if (done_.size() > kMaxExtends) {
    diagnostics_.error("extends-cycle", from, fmt::format("more than {} files extend one another", kMaxExtends));
    return;
  }
  const auto source = load(diagnostics_, path, read_, from);
  if (!source) return;
  const auto root = read_yaml(diagnostics_, *source);
  if (!root) return;
  Fields file(diagnostics_, *root, "a policy file");
  if (!root->is_map()) return;
  open_.push_back(key);
  read_extends(file, path);
  read_head(file);
  for (const char* effect : {"deny", "require_approval", "allow"}) read_section(file, effect);
  read_rules(file);
  read_risk_levels(file);
  file.finish();
  open_.pop_back();
}

void Capfence::read_extends(Fields& file, const std::string& path) {
  for (const std::string& name : file.texts("extends")) {
    std::filesystem::path other = std::filesystem::path(path).parent_path() / name;
    if (other.extension() != ".yaml" && other.extension() != ".yml") other += ".yaml";
    read_file(other.string(), file.any("extends")->span);
  }
}

// The requested file is read last, so that its head takes precedence.
void Capfence::read_head(Fields& file) {
  if (const Yaml* version = file.any("version")) {
    const bool known = version->kind == Yaml::Kind::scalar && (version->text == "1" || version->text == "1.0");
    if (!known) diagnostics_.error("bad-value", version->span, "`version` must be 1");
    version_ = version->text;
  }
  if (auto name = file.text("policy_name")) name_ = *name;
  if (auto description = file.text("description")) description_ = *description;
  static const std::vector<std::string> kModes = {"block", "enforce", "observe", "monitor", "warn", "log", "audit"};
  const auto mode = file.choice("enforcement_mode", kModes);
  if (mode && *mode != "block" && *mode != "enforce") {
    diagnostics_.warning(
        "made-safe", file.any("enforcement_mode")->span,
        fmt::format("`{}` is not taken over: the host chooses the mode, and these rules enforce", *mode));
  }
}

void Capfence::read_section(Fields& file, const char* effect) {
  const Yaml* section = file.list(effect);
  if (section == nullptr) return;
  for (const Yaml& node : section->items) add_rule(node, effect, false);
}

void Capfence::read_rules(Fields& file) {
  const Yaml* section = file.list("rules");
  if (section == nullptr) return;
  for (const Yaml& node : section->items) {
    Fields rule(diagnostics_, node, "a rule");
    if (!node.is_map()) continue;
    if (rule.any("action") == nullptr) {
      diagnostics_.error("missing-key", node.span, "a rule of `rules` needs an `action`");
      continue;
    }
    auto action = rule.choice("action", {"block", "deny", "require_approval", "allow", "warn", "log"});
    if (!action) continue;
    if (*action == "block") action = "deny";
    if (*action == "log") action = "warn";
    add_rule(node, *action, true);
  }
}

void Capfence::check_capability(const Yaml& node) {
  const std::string framed = "." + node.text + ".";
  for (size_t at = framed.find('*'); at != std::string::npos; at = framed.find('*', at + 1)) {
    if (framed[at - 1] == '.' && framed[at + 1] == '.') continue;
    diagnostics_.error("bad-value", node.span, "a `*` in a capability stands for a whole segment: `payments.*`");
    return;
  }
  for (char c : node.text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F && c != '"' && c != '\\') continue;
    diagnostics_.error("bad-value", node.span, "a capability's name cannot contain quotes, backslashes or line ends");
    return;
  }
}

std::string Capfence::capability_of(Fields& rule, bool optional) {
  const Yaml* node = rule.any("capability");
  if (node == nullptr) {
    if (!optional) {
      diagnostics_.error("missing-key", rule.node().span, "a rule needs a `capability`", "`\"*\"` stands for all");
    }
    return "*";
  }
  const auto text = rule.text("capability");
  if (text) check_capability(*node);
  return text.value_or("*");
}

void Capfence::add_rule(const Yaml& node, std::string effect, bool listed_by_action) {
  Fields fields(diagnostics_, node, "a rule");
  if (!node.is_map()) return;
  if (listed_by_action) fields.any("action");
  Rule rule{.capability = capability_of(fields, listed_by_action), .text = {.effect = effect}, .span = node.span};
  const auto id = fields.text("id");
  const auto name = fields.text("name");
  const auto description = fields.text("description");
  const auto reason = fields.text("reason");
  if (id || name) rule.text.name = identifier(id ? *id : *name, "rule");
  rule.text.because = reason        ? *reason
                      : description ? *description
                                    : fmt::format("{} at {}", effect, place(diagnostics_, node.span));
  const RuleReading reading{.blocking = effect != "allow",
                            .names_keywords_of_a_call = listed_by_action,
                            .capability = rule.capability,
                            .fields = &fields_[rule.capability],
                            .needs = &needs_};
  read_conditions(fields, reading, rule.text);
  fields.finish();
  if (listed_by_action && effect == "allow" && rule.text.conditions.empty() && rule.capability == "*") {
    diagnostics_.error("missing-key", node.span, "a rule that allows everything: it needs a condition or a capability");
  }
  rules_.push_back(std::move(rule));
}

void Capfence::read_risk_levels(Fields& file) {
  const Yaml* section = file.map("risk_levels");
  if (section == nullptr) return;
  static const std::vector<std::string> kActions = {"allow", "warn", "require_approval", "block", "deny"};
  Fields levels(diagnostics_, *section, "`risk_levels`");
  for (const std::string_view name : kRiskNames) {
    const std::string level(name);
    const Yaml* node = levels.any(level);
    if (node == nullptr) continue;
    std::optional<std::string> action;
    if (node->is_map()) {
      Fields entry(diagnostics_, *node, "a risk level");
      if (entry.any("action") == nullptr) {
        diagnostics_.error("missing-key", node->span, "a risk level needs an `action`");
      }
      action = entry.choice("action", kActions);
      entry.finish();
    } else {
      action = levels.choice(level, kActions);
    }
    if (action) risks_.emplace_back(level, *action == "block" ? "deny" : *action);
  }
  levels.finish();
}

// Warns of rules that cannot be reached, because an unconditional rule of a stronger effect decides
// first.
void Capfence::warn_of_shadows() {
  static constexpr std::array<std::string_view, 3> kStrength = {"deny", "require_approval", "allow"};
  const auto strength = [](const Rule& rule) {
    return std::find(kStrength.begin(), kStrength.end(), rule.text.effect) - kStrength.begin();
  };
  for (const Rule& weak : rules_) {
    if (weak.text.effect == "warn") continue;
    for (const Rule& strong : rules_) {
      const bool covers = strong.capability == weak.capability || strong.capability == "*";
      if (!covers || !strong.text.conditions.empty() || strength(strong) >= strength(weak)) continue;
      diagnostics_.warning("shadowed", weak.span,
                           fmt::format("never decides: the {} without conditions at {} always answers",
                                       strong.text.effect, place(diagnostics_, strong.span)));
      break;
    }
  }
}

std::vector<std::string> Capfence::head() const {
  std::vector<std::string> out = {
      fmt::format("Imported from {} (CapFence).", std::filesystem::path(path_).filename().string())};
  if (!description_.empty()) out.push_back(description_);
  out.insert(out.end(),
             {"", "deny before require_approval before allow; what no rule allows is the host's default: deny.",
              "The input comes from the agent: no condition on who acts, where, or how risky it is reads it.",
              "Rules that block match any spelling; rules that allow match only what is surely meant."});
  return out;
}

FileText Capfence::assemble() {
  FileText file;
  file.comments = head();
  const std::string base = identifier(name_.empty() ? stem(path_) : name_, "policy");
  file.package = "imported." + base;
  file.lets = lets_for(needs_);
  std::map<std::string, size_t> places;
  std::map<std::string, std::map<std::string, int>> names;
  std::set<std::string> taken = {base + "_risk"};
  for (Rule& rule : rules_) {
    auto [at, added] = places.try_emplace(rule.capability, file.policies.size());
    if (added) {
      const std::string stem =
          base + "_" + (rule.capability == "*" ? "any" : identifier(rule.capability, "capability"));
      std::string unique = stem;
      for (int n = 2; !taken.insert(unique).second; ++n) unique = fmt::format("{}_{}", stem, n);
      file.policies.push_back({.name = unique,
                               .target = target(rule.capability),
                               .version = version_,
                               .description = description_,
                               .rules = {}});
    }
    if (!rule.text.name.empty()) {
      auto& used = names[rule.capability];
      const std::string stem = rule.text.name;
      while (used[rule.text.name]++ > 0) rule.text.name = fmt::format("{}_{}", stem, ++used[stem]);
    }
    file.policies[at->second].rules.push_back(rule.text);
    if (options_.declare && rule.capability.find('*') == std::string::npos) {
      file.capabilities[rule.capability].insert(fields_[rule.capability].begin(), fields_[rule.capability].end());
    }
  }
  if (risks_.empty()) return file;
  PolicyText policy{.name = base + "_risk",
                    .target = "*",
                    .version = "",
                    .description = "What the risk of an action asks for.",
                    .rules = {}};
  for (const auto& [level, effect] : risks_) {
    RuleText rule{.effect = effect, .name = level + "_risk"};
    if (effect == "allow" && !rules_.empty()) {
      // Add a comment instead of a rule: the next rule carries it, or the file.
      file.comments.push_back(
          fmt::format("Safe meaning: `{}: allow` under risk_levels says that this risk stops nothing; it allows no "
                      "call that no rule "
                      "allows.",
                      level));
      continue;
    }
    const bool blocks = effect == "deny" || effect == "require_approval";
    rule.conditions = {fmt::format("action.risk {} {}", blocks ? ">=" : "==", quote(level))};
    rule.because = fmt::format("the risk of the action is {}{}", level, blocks ? " or higher" : "");
    policy.rules.push_back(rule);
  }
  if (!policy.rules.empty()) file.policies.push_back(policy);
  return file;
}

}  // namespace

Imported import_capfence(const std::string& path, const ImportOptions& options, const ReadFile& read) {
  Imported out;
  Capfence(options, read, out).run(path);
  return out;
}

}  // namespace ordain::importer
