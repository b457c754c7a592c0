// Rules and plans: which predicates a rule consists of, and which rules decide a capability's calls. Everything is
// shared that is the same: predicates between rules, a rule's code between capabilities, plans between capabilities.
#include "compiler/emit/emit.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <iterator>
#include <map>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/emit/expression.h"
#include "compiler/emit/index.h"
#include "compiler/index/index.h"

namespace ordain {
namespace {

using emission::ExpressionEmitter;
using emission::Tables;
using typed::Expression;
using typed::NodeKind;
using typed::PolicySet;
using typed::RuleBody;
using typed::RuleList;

constexpr uint8_t kind_number(Kind kind) { return static_cast<uint8_t>(kind); }

bool is_constant(const Expression& expression, Kind kind) {
  return expression.root != nullptr && expression.root->kind == NodeKind::constant && expression.root->value.is(kind);
}

/// A rule that no call can match has no code.
bool never_applies(const RuleBody& body) {
  return is_constant(body.when, Kind::boolean) && !body.when.root->value.as_bool();
}

/// Plan entries and package plans, each run of them once.
template <typename T>
class Runs {
 public:
  explicit Runs(std::vector<T>& all) : all_(all) {}

  Range add(const std::vector<T>& items) {
    if (items.empty()) return {};
    std::vector<uint32_t> key(items.size() * sizeof(T) / sizeof(uint32_t));
    std::memcpy(key.data(), items.data(), items.size() * sizeof(T));
    auto [entry, added] = known_.try_emplace(std::move(key));
    if (added) {
      entry->second = {static_cast<uint32_t>(all_.size()), static_cast<uint32_t>(items.size())};
      all_.insert(all_.end(), items.begin(), items.end());
    }
    return entry->second;
  }

 private:
  static_assert(sizeof(T) % sizeof(uint32_t) == 0 && std::has_unique_object_representations_v<T>);
  std::vector<T>& all_;
  std::map<std::vector<uint32_t>, Range> known_;
};

class SetEmitter {
 public:
  SetEmitter(const PolicySet& set, const Diagnostics& diagnostics, ProgramData& data)
      : set_(set),
        data_(data),
        tables_(data, diagnostics),
        expressions_(tables_),
        plan_(data.rule_list),
        package_rules_(data.package_rules) {}

  void emit() {
    for (const typed::Package& package : set_.packages) data_.packages.push_back({package.name, package.digest});
    data_.rules = set_.rules;
    data_.policy_versions = set_.policy_versions;
    std::sort(data_.policy_versions.begin(), data_.policy_versions.end(),
              [](const PolicyVersion& a, const PolicyVersion& b) { return a.policy < b.policy; });
    for (size_t i = 0; i < data_.rules.size(); ++i) data_.rules[i].location = tables_.location(set_.rule_spans[i]);
    data_.capability_rules.resize(data_.schema.capabilities.size() + 1);
    for (size_t stage = 0; stage < 2; ++stage) {
      for (size_t i = 0; i < set_.lists[stage].size(); ++i) {
        data_.capability_rules[i].packages[stage] = plan(set_.lists[stage][i]);
      }
    }
    tables_.finish_bits();
    emission::own_types(data_.memory, data_.schema);
  }

  double plan_milliseconds() const { return plan_time_.count(); }

 private:
  uint32_t predicate(const Expression& expression, uint8_t kind) {
    return expression.root == nullptr ? kNone : expressions_.emit(expression, kind);
  }

  RuleCode code_of(const RuleBody& body) {
    auto [entry, added] = codes_.try_emplace(&body);
    if (!added) return entry->second;
    RuleCode code{.rule = body.rule};
    if (!is_constant(body.when, Kind::boolean)) code.condition = predicate(body.when, kind_number(Kind::boolean));
    if (is_constant(body.because, Kind::string)) {
      code.because_text = tables_.constant(body.because.root->value);
    } else {
      code.because = predicate(body.because, kind_number(Kind::string));
    }
    code.from = predicate(body.from, from_kind(body.from));
    code.expires = predicate(body.expires, kind_number(Kind::duration));
    code.with = predicate(body.with, kAnyKind);
    return codes_[&body] = code;
  }

  // A string or a list of strings; what is not known until it runs may be either.
  static uint8_t from_kind(const Expression& from) {
    if (from.root == nullptr) return kAnyKind;
    uint8_t kind = emission::register_kind(*from.root->type);
    return kind == kind_number(Kind::string) || kind == kind_number(Kind::list) ? kind : kAnyKind;
  }

  uint32_t target_set(const GlobSet& globs) {
    auto [entry, added] = target_sets_.try_emplace(globs, static_cast<uint32_t>(data_.target_sets.size()));
    if (added) data_.target_sets.push_back(globs);
    return entry->second;
  }

  uint32_t intern(const RuleCode& code, const RuleBody& body) {
    auto as_tuple = [](const RuleCode& c) {
      return std::array{c.rule, c.condition, c.because, c.because_text, c.from, c.expires, c.with, c.target_set};
    };
    auto [entry, added] = rule_codes_.try_emplace(as_tuple(code), static_cast<uint32_t>(data_.rule_codes.size()));
    if (added) {
      data_.rule_codes.push_back(code);
      bodies_.push_back(&body);
    }
    return entry->second;
  }

  /// Rules by package, packages in the order in which the set names them.
  Range plan(const RuleList& list) {
    std::map<uint32_t, std::vector<uint32_t>> by_package;
    for (size_t i = 0; i < list.rules.size(); ++i) {
      const RuleBody& body = *list.rules[i];
      if (never_applies(body)) continue;
      RuleCode code = code_of(body);
      if (!list.targets.empty()) code.target_set = target_set(list.targets[i]);
      by_package[set_.rule_packages[body.rule]].push_back(intern(code, body));
    }
    std::vector<PackageRules> plans;
    for (const auto& [package, entries] : by_package) plans.push_back(package_rules(package, entries));
    return package_rules_.add(plans);
  }

  PackageRules package_rules(uint32_t package, const std::vector<uint32_t>& entries) {
    const bool first_match = set_.packages[package].first_match;
    PackageRules out{.package = package, .first_match = first_match ? 1u : 0u};
    for (const RuleListInfo& list : kRuleLists) {
      if (!list.is_used(first_match)) continue;
      std::vector<uint32_t> held;
      std::copy_if(entries.begin(), entries.end(), std::back_inserter(held),
                   [&](uint32_t entry) { return list.holds(data_.rules[data_.rule_codes[entry].rule].kind); });
      out.*list.member = rule_range(held);
    }
    return out;
  }

  RuleRange rule_range(const std::vector<uint32_t>& entries) {
    const Range range = plan_.add(entries);
    auto [known, is_new] = nodes_.try_emplace({range.first, range.count});
    if (is_new) known->second = index(range, entries);
    return {range, known->second};
  }

  /// The DAG of a range of entries.
  Range index(Range range, const std::vector<uint32_t>& entries) {
    std::vector<planning::Rule> rules;
    for (uint32_t entry : entries) {
      const RuleKind kind = data_.rules[data_.rule_codes[entry].rule].kind;
      rules.push_back({bodies_[entry], kind != RuleKind::allow && kind != RuleKind::warn});
    }
    const auto start = std::chrono::steady_clock::now();
    const planning::Dag dag = planning::plan(rules, set_.schema);
    plan_time_ += std::chrono::steady_clock::now() - start;
    data_.index_notes.resize(data_.rule_list.size());
    std::copy(dag.notes.begin(), dag.notes.end(), data_.index_notes.begin() + range.first);
    return emission::add_plan(tables_, data_, dag, range.first);
  }

  const PolicySet& set_;
  std::chrono::duration<double, std::milli> plan_time_{0};
  ProgramData& data_;
  Tables tables_;
  ExpressionEmitter expressions_;
  Runs<uint32_t> plan_;
  Runs<PackageRules> package_rules_;
  std::map<std::pair<uint32_t, uint32_t>, Range> nodes_;  ///< by entries
  std::vector<const RuleBody*> bodies_;                   ///< by rule code
  std::unordered_map<const RuleBody*, RuleCode> codes_;
  std::unordered_map<GlobSet, uint32_t> target_sets_;
  std::map<std::array<uint32_t, 8>, uint32_t> rule_codes_;
};

}  // namespace

ProgramData emit(const typed::PolicySet& set, const Diagnostics& diagnostics, double* plan_milliseconds) {
  ProgramData data;
  data.schema = set.schema;
  SetEmitter emitter(set, diagnostics, data);
  emitter.emit();
  if (plan_milliseconds != nullptr) *plan_milliseconds = emitter.plan_milliseconds();
  return data;
}

ProgramData emit(const typed::Expression& expression, const Schema& schema, const Diagnostics& diagnostics) {
  ProgramData data;
  data.schema = schema;
  Tables tables(data, diagnostics);
  ExpressionEmitter(tables).emit(expression, kAnyKind);
  data.capability_rules.resize(schema.capabilities.size() + 1);
  tables.finish_bits();
  emission::own_types(data.memory, data.schema);
  return data;
}

}  // namespace ordain
