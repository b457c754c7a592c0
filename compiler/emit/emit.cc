// Emits rules and their lists: the predicates of which a rule consists, and the rules that
// decide a capability's calls. Whatever is equal is shared: predicates between rules, and a rule's
// code and lists of rules between capabilities.
#include "compiler/emit/emit.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/emit/expression.h"
#include "compiler/emit/histories.h"
#include "compiler/emit/index.h"

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

/// Stores sequences (of entries of rule lists, or of package rules), each only once.
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
  SetEmitter(const PolicySet& set, const indexing::Index& index, const Diagnostics& diagnostics, ProgramData& data)
      : set_(set),
        index_(index),
        data_(data),
        tables_(data, diagnostics),
        lets_(set),
        expressions_(tables_, &lets_),
        rule_list_(data.rule_list),
        package_rules_(data.package_rules) {}

  void emit(const ConditionParts& parts) {
    for (const typed::Package& package : set_.packages) {
      data_.packages.push_back({package.name, package.digest, package.budget});
    }
    data_.rules = set_.rules;
    data_.policy_versions = set_.policy_versions;
    std::sort(data_.policy_versions.begin(), data_.policy_versions.end(),
              [](const PolicyVersion& a, const PolicyVersion& b) { return a.policy < b.policy; });
    for (size_t i = 0; i < data_.rules.size(); ++i) data_.rules[i].location = tables_.location(set_.rule_spans[i]);
    data_.capability_rules.resize(data_.schema.capabilities.size() + 1);
    for (size_t stage = 0; stage < 2; ++stage) {
      for (size_t i = 0; i < set_.lists[stage].size(); ++i) {
        data_.capability_rules[i].packages[stage] = add_packages(set_.lists[stage][i], index_.packages[stage][i]);
      }
    }
    if (set_.histories.any()) emission::add_histories(set_, tables_, data_);
    if (!parts.empty()) add_parts(parts);
    tables_.finish_bits();
    emission::own_types(data_.memory, data_.schema);
  }

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
    code.need = body.need;
    code.distinct = body.distinct;
    return codes_[&body] = code;
  }

  // A string or a list of strings; a type that is only known at run time may be either.
  static uint8_t from_kind(const Expression& from) {
    if (from.root == nullptr) return kAnyKind;
    uint8_t kind = emission::register_kind(*from.root->type);
    return kind == kind_number(Kind::string) || kind == kind_number(Kind::list) ? kind : kAnyKind;
  }

  uint32_t intern(const RuleCode& code, const RuleBody& body) {
    auto as_tuple = [](const RuleCode& c) {
      return std::array{c.rule,    c.condition, c.because,    c.because_text, c.from,
                        c.expires, c.with,      c.target_set, c.need,         uint32_t{c.distinct}};
    };
    auto [entry, added] = rule_codes_.try_emplace(as_tuple(code), static_cast<uint32_t>(data_.rule_codes.size()));
    if (added) {
      data_.rule_codes.push_back(code);
      bodies_.push_back(&body);
    }
    return entry->second;
  }

  /// Adds the rules of a capability and stage. A rule that cannot match any call has no code.
  Range add_packages(const RuleList& list, const std::vector<indexing::IndexedPackage>& packages) {
    std::vector<uint32_t> codes(list.rules.size(), kNone);
    for (size_t i = 0; i < list.rules.size(); ++i) {
      const RuleBody& body = *list.rules[i];
      if (never_applies(body)) continue;
      RuleCode code = code_of(body);
      if (!list.targets.empty()) code.target_set = tables_.target_set(list.targets[i]);
      codes[i] = intern(code, body);
    }
    std::vector<PackageRules> out;
    for (const indexing::IndexedPackage& package : packages) out.push_back(package_rules(package, codes));
    return package_rules_.add(out);
  }

  /// @param codes by place in the list from which `package` is indexed
  PackageRules package_rules(const indexing::IndexedPackage& package, const std::vector<uint32_t>& codes) {
    PackageRules out{.package = package.package, .first_match = package.first_match ? 1u : 0u};
    for (size_t i = 0; i < kRuleLists.size(); ++i) {
      if (package.lists[i].dag != kNone) out.*kRuleLists[i].member = rule_range(package.lists[i], codes);
    }
    return out;
  }

  RuleRange rule_range(const indexing::IndexedList& list, const std::vector<uint32_t>& codes) {
    std::vector<uint32_t> entries;
    entries.reserve(list.places.size());
    for (const uint32_t place : list.places) entries.push_back(codes[place]);
    const Range range = rule_list_.add(entries);
    auto [known, is_new] = nodes_.try_emplace({range.first, range.count});
    if (is_new) {
      const indexing::Dag& dag = index_.dags[list.dag];
      data_.index_notes.resize(data_.rule_list.size());
      std::copy(dag.notes.begin(), dag.notes.end(), data_.index_notes.begin() + range.first);
      known->second = emission::add_dag(tables_, data_, dag, range.first);
    }
    return {range, known->second};
  }

  /// Called after everything else, so that it does not renumber anything that the rules need.
  void add_parts(const ConditionParts& parts) {
    for (uint32_t code = 0; code < bodies_.size(); ++code) {
      const auto of_body = parts.find(bodies_[code]);
      if (of_body == parts.end()) continue;
      for (const Expression& part : of_body->second) {
        const Span& span = part.root->span;
        const uint32_t location = tables_.location(span);
        if (is_constant(part, Kind::boolean) || location == kNone) continue;
        const uint32_t number = predicate(part, kind_number(Kind::boolean));
        data_.condition_parts.push_back({code, number, location, span.begin, span.end});
      }
    }
  }

  const PolicySet& set_;
  const indexing::Index& index_;
  ProgramData& data_;
  Tables tables_;
  emission::LetSharing lets_;
  ExpressionEmitter expressions_;
  Runs<uint32_t> rule_list_;
  Runs<PackageRules> package_rules_;
  std::map<std::pair<uint32_t, uint32_t>, Range> nodes_;  ///< by entries
  std::vector<const RuleBody*> bodies_;                   ///< by rule code
  std::unordered_map<const RuleBody*, RuleCode> codes_;
  std::map<std::array<uint32_t, 10>, uint32_t> rule_codes_;
};

}  // namespace

ProgramData emit(const typed::PolicySet& set, const indexing::Index& index, const Diagnostics& diagnostics,
                 const ConditionParts& parts) {
  ProgramData data;
  data.schema = set.schema;
  SetEmitter(set, index, diagnostics, data).emit(parts);
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
