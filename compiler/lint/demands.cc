// demands.cc numbers conditions by their keys, and collects where each rule applies.
#include "compiler/lint/demands.h"

#include <functional>
#include <utility>

#include "compiler/lint/bodies.h"
#include "compiler/lint/keys.h"

namespace ordain::lint {
namespace {

constexpr size_t kMostConditionNodes = 256;
constexpr size_t kMostConjuncts = 32;

}  // namespace

std::vector<Reach> reach_of_rules(const typed::PolicySet& set) {
  std::vector<Reach> out(set.rules.size());
  uint64_t place = 0;
  for (const auto& lists : set.lists) {
    for (const typed::RuleList& list : lists) {
      ++place;
      for (size_t i = 0; i < list.rules.size(); ++i) {
        const typed::RuleBody& body = *list.rules[i];
        Reach& rule = out[body.rule];
        const uint64_t globs = i < list.targets.size() ? std::hash<GlobSet>()(list.targets[i]) : 0;
        rule.places = (rule.places ^ (place * 0x9E3779B97F4A7C15U) ^ globs) * 1'099'511'628'211U;
        rule.unconditional = (rule.body == nullptr || rule.unconditional) && is_unconditional(body);
        rule.alone = rule.body == nullptr || (rule.alone && rule.body == &body);
        if (rule.body == nullptr) rule.body = &body;
      }
    }
  }
  return out;
}

const Demands& DemandTable::of(const typed::RuleBody& body) {
  const auto [found, added] = known_.try_emplace(&body);
  Demands& out = found->second;
  if (!added || is_unconditional(body)) return out;
  const typed::Node& root = *body.when.root;
  out.whole = number_of(root);
  if (root.kind != typed::NodeKind::and_ || root.args.size() > kMostConjuncts) return out;
  for (const typed::Node* part : root.args) {
    if (const uint32_t number = number_of(*part); number != kNone) out.parts.push_back(number);
  }
  return out;
}

uint32_t DemandTable::number_of(const typed::Node& node) {
  std::string key = key_of(node, kMostConditionNodes);
  if (key.empty()) return kNone;
  return numbers_.try_emplace(std::move(key), static_cast<uint32_t>(numbers_.size())).first->second;
}

}  // namespace ordain::lint
