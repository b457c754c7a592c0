// truth.cc assumes that a condition is true, or false, follows what that means for its parts down to
// the values that they compare, and sees whether a value remains for each.
#include "compiler/lint/truth.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/lint/domain.h"
#include "compiler/lint/keys.h"

namespace ordain::lint {
namespace {

using typed::LoopKind;
using typed::Node;
using typed::NodeKind;

// Conditions that need more are taken for possible. It keeps the pass linear.
constexpr uint64_t kMostWork = 1000;
constexpr size_t kMostSubjectNodes = 24;
constexpr int kMostDepth = 64;

/// What is known of values, by their keys.
using Facts = std::unordered_map<std::string, Domain>;

/// A part of a condition, and the value that it is assumed to have.
struct Assumption {
  const Node* node;
  bool truth;
};

enum class Operator : uint8_t {
  none,
  equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  starts_with,
  ends_with,
  contains,
};

Operator operator_named(std::string_view name) {
  static constexpr std::pair<std::string_view, Operator> kNames[] = {
      {"_<_", Operator::less},
      {"_<=_", Operator::less_equal},
      {"_>_", Operator::greater},
      {"_>=_", Operator::greater_equal},
      {"@in", Operator::in},
      {"startsWith", Operator::starts_with},
      {"endsWith", Operator::ends_with},
      {"contains", Operator::contains},
  };
  for (const auto& [known, value] : kNames) {
    if (known == name) return value;
  }
  return Operator::none;
}

Operator operator_of(const Node& node) {
  if (node.args.size() != 2) return Operator::none;
  if (node.kind == NodeKind::equal || node.kind == NodeKind::not_equal) return Operator::equal;
  if (node.kind != NodeKind::call) return Operator::none;
  if (node.overload != nullptr) return operator_named(node.overload->name);
  return node.function != nullptr ? operator_named(node.function->name) : Operator::none;
}

Operator mirrored(Operator op) {
  switch (op) {
    case Operator::less:
      return Operator::greater;
    case Operator::less_equal:
      return Operator::greater_equal;
    case Operator::greater:
      return Operator::less;
    case Operator::greater_equal:
      return Operator::less_equal;
    case Operator::equal:
      return Operator::equal;
    default:
      return Operator::none;
  }
}

/// `subject OP constant`.
struct Comparison {
  Operator op = Operator::none;
  const Node* subject = nullptr;
  const Value* constant = nullptr;
};

Comparison comparison_with_constant(const Node& node) {
  Operator op = operator_of(node);
  if (op == Operator::none) return {};
  const Node* left = node.args[0];
  const Node* right = node.args[1];
  if (right->kind != NodeKind::constant) {
    if (left->kind != NodeKind::constant) return {};
    op = mirrored(op);
    std::swap(left, right);
  }
  const bool text = op == Operator::starts_with || op == Operator::ends_with || op == Operator::contains;
  if (op == Operator::in && !right->value.is(Kind::list)) return {};
  if (text && (!right->value.is(Kind::string) || left->type->kind != TypeKind::string)) return {};
  if (op == Operator::none || left->kind == NodeKind::constant) return {};
  return {op, left, &right->value};
}

class Reasoner {
 public:
  /// Adds to `facts` what `assumption` means. With `last`, nobody needs the facts any more.
  /// @returns false only if the node cannot have that value where the facts hold
  bool assume(Facts& facts, Assumption assumption, bool last, int depth = 0) {
    if (depth > kMostDepth || !spend(1)) return true;
    const auto [node, truth] = assumption;
    switch (node->kind) {
      case NodeKind::constant:
        return !node->value.is(Kind::boolean) || node->value.as_bool() == truth;
      case NodeKind::not_:
        return assume(facts, {node->args[0], !truth}, last, depth + 1);
      case NodeKind::and_:
      case NodeKind::or_:
        return assume_logic(facts, *node, truth, last, depth);
      case NodeKind::conditional:
        return assume_any(
            facts, {{{node->args[0], true}, {node->args[1], truth}}, {{node->args[0], false}, {node->args[2], truth}}},
            last, depth);
      case NodeKind::let: {
        Facts inner = facts;  // the variable may have another value elsewhere
        return spend(facts.size()) ? assume(inner, {node->args[1], truth}, true, depth + 1) : true;
      }
      case NodeKind::loop:
        return assume_loop(facts, *node, truth, depth) && assume_value(facts, *node, truth);
      default:
        return assume_comparison(facts, *node, truth, last, depth);
    }
  }

 private:
  using Alternative = std::vector<Assumption>;

  bool spend(uint64_t work) {
    if (work_left_ < work) {
      work_left_ = 0;
      return false;
    }
    work_left_ -= work;
    return true;
  }

  // All operands have the value that does not decide, or one of them has the one that does.
  bool assume_logic(Facts& facts, const Node& node, bool truth, bool last, int depth) {
    if (truth != (node.kind == NodeKind::and_)) {
      std::vector<Alternative> alternatives;
      for (const Node* operand : node.args) alternatives.push_back({{operand, truth}});
      return assume_any(facts, alternatives, last, depth);
    }
    // What is simple comes first, since alternatives are then fewer. Those that are left may contradict
    // what the later of them say, so they are looked at twice.
    Alternative simple, composite;
    for (const Node* operand : node.args) (is_composite(*operand) ? composite : simple).push_back({operand, truth});
    const bool again = composite.size() > 1;
    return assume_all(facts, simple, last && composite.empty(), depth) &&
           assume_all(facts, composite, last && !again, depth) && (!again || assume_all(facts, composite, last, depth));
  }

  static bool is_composite(const Node& node) {
    switch (node.kind) {
      case NodeKind::and_:
      case NodeKind::or_:
      case NodeKind::not_:
      case NodeKind::conditional:
      case NodeKind::loop:
      case NodeKind::let:
        return true;
      default:
        return false;
    }
  }

  bool assume_all(Facts& facts, const Alternative& all, bool last, int depth) {
    for (size_t i = 0; i < all.size(); ++i) {
      if (!assume(facts, all[i], last && i + 1 == all.size(), depth + 1)) return false;
    }
    return true;
  }

  bool assume_any(Facts& facts, const std::vector<Alternative>& alternatives, bool last, int depth) {
    std::optional<Facts> joined;
    for (const Alternative& alternative : alternatives) {
      if (!spend(1 + facts.size())) return true;
      Facts copy = facts;
      if (!assume_all(copy, alternative, last, depth)) continue;
      if (last) return true;
      if (joined) {
        join(*joined, copy);
      } else {
        joined = std::move(copy);
      }
    }
    if (!joined) return false;
    facts = std::move(*joined);
    return true;
  }

  static void join(Facts& facts, const Facts& other) {
    for (auto fact = facts.begin(); fact != facts.end();) {
      const auto found = other.find(fact->first);
      if (found == other.end()) {
        fact = facts.erase(fact);
      } else {
        fact->second.join(found->second);
        ++fact;
      }
    }
  }

  // Some element must make the predicate true for exists(), and false for all() to be false.
  bool assume_loop(const Facts& facts, const Node& node, bool truth, int depth) {
    const bool one_true = truth && (node.loop == LoopKind::exists || node.loop == LoopKind::exists_one);
    const bool one_false = !truth && node.loop == LoopKind::all;
    if ((!one_true && !one_false) || !spend(facts.size())) return true;
    Facts inner = facts;
    return assume(inner, {node.args[1], truth}, true, depth + 1);
  }

  bool assume_comparison(Facts& facts, const Node& node, bool truth, bool last, int depth) {
    const Comparison comparison = comparison_with_constant(node);
    if (comparison.op == Operator::none) return assume_value(facts, node, truth);
    const bool holds = truth == (node.kind != NodeKind::not_equal);
    const Value& constant = *comparison.constant;
    const Node& subject = *comparison.subject;
    if (comparison.op == Operator::equal && constant.is(Kind::boolean) && subject.type->kind == TypeKind::boolean) {
      return assume(facts, {&subject, constant.as_bool() == holds}, last, depth + 1);
    }
    if (comparison.op == Operator::in && !spend(constant.aux / 8)) return true;
    Domain* domain = domain_of(facts, subject);
    if (domain == nullptr) domain = &unnamed_.emplace(subject);
    switch (comparison.op) {
      case Operator::less:
      case Operator::less_equal:
        return domain->is_less(constant, comparison.op == Operator::less_equal, holds);
      case Operator::greater:
      case Operator::greater_equal:
        return domain->is_greater(constant, comparison.op == Operator::greater_equal, holds);
      case Operator::in:
        return domain->is_one_of(constant.as_list(), holds);
      case Operator::starts_with:
        return domain->meets_text(TextTest::starts_with, constant.as_text(), holds);
      case Operator::ends_with:
        return domain->meets_text(TextTest::ends_with, constant.as_text(), holds);
      case Operator::contains:
        return domain->meets_text(TextTest::contains, constant.as_text(), holds);
      default:
        return domain->equals(constant, holds);
    }
  }

  // Of anything else it is known that the same expression has the same value.
  bool assume_value(Facts& facts, const Node& node, bool truth) {
    if (node.type->kind != TypeKind::boolean) return true;
    if (node.kind == NodeKind::equal || node.kind == NodeKind::not_equal) return assume_equality(facts, node, truth);
    Domain* domain = domain_of(facts, node);
    return domain == nullptr || domain->equals(Value::boolean(truth), true);
  }

  // `a == b`, `b == a` and `!(a != b)` are one fact.
  bool assume_equality(Facts& facts, const Node& node, bool truth) {
    std::string left = key_of(*node.args[0], kMostSubjectNodes), right = key_of(*node.args[1], kMostSubjectNodes);
    if (left.empty() || right.empty()) return true;
    if (right < left) std::swap(left, right);
    const auto known = facts.try_emplace("=" + left + "=" + right, node).first;
    return known->second.equals(Value::boolean(truth == (node.kind == NodeKind::equal)), true);
  }

  // @returns nullptr if the node has no key
  static Domain* domain_of(Facts& facts, const Node& node) {
    std::string key = key_of(node, kMostSubjectNodes);
    return key.empty() ? nullptr : &facts.try_emplace(std::move(key), node).first->second;
  }

  uint64_t work_left_ = kMostWork;
  std::optional<Domain> unnamed_;  ///< of a value that has no key, for one comparison
};

}  // namespace

bool can_be(const Node& condition, bool truth) {
  Facts facts;
  return Reasoner().assume(facts, {&condition, truth}, true);
}

}  // namespace ordain::lint
