// Emits conditions: &&, ||, !, ?: and quantifiers become jumps; nested ones jump straight to the
// outermost exits.
//
// A fault in an operand of && must wait, for a later operand may be false. So an operand that may fault and is not the
// last stands in a region whose handler saves the fault (the first one stays) and goes on with the next operand. When
// all operands have run and none was false, `raise_saved` brings the leftmost fault back. Each operand is written once.
#include <utility>

#include "compiler/emit/expression.h"
#include "vm/program/register_kinds.h"

namespace ordain::emission {

using namespace vm::kinds;  // NOLINT(google-build-using-namespace): constants of the bytecode

using typed::LoopKind;
using typed::Node;
using typed::NodeKind;

namespace {

Exits flipped(const Exits& exits) {
  Falls falls = exits.falls == Falls::to_true    ? Falls::to_false
                : exits.falls == Falls::to_false ? Falls::to_true
                                                 : Falls::nowhere;
  return {exits.if_false, exits.if_true, falls};
}

}  // namespace

/// Whether jumping on the node is better than computing its value.
bool ExpressionEmitter::is_logic(const Node& node) {
  switch (node.kind) {
    case NodeKind::and_:
    case NodeKind::or_:
      return true;
    case NodeKind::not_:
      return is_logic(*node.args[0]);
    case NodeKind::loop:
      return node.loop == LoopKind::all || node.loop == LoopKind::exists;
    case NodeKind::conditional:
      return is_logic(*node.args[1]) || is_logic(*node.args[2]);
    default:
      return false;
  }
}

/// Jumps to one of `exits`. A value that is not a bool faults at `fault_at`.
void ExpressionEmitter::condition(const Node& node, const Exits& exits, const Span& fault_at) {
  if (is_shared(node)) return branch(value(node), exits, fault_at);
  switch (node.kind) {
    case NodeKind::constant:
      if (!node.value.is(Kind::boolean)) break;
      if (node.value.as_bool()) {
        if (exits.falls != Falls::to_true) code_.jump(exits.if_true);
      } else if (exits.falls != Falls::to_false) {
        code_.jump(exits.if_false);
      }
      return;
    case NodeKind::and_:
    case NodeKind::or_:
      return connective(node, exits);
    case NodeKind::not_:
      return condition(*node.args[0], flipped(exits), node.at);
    case NodeKind::conditional: {
      Label then = code_.new_label();
      Label otherwise = code_.new_label();
      condition(*node.args[0], {then, otherwise, Falls::to_true}, node.args[0]->at);
      code_.bind(then);
      condition(*node.args[1], {exits.if_true, exits.if_false, Falls::nowhere}, fault_at);
      code_.bind(otherwise);
      return condition(*node.args[2], exits, fault_at);
    }
    case NodeKind::loop:
      if (node.loop != LoopKind::all && node.loop != LoopKind::exists) break;
      return quantifier(node, exits);
    case NodeKind::let:
      bind_let(node);
      condition(*node.args[1], exits, fault_at);
      return unbind_let(node);
    default:
      break;
  }
  if (node.kind == NodeKind::not_equal) {
    const Node* outer = std::exchange(inverted_, &node);  // its own operand may hold this one
    branch(value(node), flipped(exits), fault_at);
    inverted_ = outer;
  } else {
    branch(value(node), exits, fault_at);
  }
}

void ExpressionEmitter::branch(Operand operand, const Exits& exits, const Span& fault_at) {
  operand = ensure(operand, kBool, fault_at);
  release(operand);
  if (exits.falls == Falls::to_true) {
    code_.emit(Op::jump_ifn, operand.reg, exits.if_false);
    return;
  }
  code_.emit(Op::jump_if, operand.reg, exits.if_true);
  if (exits.falls == Falls::nowhere) code_.jump(exits.if_false);
}

/// (a && b) && c is a && b && c, with the same value and the same fault.
void ExpressionEmitter::operands_of(const Node& node, NodeKind kind, std::vector<const Node*>& out) {
  for (const Node* arg : node.args) {
    if (arg->kind == kind && !is_shared(*arg)) {
      operands_of(*arg, kind, out);
    } else {
      out.push_back(arg);
    }
  }
}

void ExpressionEmitter::connective(const Node& node, const Exits& exits) {
  const bool is_and = node.kind == NodeKind::and_;
  std::vector<const Node*> operands;
  operands_of(node, node.kind, operands);
  uint32_t saved = kNone;
  for (size_t i = 0; i < operands.size(); ++i) {
    const Node& operand = *operands[i];
    const bool last = i + 1 == operands.size();
    if (last && saved == kNone) return condition(operand, exits, operand.at);
    const bool may_fault = may_fault_as_condition(operand);
    if (!last && may_fault && saved == kNone) {
      saved = code_.allocate_saved();
      code_.emit(Op::clear_fault, saved);
    }
    Label next = code_.new_label();  // after the last operand, this is where saved faults are raised
    Exits through = is_and ? Exits{next, exits.if_false, Falls::to_true} : Exits{exits.if_true, next, Falls::to_false};
    if (may_fault) {
      Label handler = code_.new_label();
      code_.begin_region(handler);
      condition(operand, through, operand.at);
      code_.end_region();
      code_.defer_handler(handler, last ? Op::raise_first : Op::save_fault, saved, next);
    } else {
      condition(operand, through, operand.at);
    }
    code_.bind(next);
  }
  code_.emit(Op::raise_saved, saved);
  code_.release_saved();
  if (is_and && exits.falls != Falls::to_true) code_.jump(exits.if_true);
  if (!is_and && exits.falls != Falls::to_false) code_.jump(exits.if_false);
}

/// Emits the bool that a condition gives, as a value.
Operand ExpressionEmitter::truth(const Node& node, Register dest) {
  Label if_true = code_.new_label();
  Label if_false = code_.new_label();
  Label end = code_.new_label();
  condition(node, {if_true, if_false, Falls::to_true}, node.at);
  Register out = target(kBool, dest);
  code_.bind(if_true);
  code_.emit(Op::const_, out, tables_.constant(Value::boolean(true)));
  code_.jump(end);
  code_.bind(if_false);
  code_.emit(Op::const_, out, tables_.constant(Value::boolean(false)));
  code_.bind(end);
  return deliver(out, dest, node.at);
}

Operand ExpressionEmitter::conditional(const Node& node, Register dest) {
  Register out = dest != kNoRegister ? dest : code_.allocate(value_kind(node));
  Label then = code_.new_label();
  Label otherwise = code_.new_label();
  Label end = code_.new_label();
  condition(*node.args[0], {then, otherwise, Falls::to_true}, node.args[0]->at);
  code_.bind(then);
  value(*node.args[1], out);
  code_.jump(end);
  code_.bind(otherwise);
  value(*node.args[2], out);
  code_.bind(end);
  return {out, dest == kNoRegister};
}

/// Emits a whole predicate that is a condition: it returns where the condition's jumps end.
void ExpressionEmitter::root_condition(const Node& node) {
  Label if_true = code_.new_label();
  Label if_false = code_.new_label();
  // `exists` reaches its end if it found nothing; every other condition reaches its end if it is
  // true.
  const bool ends_false = node.kind == NodeKind::loop && node.loop == LoopKind::exists;
  condition(node, {if_true, if_false, ends_false ? Falls::to_false : Falls::to_true}, node.at);
  Register out = code_.allocate(kBool);
  for (bool value : {!ends_false, ends_false}) {
    code_.bind(value ? if_true : if_false);
    code_.emit(Op::const_, out, tables_.constant(Value::boolean(value)));
    code_.emit(Op::ret, out);
  }
}

}  // namespace ordain::emission
