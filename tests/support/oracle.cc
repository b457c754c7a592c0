// oracle.cc evaluates the typed tree. Each case below is one sentence of
// compiler/check/expression/typed.h, in the same order.
#include "tests/support/oracle.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ordain::oracle {
namespace {

using typed::LoopKind;
using typed::Node;
using typed::NodeKind;

// A variable: a value, or the fault of its initialiser.
struct Local {
  Value value;
  std::optional<Outcome> fault;
};

class Walker {
 public:
  Walker(Arena& arena, const Schema& schema, const Call& call, const Context& context, const Budget& budget,
         uint32_t locals)
      : arena_(arena), schema_(schema), call_(call), context_(context), locals_(locals) {
    eval_.arena = &arena;
    eval_.cost_left = budget.cost;
    eval_.memory_left = budget.memory;
  }

  Outcome walk(const Node& node);

 private:
  static Outcome good(Value value) { return {.ok = true, .value = value, .fault = {}, .at = {}}; }
  static Outcome bad(const Node& node, FaultCode code, Value detail = {}) {
    return {.ok = false, .value = {}, .fault = {.code = code, .detail = detail}, .at = node.at};
  }
  Outcome bad_eval(const Node& node) const { return bad(node, eval_.fault.code, eval_.fault.detail); }
  static Outcome no_overload(const Node& node) { return bad(node, FaultCode::no_such_overload); }

  bool charge_memory(uint64_t bytes) {
    if (bytes <= eval_.memory_left) {
      eval_.memory_left -= bytes;
      return true;
    }
    eval_.memory_left = 0;
    return eval_.fail(FaultCode::memory_budget);
  }
  // Begins a list or map, which requires that some memory is left.
  bool begin_building() { return eval_.memory_left > 0 || eval_.fail(FaultCode::memory_budget); }
  Outcome optional_of(const Node& node, const Value& value) {
    if (!charge_memory(sizeof(Value))) return bad_eval(node);
    return good(Value::optional(arena_.make<Value>(value)));
  }
  static Outcome none() { return good(Value::optional(nullptr)); }

  const Slot& slot_of(const Node& node) const { return schema_.slots[node.slot]; }
  Value stored(const Slot& slot) const {
    const SlotValues& bank = slot.bank == Bank::context ? context_.slots() : call_.slots();
    return bank.values[slot.index];
  }

  Outcome slot(const Node& node);
  Outcome select(const Node& node, const Value& operand);
  Outcome has_field(const Node& node, const Value& operand);
  Outcome select_optional(const Node& node, const Value& operand);
  Outcome call(const Node& node);
  Outcome logic(const Node& node, bool stop);
  Outcome list(const Node& node);
  Outcome map(const Node& node);
  Outcome loop(const Node& node);
  Outcome finish_map(const Node& node, const std::vector<MapEntry>& entries);
  std::optional<Outcome> put(const Node& node, std::vector<MapEntry>& entries, const Value& key, const Value& value);

  Arena& arena_;
  const Schema& schema_;
  const Call& call_;
  const Context& context_;
  Eval eval_;
  std::vector<Local> locals_;
};

Outcome Walker::slot(const Node& node) {
  const Slot& slot = slot_of(node);
  Value value = stored(slot);
  if (value.present()) return good(value);
  if (slot.builtin) return good(slot.type->kind == TypeKind::list ? Value::list({}) : Value::string(""));
  if (slot.host) return bad(node, FaultCode::missing_context, Value::string(slot.path));
  std::string_view path = slot.path;
  return bad(node, FaultCode::no_such_field, Value::string(path.substr(path.rfind('.') + 1)));
}

Outcome Walker::select(const Node& node, const Value& operand) {
  if (operand.is(Kind::map)) {
    const Value* found = map_find(*operand.map, node.field);
    return found != nullptr ? good(*found) : bad(node, FaultCode::no_such_key, Value::string(node.field));
  }
  if (!operand.is(Kind::optional)) return no_overload(node);
  const Value* inside = &operand;
  while (inside != nullptr && inside->is(Kind::optional)) inside = inside->items;
  if (inside != nullptr && inside->is(Kind::null)) return no_overload(node);
  return select_optional(node, operand);
}

Outcome Walker::has_field(const Node& node, const Value& operand) {
  if (operand.is(Kind::map)) return good(Value::boolean(map_find(*operand.map, node.field) != nullptr));
  if (operand.is(Kind::null)) return good(Value::boolean(false));
  if (operand.is(Kind::optional)) {
    return operand.items == nullptr ? good(Value::boolean(false)) : has_field(node, *operand.items);
  }
  return no_overload(node);
}

Outcome Walker::select_optional(const Node& node, const Value& operand) {
  if (operand.is(Kind::optional)) return operand.items == nullptr ? none() : select_optional(node, *operand.items);
  if (operand.is(Kind::null)) return none();
  if (!operand.is(Kind::map)) return no_overload(node);
  const Value* found = map_find(*operand.map, node.field);
  return found == nullptr ? none() : optional_of(node, *found);
}

Outcome Walker::call(const Node& node) {
  std::vector<Value> args;
  for (const Node* arg : node.args) {
    Outcome outcome = walk(*arg);
    if (!outcome.ok) return outcome;
    args.push_back(outcome.value);
  }
  const Overload* overload = node.overload;
  // Every row of indexing is the same function, which examines its arguments itself: 1u and 1.0 are
  // positions in a list.
  const bool indexes = node.function != nullptr && (node.function->name == "_[_]" || node.function->name == "_[?_]");
  if (overload == nullptr && indexes) overload = node.function->overloads.front();
  if (overload == nullptr && node.function != nullptr) {
    for (const Overload* candidate : node.function->overloads) {
      if (overload == nullptr && accepts(*candidate, args.data(), args.size())) overload = candidate;
    }
  }
  if (overload == nullptr || overload->call == nullptr) {
    return bad(node, FaultCode::no_such_overload,
               node.function != nullptr ? Value::string(node.function->name) : Value{});
  }
  Value result;
  if (typed::is_free_membership(node, schema_)) {
    const uint64_t before = std::exchange(eval_.cost_left, UINT64_MAX);
    const bool ok = overload->call(eval_, args.data(), &result);
    eval_.cost_left = before;
    return ok ? good(result) : bad_eval(node);
  }
  const Preparation& how = overload->preparation;
  std::shared_ptr<const void> object;
  if (node.overload != nullptr && how.arg >= 0 && node.args[how.arg]->kind == NodeKind::constant) {
    // A constant of another kind than the parameter's cannot be prepared: the call itself reports
    // what is wrong with it.
    const Kind wanted = kind_of(*overload->params[how.arg]);
    std::string error;
    if (wanted == Kind::absent || args[how.arg].is(wanted)) object = how.prepare(args[how.arg], &error);
  }
  if (object != nullptr) {
    const bool affordable = how.cost != nullptr         ? eval_.charge(how.cost(object.get(), args.data()))
                            : overload->cost != nullptr ? eval_.charge(overload->cost(args.data()))
                                                        : true;
    if (!affordable || !how.call(eval_, object.get(), args.data(), &result)) return bad_eval(node);
    return good(result);
  }
  if (overload->cost != nullptr && !eval_.charge(overload->cost(args.data()))) return bad_eval(node);
  if (!overload->call(eval_, args.data(), &result)) return bad_eval(node);
  return good(result);
}

// && stops at false, and || at true.
Outcome Walker::logic(const Node& node, bool stop) {
  std::optional<Outcome> fault;
  for (const Node* arg : node.args) {
    Outcome outcome = walk(*arg);
    if (outcome.ok && !outcome.value.is(Kind::boolean)) outcome = no_overload(*arg);
    if (outcome.ok && outcome.value.as_bool() == stop) return outcome;
    if (!outcome.ok && !fault) fault = outcome;
  }
  return fault ? *fault : good(Value::boolean(!stop));
}

Outcome Walker::list(const Node& node) {
  if (!begin_building()) return bad_eval(node);
  std::vector<Value> elements;
  for (size_t i = 0; i < node.args.size(); ++i) {
    Outcome outcome = walk(*node.args[i]);
    if (!outcome.ok) return outcome;
    Value element = outcome.value;
    if (!node.optionals.empty() && node.optionals[i]) {
      if (!element.is(Kind::optional)) return no_overload(*node.args[i]);
      if (element.items == nullptr) continue;
      element = *element.items;
    }
    if (!charge_memory(sizeof(Value))) return bad_eval(node);
    elements.push_back(element);
  }
  return good(Value::list(arena_.copy(elements)));
}

std::optional<Outcome> Walker::put(const Node& node, std::vector<MapEntry>& entries, const Value& key,
                                   const Value& value) {
  if (!key.is(Kind::boolean) && !key.is(Kind::integer) && !key.is(Kind::unsigned_integer) && !key.is(Kind::string)) {
    return bad(node, FaultCode::unsupported_key);
  }
  if (!eval_.charge_text(key)) return bad_eval(node);
  for (const MapEntry& entry : entries) {
    if (equal(entry.key, key)) return bad(node, FaultCode::duplicate_key, key);
  }
  if (!charge_memory(sizeof(MapEntry))) return bad_eval(node);
  entries.push_back({key, value});
  return std::nullopt;
}

Outcome Walker::finish_map(const Node& node, const std::vector<MapEntry>& entries) {
  const MapRep* rep = make_map(arena_, arena_.copy(entries));
  return rep != nullptr ? good(Value::map_of(rep)) : bad(node, FaultCode::memory_budget);
}

Outcome Walker::map(const Node& node) {
  if (!begin_building()) return bad_eval(node);
  std::vector<MapEntry> entries;
  for (size_t i = 0; i * 2 < node.args.size(); ++i) {
    Outcome key = walk(*node.args[2 * i]);
    if (!key.ok) return key;
    Outcome value = walk(*node.args[2 * i + 1]);
    if (!value.ok) return value;
    if (!node.optionals.empty() && node.optionals[i]) {
      if (!value.value.is(Kind::optional)) return no_overload(*node.args[2 * i + 1]);
      if (value.value.items == nullptr) continue;
      value.value = *value.value.items;
    }
    if (auto fault = put(*node.args[2 * i], entries, key.value, value.value)) return *fault;
  }
  return finish_map(node, entries);
}

Outcome Walker::loop(const Node& node) {
  const bool builds = node.loop != LoopKind::all && node.loop != LoopKind::exists && node.loop != LoopKind::exists_one;
  if (builds && !begin_building()) return bad_eval(node);
  Outcome range = walk(*node.args[0]);
  if (!range.ok) return range;
  const Value container = range.value;
  if (!container.is(Kind::list) && !container.is(Kind::map)) return no_overload(*node.args[0]);
  const bool is_list = container.is(Kind::list);
  const size_t size = is_list ? container.aux : container.map->count;
  const Node& step = *node.args[1];
  const Node* filter = node.args.size() > 2 ? node.args[2] : nullptr;
  uint64_t steps = 1 + typed::node_count(step) + (filter != nullptr ? typed::node_count(*filter) : 0);

  std::optional<Outcome> fault;  // the first fault, which all and exists may still absorb
  std::vector<Value> elements;
  std::vector<MapEntry> entries;
  int64_t found = 0;
  for (size_t i = 0; i < size; ++i) {
    if (!eval_.charge(steps)) return bad_eval(node);
    const Value key = is_list ? Value::integer(static_cast<int64_t>(i)) : container.map->entries[i].key;
    const Value value = is_list ? container.items[i] : container.map->entries[i].value;
    const Value item = is_list ? value : key;
    if (node.local2 != kNone) {
      locals_[node.local] = {.value = key, .fault = {}};
      locals_[node.local2] = {.value = value, .fault = {}};
    } else {
      locals_[node.local] = {.value = item, .fault = {}};
    }
    if (filter != nullptr) {
      Outcome keep = walk(*filter);
      if (!keep.ok) return keep;
      if (!keep.value.is(Kind::boolean)) return no_overload(*filter);
      if (!keep.value.as_bool()) continue;
    }
    Outcome outcome = walk(step);
    const bool predicate = node.loop == LoopKind::all || node.loop == LoopKind::exists ||
                           node.loop == LoopKind::exists_one || node.loop == LoopKind::filter;
    if (outcome.ok && predicate && !outcome.value.is(Kind::boolean)) outcome = no_overload(step);
    switch (node.loop) {
      case LoopKind::all:
      case LoopKind::exists: {
        const bool stop = node.loop == LoopKind::exists;
        if (outcome.ok && outcome.value.as_bool() == stop) return outcome;
        if (!outcome.ok && !fault) fault = outcome;
        break;
      }
      case LoopKind::exists_one:
        if (!outcome.ok) return outcome;
        found += outcome.value.as_bool() ? 1 : 0;
        break;
      case LoopKind::map:
      case LoopKind::filter:
        if (!outcome.ok) return outcome;
        if (node.loop == LoopKind::filter && !outcome.value.as_bool()) break;
        if (!charge_memory(sizeof(Value))) return bad_eval(node);
        elements.push_back(node.loop == LoopKind::filter ? item : outcome.value);
        break;
      case LoopKind::map_values:
        if (!outcome.ok) return outcome;
        if (auto put_fault = put(node, entries, key, outcome.value)) return *put_fault;
        break;
      case LoopKind::map_entries:
        if (!outcome.ok) return outcome;
        if (!outcome.value.is(Kind::map)) return no_overload(step);
        for (const MapEntry& entry : outcome.value.map->all()) {
          if (auto put_fault = put(node, entries, entry.key, entry.value)) return *put_fault;
        }
        break;
    }
  }
  switch (node.loop) {
    case LoopKind::all:
    case LoopKind::exists:
      return fault ? *fault : good(Value::boolean(node.loop == LoopKind::all));
    case LoopKind::exists_one:
      return good(Value::boolean(found == 1));
    case LoopKind::map:
    case LoopKind::filter:
      return good(Value::list(arena_.copy(elements)));
    default:
      return finish_map(node, entries);
  }
}

Outcome Walker::walk(const Node& node) {
  switch (node.kind) {
    case NodeKind::constant:
      return good(node.value);
    case NodeKind::slot:
      return slot(node);
    case NodeKind::has_slot:
      return good(Value::boolean(stored(slot_of(node)).present()));
    case NodeKind::optional_slot: {
      Value value = stored(slot_of(node));
      return value.present() ? optional_of(node, value) : none();
    }
    case NodeKind::local: {
      const Local& local = locals_[node.local];
      return local.fault ? *local.fault : good(local.value);
    }
    case NodeKind::select:
    case NodeKind::has_field:
    case NodeKind::select_optional: {
      Outcome operand = walk(*node.args[0]);
      if (!operand.ok) return operand;
      if (node.kind == NodeKind::select) return select(node, operand.value);
      if (node.kind == NodeKind::has_field) return has_field(node, operand.value);
      return select_optional(node, operand.value);
    }
    case NodeKind::call:
      return call(node);
    case NodeKind::and_:
      return logic(node, false);
    case NodeKind::or_:
      return logic(node, true);
    case NodeKind::not_: {
      Outcome operand = walk(*node.args[0]);
      if (!operand.ok) return operand;
      if (!operand.value.is(Kind::boolean)) return no_overload(node);
      return good(Value::boolean(!operand.value.as_bool()));
    }
    case NodeKind::conditional: {
      Outcome condition = walk(*node.args[0]);
      if (!condition.ok) return condition;
      if (!condition.value.is(Kind::boolean)) return no_overload(*node.args[0]);
      return walk(*node.args[condition.value.as_bool() ? 1 : 2]);
    }
    case NodeKind::equal:
    case NodeKind::not_equal: {
      Outcome left = walk(*node.args[0]);
      if (!left.ok) return left;
      Outcome right = walk(*node.args[1]);
      if (!right.ok) return right;
      bool same = false;
      if (typed::is_free_equality(node, schema_)) {
        same = equal(left.value, right.value);
      } else if (!equal(eval_, left.value, right.value, &same)) {
        return bad_eval(node);
      }
      return good(Value::boolean(same == (node.kind == NodeKind::equal)));
    }
    case NodeKind::list:
      return list(node);
    case NodeKind::map:
      return map(node);
    case NodeKind::loop:
      return loop(node);
    case NodeKind::let: {
      Outcome init = walk(*node.args[0]);
      Local local{.value = init.value, .fault = std::nullopt};
      if (!init.ok) local.fault = init;
      locals_[node.local] = local;
      return walk(*node.args[1]);
    }
    case NodeKind::fail:
      return bad(node, node.fault_code, node.value);
  }
  return bad(node, FaultCode::host_error);
}

}  // namespace

Outcome evaluate(Arena& arena, const typed::Expression& expression, const Schema& schema, const Call& call,
                 const Context& context, const Budget& budget) {
  return Walker(arena, schema, call, context, budget, expression.local_count).walk(*expression.root);
}

}  // namespace ordain::oracle
