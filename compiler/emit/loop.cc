// Emits comprehensions. They all have the same frame, with the test at the end:
//
//         size = iter_size range; index = 0; jump test
//   body: charge; variables; step ...
//   next: inc index
//   test: if index < size jump body
#include "compiler/emit/expression.h"
#include "vm/program/register_kinds.h"

namespace ordain::emission {

using namespace vm::kinds;  // NOLINT(google-build-using-namespace): constants of the bytecode

using typed::LoopKind;
using typed::Node;

namespace {

uint32_t iteration_cost(const Node& node) {
  uint64_t cost = 1;
  for (const Node* step : node.args.subspan(1)) cost += node_count(*step);
  return static_cast<uint32_t>(std::min<uint64_t>(cost, UINT32_MAX));
}

}  // namespace

ExpressionEmitter::Loop ExpressionEmitter::begin_loop(const Node& node) {
  Loop loop;
  loop.range = value(*node.args[0]);
  ++loop_depth_;
  loop.size = {code_.allocate(kInt), true};
  loop.index = {code_.allocate(kInt), true};
  loop.body = code_.new_label();
  loop.test = code_.new_label();
  loop.next = code_.new_label();
  code_.emit(Op::iter_size, loop.size.reg, loop.range.reg, 0, at(node.args[0]->at));
  code_.emit(Op::const_, loop.index.reg, tables_.constant(Value::integer(0)));
  code_.jump(loop.test);
  code_.bind(loop.body);
  code_.emit(Op::charge, 0, iteration_cost(node), 0, at(node.at));
  const bool two = node.local2 != kNone;
  auto variable = [&](uint32_t local, Op op) {
    if (local == kNone) return;
    Register reg = code_.allocate(kAnyKind);
    variables_[local] = {.reg = reg};
    code_.emit(op, reg, loop.range.reg, loop.index.reg);
  };
  variable(node.local, two ? Op::iter_key : Op::iter_item);
  variable(node.local2, Op::iter_value);
  return loop;
}

void ExpressionEmitter::end_loop(const Node& node, const Loop& loop) {
  --loop_depth_;
  code_.bind(loop.next);
  code_.emit(Op::inc, loop.index.reg);
  code_.bind(loop.test);
  Register more = code_.allocate(kBool);
  code_.emit(Op::lt_int, more, loop.index.reg, loop.size.reg);
  code_.emit(Op::jump_if, more, loop.body);
  code_.release(more);
  if (node.local != kNone) code_.release(variables_[node.local].reg);
  if (node.local2 != kNone) code_.release(variables_[node.local2].reg);
  release(loop.index);
  release(loop.size);
  release(loop.range);
}

/// Emits all and exists: a fault in one iteration waits for the other iterations, as an operand's
/// fault does in && and ||.
void ExpressionEmitter::quantifier(const Node& node, const Exits& exits) {
  const bool all = node.loop == LoopKind::all;
  const Node& step = *node.args[1];
  uint32_t saved = kNone;
  if (may_fault_as_condition(step)) {
    saved = code_.allocate_saved();
    code_.emit(Op::clear_fault, saved);
  }
  Loop loop = begin_loop(node);
  Exits through =
      all ? Exits{loop.next, exits.if_false, Falls::to_true} : Exits{exits.if_true, loop.next, Falls::to_false};
  if (saved != kNone) {
    Label handler = code_.new_label();
    code_.begin_region(handler);
    condition(step, through, step.at);
    code_.end_region();
    code_.defer_handler(handler, Op::save_fault, saved, loop.next);
  } else {
    condition(step, through, step.at);
  }
  end_loop(node, loop);
  if (saved != kNone) {
    code_.emit(Op::raise_saved, saved);
    code_.release_saved();
  }
  if (all && exits.falls != Falls::to_true) code_.jump(exits.if_true);
  if (!all && exits.falls != Falls::to_false) code_.jump(exits.if_false);
}

Operand ExpressionEmitter::exists_one(const Node& node, Register dest) {
  Register count = code_.allocate(kInt);
  code_.emit(Op::const_, count, tables_.constant(Value::integer(0)));
  Loop loop = begin_loop(node);
  Label hit = code_.new_label();
  condition(*node.args[1], {hit, loop.next, Falls::to_true}, node.args[1]->at);
  code_.bind(hit);
  code_.emit(Op::inc, count);
  end_loop(node, loop);
  Operand one = constant(Value::integer(1), kNoRegister, node.at);
  release(one);
  code_.release(count);
  Register out = target(kBool, dest);
  code_.emit(Op::eq_int, out, count, one.reg);
  return deliver(out, dest, node.at);
}

Operand ExpressionEmitter::building_loop(const Node& node, Register dest) {
  const bool makes_list = node.loop == LoopKind::map || node.loop == LoopKind::filter;
  Register builder = code_.allocate(kBuilderKind);
  code_.emit(makes_list ? Op::list_new : Op::map_new, builder, 0, 0, at(node.at));
  Loop loop = begin_loop(node);
  const Node* filter = node.loop == LoopKind::filter ? node.args[1] : node.args.size() > 2 ? node.args[2] : nullptr;
  if (filter != nullptr) {
    Label keep = code_.new_label();
    condition(*filter, {keep, loop.next, Falls::to_true}, filter->at);
    code_.bind(keep);
  }
  build_step(node, builder);
  end_loop(node, loop);
  Register out = target(makes_list ? kList : kMap, dest);
  code_.emit(makes_list ? Op::list_done : Op::map_done, out, builder, 0, at(node.at));
  code_.release(builder);
  return deliver(out, dest, node.at);
}

void ExpressionEmitter::build_step(const Node& node, Register builder) {
  uint32_t location = at(node.at);
  Register variable = variables_[node.local].reg;
  const Node& step = *node.args[1];
  if (node.loop == LoopKind::filter) {
    code_.emit(Op::list_push, builder, variable, 0, location);
    return;
  }
  Operand operand = value(step);
  switch (node.loop) {
    case LoopKind::map:
      code_.emit(Op::list_push, builder, operand.reg, 0, location);
      break;
    case LoopKind::map_values:
      code_.emit(Op::map_put, builder, variable, operand.reg, location);
      break;
    default:
      operand = ensure(operand, kMap, step.at);
      code_.emit(Op::map_merge, builder, operand.reg, 0, location);
      break;
  }
  release(operand);
}

}  // namespace ordain::emission
