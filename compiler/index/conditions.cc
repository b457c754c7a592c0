// Brings conditions into disjunctive normal form, as far as that stays small. A part that is not
// understood gives no test: the rule is then tried more often than necessary, but never less often.
//
// If a fault of a rule matters, the rule may be skipped only if nothing in its condition can
// exhaust the budget before the false conjunct is reached. Tests that have a cost therefore count
// only while all tests before them have a known cost.
//
// Where no fault matters, a rule may be skipped whatever its tests cost. But that it matches is not
// sure while one of them might exhaust a budget smaller than the default one.
#include "compiler/index/conditions.h"

#include <algorithm>
#include <cmath>

#include "compiler/index/arithmetic.h"
#include "ordain/eval.h"
#include "vm/program/link_tables.h"
#include "vm/value/ip_address.h"

namespace ordain::indexing {
namespace {

using typed::LoopKind;
using typed::Node;
using typed::NodeKind;

constexpr size_t kMaxAlternatives = 16;
constexpr size_t kMaxAtoms = 24;
constexpr uint64_t kMaxCostlyTests = 16;  // in one condition

using Dnf = std::vector<Alternative>;

Dnf opaque() { return {{.atoms = {}, .exact = false}}; }
Dnf single(Atom atom) {
  Alternative out;
  out.exact = atom.exact;
  out.atoms.push_back(std::move(atom));
  return {std::move(out)};
}

bool is_constant(const Node& node) { return node.kind == NodeKind::constant; }
bool is_text_constant(const Node& node) { return is_constant(node) && node.value.is(Kind::string); }
bool is_nan(const Value& value) { return value.is(Kind::floating) && std::isnan(value.d); }

bool all_strings(const Value& list) {
  return std::ranges::all_of(list.as_list(), [](const Value& element) { return element.is(Kind::string); });
}

bool is_ascii_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Whether the node is a text with its ASCII letters in one case.
bool is_case_folded(const Node& node) {
  return node.kind == NodeKind::call && node.overload != nullptr &&
         (node.overload->id == "string_lower_ascii" || node.overload->id == "string_upper_ascii");
}

// The text that a test of texts reads, before its case is folded.
const Node& text_of(const Node& test) {
  const Node& receiver = *test.args[0];
  return is_case_folded(receiver) ? *receiver.args[0] : receiver;
}

// Whether the node is `cidr("...").containsIP(slot)` for a slot with the text of an address.
bool is_network_test(const Node& node) {
  return node.kind == NodeKind::call && node.overload != nullptr && node.overload->id == "cidr_contains_ip_string" &&
         is_constant(*node.args[0]) && node.args[0]->value.is(Kind::cidr) && node.args[1]->kind == NodeKind::slot;
}

enum class Comparison { none, less, less_equal, greater, greater_equal };

Comparison comparison_of(const Node& node) {
  if (node.kind != NodeKind::call || node.overload == nullptr || node.args.size() != 2) return Comparison::none;
  const std::string& name = node.overload->name;
  if (name == "_<_") return Comparison::less;
  if (name == "_<=_") return Comparison::less_equal;
  if (name == "_>_") return Comparison::greater;
  if (name == "_>=_") return Comparison::greater_equal;
  return Comparison::none;
}

Comparison swapped(Comparison c) {
  switch (c) {
    case Comparison::less:
      return Comparison::greater;
    case Comparison::less_equal:
      return Comparison::greater_equal;
    case Comparison::greater:
      return Comparison::less;
    case Comparison::greater_equal:
      return Comparison::less_equal;
    default:
      return c;
  }
}

Comparison inverted(Comparison c) {
  switch (c) {
    case Comparison::less:
      return Comparison::greater_equal;
    case Comparison::less_equal:
      return Comparison::greater;
    case Comparison::greater:
      return Comparison::less_equal;
    case Comparison::greater_equal:
      return Comparison::less;
    default:
      return c;
  }
}

class Reader {
 public:
  Reader(const Schema& schema, bool strict, uint64_t budget) : schema_(schema), strict_(strict), budget_(budget) {}

  Dnf read(const Node& node, bool negated) {
    switch (node.kind) {
      case NodeKind::and_:
      case NodeKind::or_:
        return (node.kind == NodeKind::and_) != negated ? all_of(node, negated) : any_of(node, negated);
      case NodeKind::not_:
        return read(*node.args[0], !negated);
      case NodeKind::constant:
        if (!node.value.is(Kind::boolean)) return opaque();
        return node.value.as_bool() != negated ? Dnf{Alternative{}} : Dnf{};
      default:
        return test(node, negated);
    }
  }

  /// Limits the length of texts so that all tests with a cost together stay within the budget.
  void limit_texts(Dnf& dnf) const {
    uint64_t longest = UINT64_MAX;
    for (const Node* test : costly_texts_) {
      longest = std::min(longest, longest_text(*test, budget_ / costly_));
      if (is_case_folded(*test->args[0])) longest = std::min(longest, Budget().memory / costly_);
    }
    for (Alternative& alternative : dnf) {
      for (Atom& atom : alternative.atoms) {
        if (atom.test == IndexTest::text) atom.longest = longest;
      }
    }
  }

 private:
  Dnf all_of(const Node& node, bool negated) {
    Dnf out{Alternative{}};
    for (const Node* operand : node.args) {
      const Dnf factor = read(*operand, negated);
      if (out.size() * factor.size() > kMaxAlternatives || too_many_atoms(out, factor)) {
        for (Alternative& alternative : out) alternative.exact = false;
        continue;
      }
      Dnf product;
      for (const Alternative& left : out) {
        for (const Alternative& right : factor) {
          Alternative both = left;
          both.atoms.insert(both.atoms.end(), right.atoms.begin(), right.atoms.end());
          both.exact = left.exact && right.exact;
          both.rare = left.rare || right.rare;
          product.push_back(std::move(both));
        }
      }
      out = std::move(product);
    }
    return out;
  }

  static bool too_many_atoms(const Dnf& left, const Dnf& right) {
    const auto most = [](const Dnf& dnf) {
      size_t out = 0;
      for (const Alternative& alternative : dnf) out = std::max(out, alternative.atoms.size());
      return out;
    };
    return most(left) + most(right) > kMaxAtoms;
  }

  Dnf any_of(const Node& node, bool negated) {
    Dnf out;
    for (const Node* operand : node.args) {
      for (Alternative& alternative : read(*operand, negated)) {
        if (!merge(out, alternative)) out.push_back(std::move(alternative));
      }
    }
    return out.size() <= kMaxAlternatives ? out : opaque();
  }

  // Merges `x == "a" || x == "b"` into one atom with two keys.
  static bool merge(Dnf& dnf, const Alternative& next) {
    if (next.atoms.size() != 1 || next.atoms[0].test == IndexTest::threshold) return false;
    const Atom& atom = next.atoms[0];
    for (Alternative& known : dnf) {
      if (known.atoms.size() != 1 || known.exact != next.exact) continue;
      Atom& other = known.atoms[0];
      if (other.test != atom.test || other.slot != atom.slot || other.exact != atom.exact) continue;
      other.keys.insert(other.keys.end(), atom.keys.begin(), atom.keys.end());
      return true;
    }
    return false;
  }

  // Handles every node that is not a connective.
  Dnf test(const Node& node, bool negated) {
    if (Dnf found = arithmetic(node, negated); !found.empty() && is_free(node)) return found;
    Atom atom;
    const bool known = find_atom(node, negated, &atom);
    const bool usable = account(node, known ? &atom : nullptr);
    if (!strict_ && budget_ < Budget().cost && !is_free(node)) atom.exact = false;
    return known && usable ? single(std::move(atom)) : opaque();
  }

  // Whether the atom of a test may be used, given what the tests before it may have spent.
  bool account(const Node& node, const Atom* atom) {
    if (!strict_ || is_free(node)) return true;
    const bool bounded = clean_ && atom != nullptr && ++costly_ <= kMaxCostlyTests && bound_cost(node, *atom);
    clean_ = bounded;
    return bounded;
  }

  // Membership in a list costs the list's length. The cost of a text test depends on the text's
  // length, which is then limited.
  bool bound_cost(const Node& node, const Atom& atom) {
    if (atom.test == IndexTest::number || atom.test == IndexTest::symbol) {
      const bool in_list = node.args.size() == 2 && is_constant(*node.args[1]) && node.args[1]->value.is(Kind::list);
      return in_list && node.args[1]->value.aux <= budget_ / kMaxCostlyTests;
    }
    if (atom.test != IndexTest::text || (!costly_texts_.empty() && text_of(*costly_texts_[0]).slot != atom.slot)) {
      return false;
    }
    costly_texts_.push_back(&node);
    return true;
  }

  // Returns the longest text for which the test costs at most `share`. Costs grow with the text.
  static uint64_t longest_text(const Node& node, uint64_t share) {
    const Overload& overload = *node.overload;
    std::string error;
    std::shared_ptr<const void> prepared;
    if (overload.preparation.prepare != nullptr) prepared = overload.preparation.prepare(node.args[1]->value, &error);
    const auto cost = [&](uint64_t size) -> uint64_t {
      Value args[2] = {Value::string({"", 0}), node.args[1]->value};
      args[0].aux = static_cast<uint32_t>(size);
      const FunctionCost fold = is_case_folded(*node.args[0]) ? node.args[0]->overload->cost : nullptr;
      const uint64_t folding = fold == nullptr ? 0 : fold(args);
      if (prepared != nullptr && overload.preparation.cost != nullptr)
        return folding + overload.preparation.cost(prepared.get(), args);
      return folding + (overload.cost == nullptr ? 0 : overload.cost(args));
    };
    uint64_t low = 0, high = UINT32_MAX;
    if (cost(high) <= share) return UINT64_MAX;
    while (low + 1 < high) {
      const uint64_t middle = low + (high - low) / 2;
      (cost(middle) <= share ? low : high) = middle;
    }
    return low;
  }

  // Whether evaluating the node spends nothing of the budget.
  bool is_free(const Node& node) const {
    switch (node.kind) {
      case NodeKind::loop:
      case NodeKind::list:
      case NodeKind::map:
        return false;
      case NodeKind::call:
        if (is_free_membership(node, schema_) || is_network_test(node)) return true;
        if (node.overload == nullptr || node.overload->cost != nullptr || node.overload->preparation.cost != nullptr ||
            !is_scalar(node) || !std::ranges::all_of(node.args, [](const Node* arg) { return is_simple(*arg); })) {
          return false;
        }
        break;
      case NodeKind::equal:
      case NodeKind::not_equal:
        if (!is_free_equality(node, schema_) && !(is_scalar(*node.args[0]) && is_scalar(*node.args[1]))) return false;
        break;
      default:
        break;
    }
    return std::ranges::all_of(node.args, [this](const Node* arg) { return is_free(*arg); });
  }

  static bool is_simple(const Node& node) { return is_scalar(node) || node.type->kind == TypeKind::string; }
  static bool is_scalar(const Node& node) {
    return node.type->kind == TypeKind::null_type || ordain::is_scalar(node.type->kind);
  }

  // --- atoms

  const Type* slot_type(const Node& node) const {
    return node.kind == NodeKind::slot ? schema_.slots[node.slot].type : nullptr;
  }
  bool is_slot_of(const Node& node, TypeKind kind) const {
    const Type* type = slot_type(node);
    return type != nullptr && type->kind == kind;
  }

  bool find_atom(const Node& node, bool negated, Atom* out) const {
    switch (node.kind) {
      case NodeKind::slot:
        if (!is_slot_of(node, TypeKind::boolean)) return false;
        return number(node.slot, {Value::boolean(!negated)}, out);
      case NodeKind::has_slot:
        out->test = IndexTest::present;
        out->slot = node.slot;
        out->keys = {{.number = negated ? 0u : 1u}};
        return true;
      case NodeKind::equal:
      case NodeKind::not_equal: {
        const bool same = (node.kind == NodeKind::equal) != negated;
        if (is_constant(*node.args[1])) return equality(*node.args[0], node.args[1]->value, same, out);
        return is_constant(*node.args[0]) && equality(*node.args[1], node.args[0]->value, same, out);
      }
      case NodeKind::loop:
        return !negated && exists(node, out);
      case NodeKind::call:
        break;
      default:
        return false;
    }
    if (node.overload == nullptr) return false;
    if (const Comparison c = comparison_of(node); c != Comparison::none) return order(node, c, negated, out);
    if (negated) return false;
    if (node.overload->id == "in_list") return membership(node, out);
    if (is_network_test(node)) return network(node, out);
    return node.overload->preparation.literals != nullptr && literals(node, out);
  }

  bool equality(const Node& slot, const Value& value, bool same, Atom* out) const {
    const Type* type = slot_type(slot);
    if (type == nullptr) return false;
    if (value.is(Kind::string) && (type->kind == TypeKind::string || type->kind == TypeKind::dyn)) {
      return same && symbols(IndexTest::symbol, slot.slot, {&value, 1}, out);
    }
    if (kind_of(*type) != value.kind) return false;
    if (value.is(Kind::boolean)) return number(slot.slot, {Value::boolean(value.as_bool() == same)}, out);
    if (!same) return false;
    if (value.is(Kind::timestamp) || value.is(Kind::duration))
      return interval(slot.slot, order_key(value), order_key(value), false, out);
    return is_number(value) && number(slot.slot, {value}, out);
  }

  static bool is_number(const Value& value) {
    return value.is(Kind::integer) || value.is(Kind::unsigned_integer) || (value.is(Kind::floating) && !is_nan(value));
  }

  static bool number(SlotId slot, std::initializer_list<Value> values, Atom* out) {
    return numbers(slot, {values.begin(), values.size()}, out);
  }
  static bool numbers(SlotId slot, std::span<const Value> values, Atom* out) {
    out->test = IndexTest::number;
    out->slot = slot;
    for (const Value& value : values) out->keys.push_back({.number = order_key(value)});
    return true;
  }

  static bool symbols(IndexTest test, SlotId slot, std::span<const Value> texts, Atom* out) {
    out->test = test;
    out->slot = slot;
    for (const Value& text : texts) {
      if (text.is(Kind::string)) out->keys.push_back({.text = std::string(text.as_text())});
    }
    return true;
  }

  static bool interval(SlotId slot, uint64_t low, uint64_t high, bool exact, Atom* out) {
    out->test = IndexTest::threshold;
    out->slot = slot;
    out->low = low;
    out->high = high;
    out->exact = exact;
    return low <= high;
  }

  bool order(const Node& node, Comparison comparison, bool negated, Atom* out) const {
    const bool constant_first = is_constant(*node.args[0]);
    const Node& slot = *node.args[constant_first ? 1 : 0];
    const Node& constant = *node.args[constant_first ? 0 : 1];
    const Type* type = slot_type(slot);
    if (type == nullptr || !is_constant(constant) || kind_of(*type) != constant.value.kind) return false;
    const Value& value = constant.value;
    const bool is_time = value.is(Kind::timestamp) || value.is(Kind::duration);
    if (!is_number(value) && !is_time) return false;
    if (negated && value.is(Kind::floating)) return false;  // !(x < 5.0) is true for NaN
    if (constant_first) comparison = swapped(comparison);
    if (negated) comparison = inverted(comparison);
    const uint64_t key = order_key(value);
    switch (comparison) {
      case Comparison::less:  // for a time, the key is coarser than the value
        if (is_time) return interval(slot.slot, 0, key, false, out);
        return key > 0 && interval(slot.slot, 0, key - 1, true, out);
      case Comparison::less_equal:
        return interval(slot.slot, 0, key, !is_time, out);
      case Comparison::greater:
        if (is_time) return interval(slot.slot, key, UINT64_MAX, false, out);
        return key < UINT64_MAX && interval(slot.slot, key + 1, UINT64_MAX, true, out);
      default:
        return interval(slot.slot, key, UINT64_MAX, !is_time, out);
    }
  }

  // Reads a comparison of arithmetic of one number with a constant as tests of the number. Where the
  // arithmetic overflows, a fault that matters must not be lost. Returns nothing for other nodes.
  Dnf arithmetic(const Node& node, bool negated) const {
    const bool is_equality = node.kind == NodeKind::equal || node.kind == NodeKind::not_equal;
    Comparison comparison = comparison_of(node);
    if (!is_equality && comparison == Comparison::none) return {};
    const bool constant_first = is_constant(*node.args[0]);
    const Node& constant = *node.args[constant_first ? 0 : 1];
    const Node& side = *node.args[constant_first ? 1 : 0];
    if (side.kind != NodeKind::call || !is_constant(constant) || kind_of(*side.type) != constant.value.kind) return {};
    if (constant_first) comparison = swapped(comparison);
    if (negated) comparison = inverted(comparison);
    WideRange wanted = range_of_kind(constant.value.kind);
    const WideInt limit =
        constant.value.is(Kind::unsigned_integer) ? WideInt{constant.value.u} : WideInt{constant.value.i};
    if (is_equality && (node.kind == NodeKind::equal) == negated) return {};
    if (is_equality) wanted = {limit, limit};
    if (comparison == Comparison::less) wanted.high = limit - 1;
    if (comparison == Comparison::less_equal) wanted.high = limit;
    if (comparison == Comparison::greater) wanted.low = limit + 1;
    if (comparison == Comparison::greater_equal) wanted.low = limit;
    ArithmeticSolution solution;
    if (!solve_arithmetic(side, schema_, wanted, &solution)) return {};
    Dnf out;
    const WideRange all = range_of_kind(constant.value.kind);
    add_range(solution.slot, constant.value.kind, solution.matches, true, &out);
    if (strict_) {
      add_range(solution.slot, constant.value.kind, {all.low, solution.faultless.low - 1}, false, &out);
      add_range(solution.slot, constant.value.kind, {solution.faultless.high + 1, all.high}, false, &out);
    }
    return out;
  }

  static void add_range(SlotId slot, Kind kind, WideRange range, bool exact, Dnf* out) {
    if (range.is_empty()) return;
    const auto key = [kind](WideInt number) {
      return order_key(kind == Kind::unsigned_integer ? Value::unsigned_integer(static_cast<uint64_t>(number))
                                                      : Value::integer(static_cast<int64_t>(number)));
    };
    Atom atom;
    (void)interval(slot, key(range.low), key(range.high), exact, &atom);
    out->push_back(single(std::move(atom)).front());
    out->back().rare = !exact;
  }

  bool membership(const Node& node, Atom* out) const {
    const Node& element = *node.args[0];
    const Node& list = *node.args[1];
    if (is_text_constant(element)) {
      return is_string_list(list) && symbols(IndexTest::member, list.slot, {&element.value, 1}, out);
    }
    const Type* type = slot_type(element);
    if (type == nullptr || !is_constant(list) || !list.value.is(Kind::list)) return false;
    if (type->kind == TypeKind::string || (type->kind == TypeKind::dyn && all_strings(list.value))) {
      // For a text in a long list, an edge of the index for each takes more memory than it saves time: the test is one
      // search in a sorted set.
      constexpr size_t kMostTexts = 50'000;
      if (list.value.aux > kMostTexts) return false;
      return symbols(IndexTest::symbol, element.slot, list.value.as_list(), out);
    }
    const Kind kind = kind_of(*type);
    const auto fits = [kind](const Value& value) { return value.kind == kind && is_number(value); };
    return std::ranges::all_of(list.value.as_list(), fits) && numbers(element.slot, list.value.as_list(), out);
  }

  bool is_string_list(const Node& node) const {
    const Type* type = slot_type(node);
    return type != nullptr && type->kind == TypeKind::list && type->params.size() == 1 &&
           type->params[0]->kind == TypeKind::string;
  }

  // Recognises `list.exists(x, x == "a")` and `list.exists(x, x in ["a", "b"])`.
  bool exists(const Node& node, Atom* out) const {
    if (node.loop != LoopKind::exists || node.local2 != kNone || !is_string_list(*node.args[0])) return false;
    const Node& step = *node.args[1];
    const auto is_variable = [&node](const Node& n) { return n.kind == NodeKind::local && n.local == node.local; };
    out->exact = false;
    if (step.kind == NodeKind::equal) {
      const bool constant_first = is_text_constant(*step.args[0]);
      const Node& constant = *step.args[constant_first ? 0 : 1];
      return is_variable(*step.args[constant_first ? 1 : 0]) && is_text_constant(constant) &&
             symbols(IndexTest::member, node.args[0]->slot, {&constant.value, 1}, out);
    }
    if (step.kind != NodeKind::call || step.overload == nullptr || step.overload->id != "in_list") return false;
    const Node& list = *step.args[1];
    return is_variable(*step.args[0]) && is_constant(list) && list.value.is(Kind::list) && all_strings(list.value) &&
           symbols(IndexTest::member, node.args[0]->slot, list.value.as_list(), out);
  }

  bool literals(const Node& node, Atom* out) const {
    if (node.args.size() != 2 || !is_slot_of(text_of(node), TypeKind::string) || !is_text_constant(*node.args[1]))
      return false;
    const bool folded = is_case_folded(*node.args[0]);
    LiteralNeeds needs;
    if (!node.overload->preparation.literals(node.args[1]->value, &needs) || needs.any_of.empty()) return false;
    out->test = IndexTest::text;
    out->slot = text_of(node).slot;
    out->exact = false;
    for (std::string& text : needs.any_of) {
      if (text.empty() || (folded && !is_ascii_text(text))) return false;
      const auto where = needs.at_start ? IndexLiteral::at_start
                         : needs.at_end ? IndexLiteral::at_end
                                        : IndexLiteral::anywhere;
      out->keys.push_back({.text = std::move(text), .where = where, .ignore_case = folded || needs.ignore_case});
    }
    return true;
  }

  bool network(const Node& node, Atom* out) const {
    const Value& range = node.args[0]->value;
    const IpAddress first = network_of(ip_address_of(range), prefix_length_of(range));
    if (!is_slot_of(*node.args[1], TypeKind::string)) return false;
    out->test = IndexTest::network;
    out->slot = node.args[1]->slot;
    out->keys = {{.text = {reinterpret_cast<const char*>(first.bytes), first.size}, .number = range.aux}};
    return true;
  }

  const Schema& schema_;
  const bool strict_;
  const uint64_t budget_;
  bool clean_ = true;    ///< all tests so far cost a known amount
  uint64_t costly_ = 0;  ///< how many of them have a cost
  std::vector<const Node*> costly_texts_;
};

}  // namespace

Value range_of(const Key& key) {
  Value out;
  out.kind = Kind::cidr;
  out.aux = static_cast<uint32_t>(key.number);
  out.text = key.text.data();
  return out;
}

std::vector<Alternative> alternatives(const typed::Expression& condition, const Schema& schema, bool strict,
                                      uint64_t budget) {
  if (condition.root == nullptr) return {Alternative{}};
  Reader reader(schema, strict, budget);
  Dnf out = reader.read(*condition.root, false);
  reader.limit_texts(out);
  return out;
}

}  // namespace ordain::indexing
