// Emits calls and comparisons. A standard library function on typed operands is often a single
// instruction, and comparing a slot with literals never touches a string.
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "compiler/emit/expression.h"
#include "vm/program/register_kinds.h"

namespace ordain::emission {

using namespace vm::kinds;  // NOLINT(google-build-using-namespace): constants of the bytecode

using typed::Node;
using typed::NodeKind;

namespace {

using ShortcutTable = std::unordered_map<std::string_view, Shortcut>;

ShortcutTable make_shortcuts() {
  ShortcutTable out;
  auto arithmetic = [&out](std::string_view id, Op op, uint8_t kind) { out[id] = {op, kind, kind, false}; };
  arithmetic("add_int64", Op::add_int, kInt);
  arithmetic("subtract_int64", Op::sub_int, kInt);
  arithmetic("multiply_int64", Op::mul_int, kInt);
  arithmetic("divide_int64", Op::div_int, kInt);
  arithmetic("modulo_int64", Op::mod_int, kInt);
  arithmetic("negate_int64", Op::neg_int, kInt);
  arithmetic("add_uint64", Op::add_uint, kUint);
  arithmetic("subtract_uint64", Op::sub_uint, kUint);
  arithmetic("multiply_uint64", Op::mul_uint, kUint);
  arithmetic("divide_uint64", Op::div_uint, kUint);
  arithmetic("modulo_uint64", Op::mod_uint, kUint);
  arithmetic("add_double", Op::add_double, kDouble);
  arithmetic("subtract_double", Op::sub_double, kDouble);
  arithmetic("multiply_double", Op::mul_double, kDouble);
  arithmetic("divide_double", Op::div_double, kDouble);
  arithmetic("negate_double", Op::neg_double, kDouble);
  auto comparison = [&out](std::string_view id, Op op, uint8_t kind, bool swap) { out[id] = {op, kind, kBool, swap}; };
  comparison("less_int64", Op::lt_int, kInt, false);
  comparison("less_equals_int64", Op::le_int, kInt, false);
  comparison("greater_int64", Op::lt_int, kInt, true);
  comparison("greater_equals_int64", Op::le_int, kInt, true);
  comparison("less_uint64", Op::lt_uint, kUint, false);
  comparison("less_equals_uint64", Op::le_uint, kUint, false);
  comparison("greater_uint64", Op::lt_uint, kUint, true);
  comparison("greater_equals_uint64", Op::le_uint, kUint, true);
  comparison("less_double", Op::lt_double, kDouble, false);
  comparison("less_equals_double", Op::le_double, kDouble, false);
  comparison("greater_double", Op::lt_double, kDouble, true);
  comparison("greater_equals_double", Op::le_double, kDouble, true);
  comparison("less_string", Op::lt_string, kString, false);
  comparison("less_equals_string", Op::le_string, kString, false);
  comparison("greater_string", Op::lt_string, kString, true);
  comparison("greater_equals_string", Op::le_string, kString, true);
  for (std::string_view id : {"index_list", "index_map", "optional_list_index_int", "optional_map_index_value"}) {
    out[id] = {Op::index, kAnyKind, kAnyKind, false};
  }
  for (std::string_view id : {"list_optindex_optional_int", "map_optindex_optional_value",
                              "optional_list_optindex_optional_int", "optional_map_optindex_optional_value"}) {
    out[id] = {Op::index_optional, kAnyKind, kOptional, false};
  }
  return out;
}

bool may_fault(Op op) { return std::strchr(op_info(op).flags, 'F') != nullptr; }

// Folding may produce a constant that cannot be prepared. The call itself then faults when it runs.
bool can_prepare(const Node& node) {
  const Preparation& preparation = node.overload->preparation;
  const auto arg = static_cast<size_t>(preparation.arg);
  if (preparation.arg < 0 || arg >= node.args.size() || node.args[arg]->kind != NodeKind::constant) return false;
  const Value& value = node.args[arg]->value;
  const Kind wanted = kind_of(*node.overload->params[arg]);
  std::string error;
  return (wanted == Kind::absent || value.is(wanted)) && preparation.prepare(value, &error) != nullptr;
}

}  // namespace

bool is_unimplemented(const Node& node) {
  if (node.overload != nullptr) return node.overload->call == nullptr;
  if (node.function == nullptr) return true;
  for (const Overload* overload : node.function->overloads) {
    if (overload->call != nullptr) return false;
  }
  return true;
}

const Shortcut* find_shortcut(const Node& node) {
  static const ShortcutTable table = make_shortcuts();
  if (is_unimplemented(node)) return nullptr;
  std::string_view id;
  if (node.overload != nullptr) {
    if (node.overload->cost != nullptr) return nullptr;  // an instruction costs nothing
    id = node.overload->id;
  } else if (node.function->name == "_[_]") {  // the same instruction indexes lists and maps
    id = "index_list";
  } else if (node.function->name == "_[?_]") {
    id = "list_optindex_optional_int";
  }
  auto found = table.find(id);
  return found == table.end() ? nullptr : &found->second;
}

// --- slots

uint32_t ExpressionEmitter::slot_location(const Node& node) {
  return tables_.slot(node.slot).builtin ? kNone : at(node.at);
}

Operand ExpressionEmitter::load(const Node& node, Register dest) {
  Register out = target_or_any(register_kind(*tables_.slot(node.slot).type), dest);
  code_.emit(Op::load, out, node.slot, 0, slot_location(node));
  return deliver(out, dest, node.at);
}

/// Matches slot == "literal", slot in ["literal", ...], and "literal" in slot.
bool ExpressionEmitter::is_slot_test(const Node& node) const {
  return typed::is_free_equality(node, tables_.schema()) || typed::is_free_membership(node, tables_.schema());
}

Operand ExpressionEmitter::slot_test(const Node& node, Register dest) {
  const Node& left = *node.args[0];
  const Node& right = *node.args[1];
  Register out = target(kBool, dest);
  if (node.kind != NodeKind::call) {
    const Node& slot = left.kind == NodeKind::slot ? left : right;
    const Node& literal = left.kind == NodeKind::slot ? right : left;
    tables_.mark_compared(slot.slot);
    code_.emit(Op::slot_eq, out, slot.slot, tables_.symbol(literal.value.as_text()), slot_location(slot));
    if (node.kind == NodeKind::not_equal && inverted_ != &node) code_.emit(Op::not_, out, out);
  } else if (left.kind == NodeKind::slot) {
    tables_.mark_compared(left.slot);
    code_.emit(Op::slot_in, out, left.slot, tables_.symbol_set(right.value), slot_location(left));
  } else {
    code_.emit(Op::slot_has, out, right.slot, tables_.member_bit(right.slot, left.value.as_text()),
               slot_location(right));
  }
  return deliver(out, dest, node.at);
}

// --- comparison

Operand ExpressionEmitter::equality(const Node& node, First first, Register dest) {
  Operand left = take(first, kNoRegister, node.at);
  Operand right = value(*node.args[1]);
  Op op = Op::eq_any;
  if (code_.kind(left.reg) == code_.kind(right.reg)) {
    switch (code_.kind(left.reg)) {
      case kBool:
        op = Op::eq_bool;
        break;
      case kInt:
        op = Op::eq_int;
        break;
      case kUint:
        op = Op::eq_uint;
        break;
      case kDouble:
        op = Op::eq_double;
        break;
      case kString:
        op = Op::eq_string;
        break;
      default:
        break;
    }
  }
  release(left);
  release(right);
  Register out = target(kBool, dest);
  code_.emit(op, out, left.reg, right.reg, may_fault(op) ? at(node.at) : kNone);
  if (node.kind == NodeKind::not_equal && inverted_ != &node) code_.emit(Op::not_, out, out);
  return deliver(out, dest, node.at);
}

// --- calls

Operand ExpressionEmitter::call(const Node& node, First first, Register dest) {
  const Shortcut* shortcut = find_shortcut(node);
  return shortcut != nullptr ? shortcut_call(node, *shortcut, first, dest) : general_call(node, first, dest);
}

Operand ExpressionEmitter::shortcut_call(const Node& node, const Shortcut& shortcut, First first, Register dest) {
  uint32_t location = may_fault(shortcut.op) ? at(node.at) : kNone;
  Operand left = take(first, kNoRegister, node.at);
  if (node.args.size() == 1) {
    left = ensure(left, shortcut.operand, node.at);
    release(left);
    Register out = target(shortcut.result, dest);
    code_.emit(shortcut.op, out, left.reg, 0, location);
    return deliver(out, dest, node.at);
  }
  Operand right = value(*node.args[1]);
  left = ensure(left, shortcut.operand, node.at);
  right = ensure(right, shortcut.operand, node.at);
  release(left);
  release(right);
  Register out = target(shortcut.result, dest);
  code_.emit(shortcut.op, out, shortcut.swap ? right.reg : left.reg, shortcut.swap ? left.reg : right.reg, location);
  return deliver(out, dest, node.at);
}

/// Returns the kinds of the argument registers. They are those of the parameters, so that the
/// verifier can check the call against its signature.
std::string ExpressionEmitter::argument_kinds(const Node& node) const {
  std::string kinds;
  for (size_t i = 0; i < node.args.size(); ++i) {
    uint8_t kind = kAnyKind;
    if (node.overload != nullptr && i < node.overload->params.size()) kind = register_kind(*node.overload->params[i]);
    if (kind == kAnyKind) kind = value_kind(*node.args[i]);
    kinds.push_back(static_cast<char>(kind));
  }
  return kinds;
}

Operand ExpressionEmitter::general_call(const Node& node, First first, Register dest) {
  std::string kinds = argument_kinds(node);
  if (kinds.size() <= 1) {  // any register is suitable
    Operand operand;
    if (!kinds.empty()) {
      operand = ensure(take(first, kNoRegister, node.at), static_cast<uint8_t>(kinds[0]), node.at);
    }
    Register out = target_or_any(value_kind(node), dest);
    call_instruction(node, out, operand.reg == kNoRegister ? Register{0} : operand.reg);
    release(operand);
    return deliver(out, dest, node.at);
  }
  Register args = code_.allocate_block(kinds);
  take(first, args, node.at);
  for (size_t i = 1; i < node.args.size(); ++i) value(*node.args[i], static_cast<Register>(args + i));
  Register out = target_or_any(value_kind(node), dest);
  call_instruction(node, out, args);
  code_.release_block(args, kinds);
  return deliver(out, dest, node.at);
}

void ExpressionEmitter::call_instruction(const Node& node, Register result, Register args) {
  uint32_t location = at(node.at);
  if (is_unimplemented(node)) {
    uint32_t name = node.function == nullptr ? kNone : tables_.text_constant(node.function->name);
    code_.emit(Op::fail, static_cast<uint32_t>(FaultCode::no_such_overload), name, 0, location);
    return;
  }
  if (node.overload == nullptr) {
    uint32_t import = tables_.dynamic_import(*node.function, node.args.size());
    code_.emit(Op::call_dynamic, result, import, args, location);
    return;
  }
  uint32_t import = tables_.import(*node.overload);
  if (can_prepare(node)) {
    const Node& constant = *node.args[static_cast<size_t>(node.overload->preparation.arg)];
    uint32_t prepared = tables_.prepared(import, tables_.constant(constant.value));
    code_.emit(Op::call_prepared, result, prepared, args, location);
    return;
  }
  code_.emit(Op::call, result, import, args, location);
}

}  // namespace ordain::emission
