// Counts how often each let is used, and compares what it means for different capabilities.
#include "compiler/emit/let_sharing.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "compiler/emit/expression.h"

namespace ordain::emission {
namespace {

using typed::Node;
using typed::NodeKind;

bool is_small(const Type& type) {
  switch (type.kind) {
    case TypeKind::string:
    case TypeKind::bytes:
    case TypeKind::list:
    case TypeKind::map:
    case TypeKind::record:
    case TypeKind::abstract:
      return false;
    default:
      return true;
  }
}

// Whether the function takes about as long as a comparison, whatever its arguments are.
bool is_quick(const Overload& overload) {
  if (overload.intrinsic != Intrinsic::none) return true;
  if (overload.name == "size") return overload.params[0]->kind != TypeKind::string;
  const auto takes_any = [](const Type* param) { return param->kind == TypeKind::dyn; };
  return is_small(*overload.result) &&
         std::ranges::all_of(overload.params, [](const Type* param) { return is_small(*param); }) &&
         std::ranges::none_of(overload.params, takes_any);
}

/// A place where a let is used: within the value of another let, or (nullptr) in the rule itself.
struct LetUse {
  uint32_t let;
  const Node* within;
};

void collect_uses(const Node& node, const Schema& schema, const Node* within, std::vector<LetUse>& out) {
  if (node.of_let != kNone && LetSharing::pays(node, schema)) {
    out.push_back({node.of_let, within});
    within = &node;
  }
  const size_t count = node.kind == NodeKind::loop ? 1 : node.args.size();
  for (size_t i = 0; i < count; ++i) collect_uses(*node.args[i], schema, within, out);
}

std::vector<LetUse> uses_of(const typed::RuleBody& body, const Schema& schema) {
  std::vector<LetUse> out;
  for (const typed::Expression* clause : {&body.when, &body.because, &body.from, &body.expires, &body.with}) {
    if (clause->root != nullptr) collect_uses(*clause->root, schema, nullptr, out);
  }
  return out;
}

/// Counts the uses within one list of rules.
class UseCounter {
 public:
  /// @returns how often the let is used so far
  uint32_t add(const LetUse& use) {
    uint32_t& count = counts_[use.let];
    if (use.within == nullptr) return ++count;
    // However often the other let is used, it is computed once.
    const auto [first, is_new] = first_.try_emplace({use.let, use.within->of_let}, use.within);
    return first->second == use.within ? ++count : count;
  }

 private:
  std::unordered_map<uint32_t, uint32_t> counts_;
  std::map<std::pair<uint32_t, uint32_t>, const Node*> first_;  ///< by let and the let around it
};

/// Compares trees that may differ in the numbers of their variables.
class TreeComparison {
 public:
  bool same(const Node& a, const Node& b) {
    if (a.kind != b.kind || a.loop != b.loop || a.fault_code != b.fault_code || a.may_fault != b.may_fault ||
        a.type->kind != b.type->kind || a.at.file != b.at.file || a.at.begin != b.at.begin || a.slot != b.slot ||
        a.field != b.field || a.overload != b.overload || a.function != b.function || a.args.size() != b.args.size() ||
        !std::ranges::equal(a.optionals, b.optionals)) {
      return false;
    }
    if (!same_local(a.local, b.local) || !same_local(a.local2, b.local2)) return false;
    if (a.value.kind != b.value.kind || (a.value.present() && !equal(a.value, b.value))) return false;
    return std::ranges::equal(a.args, b.args, [this](const Node* x, const Node* y) { return same(*x, *y); });
  }

 private:
  bool same_local(uint32_t a, uint32_t b) {
    if ((a == kNone) != (b == kNone)) return false;
    return a == kNone || locals_.try_emplace(a, b).first->second == b;
  }

  std::unordered_map<uint32_t, uint32_t> locals_;
};

}  // namespace

LetSharing::LetSharing(const typed::PolicySet& set)
    : set_(set), shared_(set.lets.size(), false), numbers_(set.lets.size()) {
  if (set.lets.empty()) return;
  std::unordered_map<const typed::RuleBody*, std::vector<LetUse>> known;
  for (const std::vector<typed::RuleList>& stage : set.lists) {
    for (const typed::RuleList& list : stage) {
      UseCounter counter;
      for (const typed::RuleBody* body : list.rules) {
        const auto [uses, is_new] = known.try_emplace(body);
        if (is_new) uses->second = uses_of(*body, set.schema);
        for (const LetUse& use : uses->second) {
          if (!shared_[use.let] && counter.add(use) > 1) shared_[use.let] = true;
        }
      }
    }
  }
}

bool LetSharing::pays(const typed::Node& node, const Schema& schema) {
  if (node.kind == NodeKind::loop) return true;
  if (node.kind == NodeKind::call && !typed::is_free_membership(node, schema) && find_shortcut(node) == nullptr &&
      (node.overload == nullptr || !is_quick(*node.overload))) {
    return true;
  }
  return std::ranges::any_of(node.args, [&schema](const Node* arg) { return pays(*arg, schema); });
}

uint32_t LetSharing::number(ProgramData& data, const typed::Node& node, uint8_t kind) {
  std::vector<Numbered>& numbers = numbers_[node.of_let];
  for (const Numbered& known : numbers) {
    if (data.shared_lets[known.number].kind == kind && TreeComparison().same(*known.node, node)) return known.number;
  }
  if (data.shared_lets.size() == kMaxSharedLets) return kNone;
  const auto number = static_cast<uint32_t>(data.shared_lets.size());
  data.shared_lets.push_back({set_.lets[node.of_let], kind});
  numbers.push_back({number, &node});
  return number;
}

}  // namespace ordain::emission
