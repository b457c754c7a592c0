// Emits values: every node except conditions, calls and loops. Chains of first operands (a + b +
// c, x.y.z) may be as long as the source allows and are walked in a loop. Everything else recurses
// at most as deep as brackets nest.
#include "compiler/emit/expression.h"

#include <utility>

#include "vm/program/register_kinds.h"

namespace ordain::emission {

using namespace vm::kinds;  // NOLINT(google-build-using-namespace): constants of the bytecode

using typed::LoopKind;
using typed::Node;
using typed::NodeKind;

namespace {

// A value for registers before their initialiser has run. It is never read, but the verifier
// requires that every register is written.
Value placeholder(uint8_t kind) {
  switch (kind) {
    case kBool:
      return Value::boolean(false);
    case kInt:
      return Value::integer(0);
    case kUint:
      return Value::unsigned_integer(0);
    case kDouble:
      return Value::floating(0);
    default:
      return Value::null();
  }
}

}  // namespace

uint8_t register_kind(const Type& type) {
  Kind kind = kind_of(type);
  return kind == Kind::absent ? kAnyKind : static_cast<uint8_t>(kind);
}

uint32_t ExpressionEmitter::emit(const typed::Expression& expression, uint8_t kind) {
  code_.reset();
  variables_.assign(expression.local_count, {});
  chain_.clear();
  loop_depth_ = 0;
  computed_ = nullptr;
  const Node& root = *expression.root;
  uint8_t result = kind;
  if (kind == kBool && is_logic(root) && !is_shared(root)) {
    root_condition(root);
  } else {
    Operand operand = value(root);
    if (kind != kAnyKind) operand = ensure(operand, kind, root.at);
    code_.emit(Op::ret, operand.reg);
    if (!code_.overflowed()) result = code_.kind(operand.reg);
  }
  if (code_.overflowed()) {
    code_.give_up(FaultCode::memory_budget);
    result = kind;
  } else {
    code_.finish();
  }
  return tables_.predicate(code_, result);
}

// --- registers

Register ExpressionEmitter::target(uint8_t kind, Register dest) {
  return dest != kNoRegister && code_.kind(dest) == kind ? dest : code_.allocate(kind);
}

/// For instructions that write any kind into a register of kind any.
Register ExpressionEmitter::target_or_any(uint8_t kind, Register dest) {
  return dest != kNoRegister && code_.kind(dest) == kAnyKind ? dest : target(kind, dest);
}

void ExpressionEmitter::convert(Register from, Register to, const Span& span) {
  uint8_t to_kind = code_.kind(to);
  uint8_t from_kind = code_.kind(from);
  if (to_kind == from_kind || to_kind == kAnyKind) {
    code_.emit(Op::mov, to, from);
  } else if (from_kind == kAnyKind) {
    code_.emit(Op::unbox, to, from, 0, at(span));
  } else {  // cannot succeed; faults at run time
    Register any = code_.allocate(kAnyKind);
    code_.emit(Op::mov, any, from);
    code_.emit(Op::unbox, to, any, 0, at(span));
    code_.release(any);
  }
}

// Moves the value of a fresh register to the destination, if the caller gave one.
Operand ExpressionEmitter::deliver(Register from, Register dest, const Span& span) {
  if (dest == kNoRegister) return {from, true};
  if (from == dest) return {dest, false};
  convert(from, dest, span);
  code_.release(from);
  return {dest, false};
}

Operand ExpressionEmitter::ensure(Operand operand, uint8_t kind, const Span& span) {
  if (kind == kAnyKind || code_.kind(operand.reg) == kind) return operand;
  Register typed = code_.allocate(kind);
  convert(operand.reg, typed, span);
  release(operand);
  return {typed, true};
}

Operand ExpressionEmitter::take(First first, Register dest, const Span& span) {
  if (first.node != nullptr) return unchained_value(*first.node, dest);
  if (dest == kNoRegister) return first.operand;
  convert(first.operand.reg, dest, span);
  release(first.operand);
  return {dest, false};
}

// --- values

/// Whether the node's first operand is evaluated before anything else in it.
bool ExpressionEmitter::is_chain(const Node& node) {
  switch (node.kind) {
    case NodeKind::select:
    case NodeKind::has_field:
    case NodeKind::select_optional:
    case NodeKind::equal:
    case NodeKind::not_equal:
      return true;
    case NodeKind::call:
      return !node.args.empty();
    default:
      return false;
  }
}

/// Emits the value of `node`, into `dest` if it is given.
Operand ExpressionEmitter::value(const Node& node, Register dest) {
  size_t base = chain_.size();
  const Node* bottom = &node;
  while (is_chain(*bottom) && !is_slot_test(*bottom) && !is_shared(*bottom)) {
    chain_.push_back(bottom);
    bottom = bottom->args[0];
  }
  if (chain_.size() == base) return unchained_value(node, dest);
  First first{.node = bottom};
  while (chain_.size() > base) {
    const Node* link = chain_.back();
    chain_.pop_back();
    first = {.node = nullptr, .operand = apply(*link, first, chain_.size() == base ? dest : kNoRegister)};
  }
  return first.operand;
}

Operand ExpressionEmitter::apply(const Node& node, First first, Register dest) {
  switch (node.kind) {
    case NodeKind::equal:
    case NodeKind::not_equal:
      return equality(node, first, dest);
    case NodeKind::call:
      return call(node, first, dest);
    default:
      break;
  }
  Operand operand = take(first, kNoRegister, node.at);
  uint32_t field = tables_.text_constant(node.field);
  Op op = node.kind == NodeKind::select      ? Op::select
          : node.kind == NodeKind::has_field ? Op::has_field
                                             : Op::select_optional;
  Register out = target(value_kind(node), dest);
  code_.emit(op, out, operand.reg, field, at(node.at));
  release(operand);
  return deliver(out, dest, node.at);
}

Operand ExpressionEmitter::unchained_value(const Node& node, Register dest) {
  if (is_shared(node)) return shared_let(node, dest);
  switch (node.kind) {
    case NodeKind::constant:
      return constant(node.value, dest, node.at);
    case NodeKind::slot:
      return load(node, dest);
    case NodeKind::has_slot: {
      Register out = target(kBool, dest);
      code_.emit(Op::has_slot, out, node.slot);
      return deliver(out, dest, node.at);
    }
    case NodeKind::optional_slot: {
      Register out = target(kOptional, dest);
      code_.emit(Op::load_optional, out, node.slot, 0, at(node.at));
      return deliver(out, dest, node.at);
    }
    case NodeKind::local:
      return local(node, dest);
    case NodeKind::and_:
    case NodeKind::or_:
      return truth(node, dest);
    case NodeKind::not_: {
      if (is_logic(*node.args[0])) return truth(node, dest);
      Operand operand = ensure(value(*node.args[0]), kBool, node.at);
      release(operand);
      Register out = target(kBool, dest);
      code_.emit(Op::not_, out, operand.reg);
      return deliver(out, dest, node.at);
    }
    case NodeKind::conditional:
      return conditional(node, dest);
    case NodeKind::list:
      return list_literal(node, dest);
    case NodeKind::map:
      return map_literal(node, dest);
    case NodeKind::loop:
      if (node.loop == LoopKind::all || node.loop == LoopKind::exists) return truth(node, dest);
      return node.loop == LoopKind::exists_one ? exists_one(node, dest) : building_loop(node, dest);
    case NodeKind::let:
      return let_value(node, dest);
    case NodeKind::fail: {
      uint32_t detail = node.value.present() ? tables_.constant(node.value) : kNone;
      code_.emit(Op::fail, static_cast<uint32_t>(node.fault_code), detail, 0, at(node.at));
      // Nothing runs after it, but the caller still expects a result register.
      return dest != kNoRegister ? Operand{dest, false} : Operand{code_.allocate(kAnyKind), true};
    }
    default:
      break;
  }
  if (is_slot_test(node)) return slot_test(node, dest);
  return call(node, {}, dest);  // without arguments
}

Operand ExpressionEmitter::constant(const Value& value, Register dest, const Span& span) {
  Register out = target_or_any(static_cast<uint8_t>(value.kind), dest);
  code_.emit(Op::const_, out, tables_.constant(value));
  return deliver(out, dest, span);
}

Operand ExpressionEmitter::local(const Node& node, Register dest) {
  const Variable& variable = variables_[node.local];
  if (variable.saved != kNone) code_.emit(Op::raise_saved, variable.saved);
  if (dest == kNoRegister) return {variable.reg, false};
  convert(variable.reg, dest, node.at);
  return {dest, false};
}

Operand ExpressionEmitter::list_literal(const Node& node, Register dest) {
  Register builder = code_.allocate(kBuilderKind);
  code_.emit(Op::list_new, builder, static_cast<uint32_t>(node.args.size()), 0, at(node.at));
  for (size_t i = 0; i < node.args.size(); ++i) {
    const Node& element = *node.args[i];
    Operand operand = value(element);
    bool optional = !node.optionals.empty() && node.optionals[i];
    if (optional) operand = ensure(operand, kOptional, element.at);
    code_.emit(optional ? Op::list_push_optional : Op::list_push, builder, operand.reg, 0, at(node.at));
    release(operand);
  }
  Register out = target(kList, dest);
  code_.emit(Op::list_done, out, builder, 0, at(node.at));
  code_.release(builder);
  return deliver(out, dest, node.at);
}

Operand ExpressionEmitter::map_literal(const Node& node, Register dest) {
  Register builder = code_.allocate(kBuilderKind);
  code_.emit(Op::map_new, builder, static_cast<uint32_t>(node.args.size() / 2), 0, at(node.at));
  for (size_t i = 0; i * 2 < node.args.size(); ++i) {
    const Node& key_node = *node.args[2 * i];
    const Node& value_node = *node.args[2 * i + 1];
    Operand key = value(key_node);
    Operand entry = value(value_node);
    bool optional = !node.optionals.empty() && node.optionals[i];
    if (optional) entry = ensure(entry, kOptional, value_node.at);
    code_.emit(optional ? Op::map_put_optional : Op::map_put, builder, key.reg, entry.reg, at(key_node.at));
    release(key);
    release(entry);
  }
  Register out = target(kMap, dest);
  code_.emit(Op::map_done, out, builder, 0, at(node.at));
  code_.release(builder);
  return deliver(out, dest, node.at);
}

// --- let

/// Emits the value of a let that rules share: if it is known, the code of the value is skipped.
Operand ExpressionEmitter::shared_let(const Node& node, Register dest) {
  const uint8_t kind = value_kind(node);
  const Node* outer = std::exchange(computed_, &node);
  const uint32_t let = tables_.shared_let(*lets_, node, kind);
  if (let == kNone) {
    Operand out = value(node, dest);
    computed_ = outer;
    return out;
  }
  Register out = target(kind, dest);  // of the let's own kind, as the program declares it
  Label known = code_.new_label();
  Label handler = code_.new_label();
  code_.emit(Op::recall, out, known, let);
  code_.begin_region(handler);
  value(node, out);
  code_.end_region();
  code_.defer_handler(handler, Op::remember_fault, let, kNoLabel);
  code_.emit(Op::remember, out, let);
  code_.bind(known);
  computed_ = outer;
  return deliver(out, dest, node.at);
}

void ExpressionEmitter::bind_let(const Node& node) {
  const Node& init = *node.args[0];
  Variable& variable = variables_[node.local];
  if (!init.may_fault) {
    Operand operand = value(init);
    if (!operand.temporary) {  // the register of another variable, which a loop may overwrite
      Register copy = code_.allocate(code_.kind(operand.reg));
      code_.emit(Op::mov, copy, operand.reg);
      operand.reg = copy;
    }
    variable = {.reg = operand.reg};
    return;
  }
  uint8_t kind = value_kind(init);
  if (kind != kBool && kind != kInt && kind != kUint && kind != kDouble) kind = kAnyKind;
  Register reg = code_.allocate(kind);
  uint32_t saved = code_.allocate_saved();
  Label handler = code_.new_label();
  Label next = code_.new_label();
  code_.emit(Op::clear_fault, saved);
  constant(placeholder(kind), reg, node.at);
  code_.begin_region(handler);
  value(init, reg);
  code_.end_region();
  code_.defer_handler(handler, Op::save_fault, saved, next);
  code_.bind(next);
  variable = {.reg = reg, .saved = saved};
}

void ExpressionEmitter::unbind_let(const Node& node) {
  Variable& variable = variables_[node.local];
  if (variable.saved != kNone) code_.release_saved();
  code_.release(variable.reg);
}

Operand ExpressionEmitter::let_value(const Node& node, Register dest) {
  bind_let(node);
  Operand body = value(*node.args[1], dest);
  if (body.reg == variables_[node.local].reg && !body.temporary) {
    // The variable itself is the value. Its register must not be reused while the value is in use.
    Register copy = code_.allocate(code_.kind(body.reg));
    code_.emit(Op::mov, copy, body.reg);
    body = {copy, true};
  }
  unbind_let(node);
  return body;
}

/// The kind of the register in which `value` will leave the node's value, as far as that is known
/// before the code is emitted.
uint8_t ExpressionEmitter::value_kind(const Node& node) const {
  switch (node.kind) {
    case NodeKind::constant:
      return static_cast<uint8_t>(node.value.kind);
    case NodeKind::slot:
      return register_kind(*tables_.slot(node.slot).type);
    case NodeKind::has_slot:
    case NodeKind::has_field:
    case NodeKind::and_:
    case NodeKind::or_:
    case NodeKind::not_:
    case NodeKind::equal:
    case NodeKind::not_equal:
      return kBool;
    case NodeKind::optional_slot:
    case NodeKind::select_optional:
      return kOptional;
    case NodeKind::local: {
      Register reg = variables_[node.local].reg;
      return reg == kNoRegister ? kAnyKind : code_.kind(reg);
    }
    case NodeKind::call: {
      if (is_slot_test(node)) return kBool;
      if (const Shortcut* shortcut = find_shortcut(node)) return shortcut->result;
      return node.overload != nullptr && !is_unimplemented(node) ? register_kind(*node.overload->result) : kAnyKind;
    }
    case NodeKind::conditional: {
      uint8_t kind = value_kind(*node.args[1]);
      return kind == value_kind(*node.args[2]) ? kind : kAnyKind;
    }
    case NodeKind::list:
      return kList;
    case NodeKind::map:
      return kMap;
    case NodeKind::loop:
      switch (node.loop) {
        case LoopKind::map:
        case LoopKind::filter:
          return kList;
        case LoopKind::map_values:
        case LoopKind::map_entries:
          return kMap;
        default:
          return kBool;
      }
    case NodeKind::let:  // the body may name the variable, whose register is not known yet
    case NodeKind::select:
    case NodeKind::fail:
      return kAnyKind;
  }
  return kAnyKind;
}

}  // namespace ordain::emission
