// Folds constants. Only what certainly has a value is evaluated, so that faults stay where they
// are, and only pure, cheap work with small results is done at compile time.
#include "compiler/fold/fold.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/check/expression/narrowing.h"
#include "ordain/eval.h"

namespace ordain {
namespace {

using typed::Node;
using typed::NodeKind;

// Limits on the cost and memory of one call. A list that the author wrote out has no such limit.
constexpr uint64_t kFoldCost = 10'000;
constexpr uint64_t kFoldCostOfAll = 1'000'000;  // for all calls of one expression together
constexpr uint64_t kFoldCopies = 100'000;       // elements of the constants of one expression, counted once per use
constexpr uint64_t kFoldMemory = 4 << 10;
constexpr size_t kFoldScratch = 16 << 10;

bool is_constant(const Node& node) { return node.kind == NodeKind::constant; }
bool is_bool_constant(const Node& node, bool wanted) {
  return is_constant(node) && node.value.is(Kind::boolean) && node.value.as_bool() == wanted;
}
bool is_bool(const Node& node) { return node.type->kind == TypeKind::boolean; }

class Folder {
 public:
  /// `scratch` holds the results of single calls until they are copied to `arena`.
  Folder(Arena& arena, Arena& scratch) : arena_(arena), scratch_(scratch) {}

  void fold(typed::Expression& expression) {
    if (expression.root == nullptr) return;
    // The tree belongs to the checker, and no reader shares it yet.
    expression.root = fold_node(const_cast<Node*>(expression.root));
  }

 private:
  Node* fold_node(Node* node, bool is_key = false) {
    auto** args = const_cast<Node**>(node->args.data());
    for (size_t i = 0; i < node->args.size(); ++i) {
      args[i] = fold_node(args[i], node->kind == NodeKind::map && i % 2 == 0);
      if (node->kind == NodeKind::let && i == 0) let_values_[node->local] = args[0];
    }
    const uint32_t let = node->of_let;
    Node* out = in_place(node, reduce(node), is_key);
    if (out->of_let == kNone) out->of_let = let;
    if (out->kind == NodeKind::local) {
      auto value = let_values_.find(out->local);
      if (value != let_values_.end()) out->may_fault = value->second->may_fault;
    }
    out->may_fault = checking::may_fault(*out);
    return out;
  }

  // Puts an operand in its parent's place, if that does not move a fault. A value of the wrong kind
  // is reported at the node that produced it, and so is a value that may not be a map's key; faults
  // of the operand itself stay at the operand.
  static Node* in_place(Node* node, Node* operand, bool is_key) {
    const bool same_place = operand->at.file == node->at.file && operand->at.begin == node->at.begin;
    if (same_place || (operand->type->kind != TypeKind::dyn && !is_key)) return operand;
    if (!is_constant(*operand)) return node;
    operand->at = node->at;
    return operand;
  }

  Node* reduce(Node* node) {
    switch (node->kind) {
      case NodeKind::call:
        return fold_call(node);
      case NodeKind::and_:
        return fold_logic(node, true);
      case NodeKind::or_:
        return fold_logic(node, false);
      case NodeKind::not_:
        return fold_not(node);
      case NodeKind::conditional:
        return fold_conditional(node);
      case NodeKind::equal:
      case NodeKind::not_equal:
        return fold_equal(node);
      case NodeKind::select:
      case NodeKind::has_field:
        return fold_field(node);
      case NodeKind::list:
        return fold_list(node);
      case NodeKind::map:
        return fold_map(node);
      case NodeKind::local:
        return fold_local(node);
      case NodeKind::let:
        return is_constant(*node->args[0]) && kept_lets_.count(node->local) == 0 ? const_cast<Node*>(node->args[1])
                                                                                 : node;
      default:
        return node;
    }
  }

  // Makes the node a constant in place: its type and spans stay unchanged.
  static Node* become(Node* node, Value value) {
    node->kind = NodeKind::constant;
    node->value = value;
    node->args = {};
    node->optionals = {};
    node->overload = nullptr;
    node->function = nullptr;
    node->field = {};
    return node;
  }

  static bool all_constant(const Node& node) {
    return std::all_of(node.args.begin(), node.args.end(), [](const Node* arg) { return is_constant(*arg); });
  }

  Node* fold_call(Node* node) {
    if (!all_constant(*node)) return node;
    std::vector<Value> args;
    for (const Node* arg : node->args) args.push_back(arg->value);
    const Overload* overload = node->overload;
    if (overload == nullptr) {
      // Chooses as call_dynamic does.
      for (const Overload* row : node->function->overloads) {
        if (row->call == nullptr || !accepts(*row, args.data(), args.size())) continue;
        overload = row;
        break;
      }
    }
    if (overload == nullptr || overload->call == nullptr || (overload->flags & kNotFolded) != 0) return node;
    scratch_.reset();
    Eval eval;
    eval.arena = &scratch_;
    eval.cost_left = std::min(kFoldCost, cost_left_);
    eval.memory_left = kFoldMemory;
    Value result;
    uint64_t granted = eval.cost_left;
    bool has_value = call_overload(eval, *overload, args.data(), &result);
    cost_left_ -= std::min(cost_left_, granted - eval.cost_left + 1);
    if (!has_value || !result.present()) return node;
    return become(node, copy_value(arena_, result));
  }

  // One operand that decides makes the others irrelevant, including their faults. Operands that
  // cannot decide are dropped.
  Node* fold_logic(Node* node, bool is_and) {
    std::vector<Node*> kept;
    Node* dropped = nullptr;
    for (Node* operand : node->args) {
      if (is_bool_constant(*operand, !is_and)) return become(node, Value::boolean(!is_and));
      if (!is_bool_constant(*operand, is_and)) {
        kept.push_back(operand);
      } else if (dropped == nullptr) {
        dropped = operand;
      }
    }
    if (kept.empty()) return become(node, Value::boolean(is_and));
    if (dropped == nullptr) return node;
    if (kept.size() == 1) {
      if (is_bool(*kept[0])) return kept[0];
      kept = {kept[0], dropped};  // the operand's kind must still be checked, which requires an operator
    }
    std::span<Node*> copied = arena_.copy(kept);
    node->args = {copied.data(), copied.size()};
    return node;
  }

  Node* fold_not(Node* node) {
    Node* operand = node->args[0];
    if (is_constant(*operand) && operand->value.is(Kind::boolean)) {
      return become(node, Value::boolean(!operand->value.as_bool()));
    }
    if (operand->kind == NodeKind::not_ && is_bool(*operand->args[0])) return operand->args[0];
    return node;
  }

  Node* fold_conditional(Node* node) {
    const Node& condition = *node->args[0];
    if (!is_constant(condition) || !condition.value.is(Kind::boolean)) return node;
    return node->args[condition.value.as_bool() ? 1 : 2];
  }

  Node* fold_equal(Node* node) {
    if (!all_constant(*node)) return node;
    Eval eval;
    eval.cost_left = std::min(kFoldCost, cost_left_);
    const uint64_t granted = eval.cost_left;
    bool same = false;
    const bool is_known = equal(eval, node->args[0]->value, node->args[1]->value, &same);
    cost_left_ -= granted - eval.cost_left;
    if (!is_known) return node;
    return become(node, Value::boolean(same == (node->kind == NodeKind::equal)));
  }

  Node* fold_field(Node* node) {
    const Node& operand = *node->args[0];
    if (!is_constant(operand) || !operand.value.is(Kind::map)) return node;
    const Value* found = map_find(*operand.value.map, node->field);
    if (node->kind == NodeKind::has_field) return become(node, Value::boolean(found != nullptr));
    return found == nullptr ? node : become(node, *found);
  }

  static bool has_optionals(const Node& node) {
    return std::find(node.optionals.begin(), node.optionals.end(), true) != node.optionals.end();
  }

  Node* fold_list(Node* node) {
    if (!all_constant(*node) || has_optionals(*node)) return node;
    Value* elements = arena_.array<Value>(node->args.size());
    for (size_t i = 0; i < node->args.size(); ++i) elements[i] = node->args[i]->value;
    return become(node, Value::list({elements, node->args.size()}));
  }

  Node* fold_map(Node* node) {
    if (!all_constant(*node) || has_optionals(*node)) return node;
    MapEntry* entries = arena_.array<MapEntry>(node->args.size() / 2);
    for (size_t i = 0; i < node->args.size(); i += 2) {
      const Value& key = node->args[i]->value;
      if (!key.is(Kind::boolean) && !key.is(Kind::integer) && !key.is(Kind::unsigned_integer) &&
          !key.is(Kind::string)) {
        return node;
      }
      entries[i / 2] = {key, node->args[i + 1]->value};
    }
    const MapRep* map = make_map(arena_, {entries, node->args.size() / 2});
    return map == nullptr ? node : become(node, Value::map_of(map));  // nullptr: a duplicate key faults later
  }

  Node* fold_local(Node* node) {
    auto value = let_values_.find(node->local);
    if (value == let_values_.end() || !is_constant(*value->second)) return node;
    const Value& constant = value->second->value;
    if (!count_copies(constant, &copies_left_)) {
      kept_lets_.insert(node->local);
      return node;
    }
    return become(node, constant);
  }

  // Whether a constant container may stand in one more place. Otherwise lets that double one
  // another could grow the tables without bound.
  static bool count_copies(const Value& value, uint64_t* left) {
    const bool is_list = value.is(Kind::list);
    if (!is_list && !value.is(Kind::map)) return true;
    const uint64_t count = is_list ? value.aux : value.map->count;
    if (*left < count + 1) return false;
    *left -= count + 1;
    for (uint64_t i = 0; i < count; ++i) {
      if (!count_copies(is_list ? value.items[i] : value.map->entries[i].value, left)) return false;
    }
    return true;
  }

  Arena& arena_;
  Arena& scratch_;
  uint64_t cost_left_ = kFoldCostOfAll;
  uint64_t copies_left_ = kFoldCopies;
  std::unordered_set<uint32_t> kept_lets_;  ///< locals that are still used although they are constants
  std::unordered_map<uint32_t, const Node*>
      let_values_;  ///< by local; numbers of locals are unique within an expression
};

void fold_histories(Arena& arena, Arena& scratch, typed::Histories& histories) {
  auto fold_all = [&](std::initializer_list<typed::Expression*> expressions) {
    for (typed::Expression* expression : expressions) Folder(arena, scratch).fold(*expression);
  };
  for (typed::CapabilityState& capability : histories.capabilities) {
    for (typed::StateEffect& effect : capability.effects) fold_all({&effect.when, &effect.amount, &effect.settle});
  }
  for (auto& [slot, text] : histories.texts) fold_all({&text.text});
  for (const std::shared_ptr<typed::LabelRuleBody>& body : histories.label_bodies) {
    fold_all({&body->when, &body->because});
  }
}

}  // namespace

void fold(Arena& arena, typed::Expression& expression) {
  Arena scratch(kFoldScratch);
  Folder(arena, scratch).fold(expression);
}

void fold(Arena& arena, typed::PolicySet& set) {
  std::unordered_set<const typed::RuleBody*> done;
  Arena scratch(kFoldScratch);
  for (std::vector<typed::RuleList>& stage : set.lists) {
    for (typed::RuleList& list : stage) {
      for (const typed::RuleBody*& body : list.rules) {
        if (!done.insert(body).second) continue;
        // Rule bodies belong to the checker, and many lists share one.
        auto& mutable_body = const_cast<typed::RuleBody&>(*body);
        for (typed::Expression* clause : {&mutable_body.when, &mutable_body.because, &mutable_body.from,
                                          &mutable_body.expires, &mutable_body.with}) {
          Folder(arena, scratch).fold(*clause);
        }
      }
    }
  }
  fold_histories(arena, scratch, set.histories);
}

}  // namespace ordain
