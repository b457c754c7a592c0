// Goes from the whole expression down to the slot, and undoes one operation after the other. The
// ranges are wide enough for what one operation on two numbers of 64 bits can give.
#include "compiler/index/arithmetic.h"

#include <algorithm>

namespace ordain::indexing {
namespace {

/// An operation on a number x: x * `factor` + `offset`. Either `factor` is 1 or -1, or `offset` is 0.
struct Operation {
  WideInt factor = 1, offset = 0;
  const typed::Node* operand = nullptr;  ///< nullptr: not an operation on one number and a constant
};

WideInt wide(const Value& value) { return value.is(Kind::unsigned_integer) ? WideInt{value.u} : WideInt{value.i}; }

Operation operation_of(const typed::Node& node) {
  if (node.kind != typed::NodeKind::call || node.overload == nullptr) return {};
  const std::string& id = node.overload->id;
  if (id == "negate_int64") return {-1, 0, node.args[0]};
  if (node.args.size() != 2) return {};
  const bool constant_first = node.args[0]->kind == typed::NodeKind::constant;
  const typed::Node& constant = *node.args[constant_first ? 0 : 1];
  const typed::Node* operand = node.args[constant_first ? 1 : 0];
  if (constant.kind != typed::NodeKind::constant) return {};
  const bool is_int = constant.value.is(Kind::integer);
  if (!is_int && !constant.value.is(Kind::unsigned_integer)) return {};
  const WideInt number = wide(constant.value);
  if (id == (is_int ? "add_int64" : "add_uint64")) return {1, number, operand};
  if (id == (is_int ? "multiply_int64" : "multiply_uint64") && number != 0) return {number, 0, operand};
  if (id != (is_int ? "subtract_int64" : "subtract_uint64")) return {};
  return constant_first ? Operation{-1, number, operand} : Operation{1, -number, operand};
}

WideInt divide_down(WideInt a, WideInt b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }
WideInt divide_up(WideInt a, WideInt b) { return a / b + (a % b != 0 && (a < 0) == (b < 0) ? 1 : 0); }

/// The numbers for which the operation gives one of `results`.
WideRange undo(const Operation& operation, WideRange results) {
  WideInt low = results.low - operation.offset, high = results.high - operation.offset;
  if (operation.factor < 0) std::swap(low, high);
  return {divide_up(low, operation.factor), divide_down(high, operation.factor)};
}

WideRange both(WideRange a, WideRange b) { return {std::max(a.low, b.low), std::min(a.high, b.high)}; }

}  // namespace

WideRange range_of_kind(Kind kind) {
  if (kind == Kind::unsigned_integer) return {0, WideInt{UINT64_MAX}};
  return {WideInt{INT64_MIN}, WideInt{INT64_MAX}};
}

bool solve_arithmetic(const typed::Node& node, const Schema& schema, WideRange wanted, ArithmeticSolution* out) {
  const Kind kind = kind_of(*node.type);
  if (kind != Kind::integer && kind != Kind::unsigned_integer) return false;
  const WideRange all = range_of_kind(kind);
  WideRange matches = both(wanted, all), faultless = all;
  const typed::Node* at = &node;
  for (; at->kind != typed::NodeKind::slot; matches = both(matches, all), faultless = both(faultless, all)) {
    if (matches.is_empty() || faultless.is_empty()) return false;
    const Operation operation = operation_of(*at);
    if (operation.operand == nullptr || kind_of(*operation.operand->type) != kind) return false;
    matches = undo(operation, matches);
    faultless = undo(operation, faultless);
    at = operation.operand;
  }
  if (kind_of(*schema.slots[at->slot].type) != kind || faultless.is_empty()) return false;
  *out = {at->slot, matches, faultless};
  return true;
}

}  // namespace ordain::indexing
