#include "compiler/condition_parts.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace ordain {
namespace {

using typed::Node;
using typed::NodeKind;
using typed::RuleBody;

// The parts of a variable's body are parts with that variable.
void collect(Arena& arena, const Node* node, std::vector<const Node*>& out) {
  if (node->kind == NodeKind::and_) {
    for (const Node* part : node->args) collect(arena, part, out);
  } else if (node->kind == NodeKind::let) {
    std::vector<const Node*> bodies;
    collect(arena, node->args[1], bodies);
    for (const Node* body : bodies) {
      Node* part = arena.make<Node>(*node);
      part->type = body->type;
      part->span = body->span;
      part->args = arena.copy(std::vector<Node*>{node->args[0], const_cast<Node*>(body)});
      out.push_back(part);
    }
  } else {
    out.push_back(node);
  }
}

class Splitter {
 public:
  Splitter(Arena& arena, const typed::PolicySet& set, std::vector<ConditionPart>& parts)
      : arena_(arena), set_(set), parts_(parts) {}

  typed::PolicySet run() {
    out_.schema = set_.schema;
    out_.packages = set_.packages;
    for (const RuleBody* body : in_source_order()) split(*body);
    for (size_t stage = 0; stage < 2; ++stage) {
      for (const typed::RuleList& list : set_.lists[stage]) out_.lists[stage].push_back(parts_of(list));
    }
    return std::move(out_);
  }

 private:
  // Each once. Rules are numbered in the order of the text.
  std::vector<const RuleBody*> in_source_order() const {
    std::vector<const RuleBody*> out;
    std::unordered_set<const RuleBody*> seen;
    for (const std::vector<typed::RuleList>& stage : set_.lists) {
      for (const typed::RuleList& list : stage) {
        for (const RuleBody* body : list.rules) {
          if (body->when.root != nullptr && seen.insert(body).second) out.push_back(body);
        }
      }
    }
    std::stable_sort(out.begin(), out.end(), [](const RuleBody* a, const RuleBody* b) { return a->rule < b->rule; });
    return out;
  }

  void split(const RuleBody& body) {
    std::vector<const Node*> conditions;
    collect(arena_, body.when.root, conditions);
    for (const Node* condition : conditions) {
      RuleInfo info = set_.rules[body.rule];
      info.kind = RuleKind::warn;  // no part is to decide anything
      info.redact_path.clear();
      RuleBody* part = arena_.make<RuleBody>();
      part->rule = static_cast<RuleId>(out_.rules.size());
      part->when = {condition, body.when.local_count};
      bodies_[&body].push_back(part);
      out_.rules.push_back(std::move(info));
      out_.rule_spans.push_back(condition->span);
      out_.rule_packages.push_back(set_.rule_packages[body.rule]);
      parts_.push_back({body.rule, condition->span});
    }
  }

  typed::RuleList parts_of(const typed::RuleList& list) {
    typed::RuleList out;
    for (size_t i = 0; i < list.rules.size(); ++i) {
      for (const RuleBody* part : bodies_[list.rules[i]]) {
        out.rules.push_back(part);
        if (!list.targets.empty()) out.targets.push_back(list.targets[i]);
      }
    }
    return out;
  }

  Arena& arena_;
  const typed::PolicySet& set_;
  std::vector<ConditionPart>& parts_;
  typed::PolicySet out_;
  std::unordered_map<const RuleBody*, std::vector<const RuleBody*>> bodies_;
};

}  // namespace

typed::PolicySet take_apart(Arena& arena, const typed::PolicySet& set, std::vector<ConditionPart>* parts) {
  return Splitter(arena, set, *parts).run();
}

}  // namespace ordain
