// bodies.h visits the rules of a set as they apply to capabilities.
#pragma once

#include <unordered_set>
#include <utility>
#include <vector>

#include "compiler/check/expression/typed.h"

namespace ordain::lint {

/// Calls visit(const typed::RuleBody&) once for each body: for each meaning that a rule has.
template <typename Visit>
void for_each_body(const typed::PolicySet& set, Visit visit) {
  std::unordered_set<const typed::RuleBody*> done;
  // Most rules mean the same for all capabilities, of which there may be many.
  std::vector<const typed::RuleBody*> last(set.rules.size());
  for (const auto& lists : set.lists) {
    for (const typed::RuleList& list : lists) {
      for (const typed::RuleBody* body : list.rules) {
        if (std::exchange(last[body->rule], body) == body) continue;
        if (done.insert(body).second) visit(*body);
      }
    }
  }
}

inline bool is_constant_bool(const typed::Node* node, bool wanted) {
  return node != nullptr && node->kind == typed::NodeKind::constant && node->value.is(Kind::boolean) &&
         node->value.as_bool() == wanted;
}

/// Whether the rule matches every call of its capabilities.
inline bool is_unconditional(const typed::RuleBody& body) {
  return body.when.root == nullptr || is_constant_bool(body.when.root, true);
}

/// Where a message about a rule's condition points.
inline Span condition_span(const typed::PolicySet& set, const typed::RuleBody& body) {
  const Span span = body.when.root != nullptr ? body.when.root->span : Span{};
  return span.end > span.begin ? span : set.rule_spans[body.rule];
}

}  // namespace ordain::lint
