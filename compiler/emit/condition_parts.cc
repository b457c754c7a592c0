// Takes conditions apart. If `&&` joins the operands of a let's body, each of them becomes a
// part with that variable.
#include "compiler/emit/condition_parts.h"

namespace ordain {
namespace {

using typed::Node;
using typed::NodeKind;

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
      part->of_let = kNone;
      part->args = arena.copy(std::vector<Node*>{node->args[0], const_cast<Node*>(body)});
      out.push_back(part);
    }
  } else {
    out.push_back(node);
  }
}

}  // namespace

ConditionParts take_apart(Arena& arena, const typed::PolicySet& set) {
  ConditionParts out;
  for (const std::vector<typed::RuleList>& stage : set.lists) {
    for (const typed::RuleList& list : stage) {
      for (const typed::RuleBody* body : list.rules) {
        if (body->when.root == nullptr) continue;
        const auto [parts, is_new] = out.try_emplace(body);
        if (!is_new) continue;
        std::vector<const Node*> roots;
        collect(arena, body->when.root, roots);
        for (const Node* root : roots) parts->second.push_back({root, body->when.local_count});
      }
    }
  }
  return out;
}

}  // namespace ordain
