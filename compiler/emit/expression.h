// ExpressionEmitter turns one typed expression into the code of one predicate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/emit/code.h"
#include "compiler/emit/let_sharing.h"
#include "compiler/emit/tables.h"

namespace ordain::emission {

/// The kind of the register that holds values of `type`.
uint8_t register_kind(const Type& type);

/// How a call becomes a single instruction.
struct Shortcut {
  Op op = Op::call;
  uint8_t operand = kAnyKind;  ///< kind of all operands
  uint8_t result = kAnyKind;
  bool swap = false;  ///< swap the operands: a > b is b < a
};
/// Finds the instruction for a call of the standard library; nullptr if there is none.
const Shortcut* find_shortcut(const typed::Node& node);
/// True if no overload of the function can run, because the checker knew only its signature.
bool is_unimplemented(const typed::Node& node);

/// A value in a register. A temporary is released by the code that consumes it.
struct Operand {
  Register reg = kNoRegister;
  bool temporary = false;
};

/// The first operand of a node: either not evaluated yet (a node without a chain of its own), or in
/// a register.
struct First {
  const typed::Node* node = nullptr;
  Operand operand = {};
};

/// Which code follows the code of a condition, so that one of its jumps can be omitted.
enum class Falls : uint8_t { to_true, to_false, nowhere };

/// Where a condition jumps to.
struct Exits {
  Label if_true;
  Label if_false;
  Falls falls;
};

/// Whether an operand of && or ||, or a predicate, may fault. Any value that is not a bool faults
/// there, whatever its source.
inline bool may_fault_as_condition(const typed::Node& node) {
  return node.may_fault || node.type->kind != TypeKind::boolean;
}

class ExpressionEmitter {
 public:
  /// @param lets those that are computed once in a decision; nullptr: none
  explicit ExpressionEmitter(Tables& tables, LetSharing* lets = nullptr) : tables_(tables), lets_(lets) {}

  /// Emits an expression and returns the predicate's number. `kind` is what its value must be
  /// (kAnyKind: anything); another kind faults with no_such_overload.
  uint32_t emit(const typed::Expression& expression, uint8_t kind);

 private:
  using Node = typed::Node;

  struct Variable {
    Register reg = kNoRegister;
    uint32_t saved = kNone;  ///< the saved fault of its initialiser
  };

  // values (expression.cc)
  Operand value(const Node& node, Register dest = kNoRegister);
  Operand apply(const Node& node, First first, Register dest);
  Operand unchained_value(const Node& node, Register dest);
  Operand constant(const Value& value, Register dest, const Span& at);
  Operand local(const Node& node, Register dest);
  Operand list_literal(const Node& node, Register dest);
  Operand map_literal(const Node& node, Register dest);
  Operand let_value(const Node& node, Register dest);
  void bind_let(const Node& node);
  void unbind_let(const Node& node);
  Operand shared_let(const Node& node, Register dest);
  bool is_shared(const Node& node) const {
    return lets_ != nullptr && loop_depth_ == 0 && &node != computed_ && lets_->is_shared(node);
  }
  uint8_t value_kind(const Node& node) const;
  static bool is_chain(const Node& node);

  // registers
  Operand take(First first, Register dest, const Span& at);
  Operand ensure(Operand operand, uint8_t kind, const Span& at);
  void convert(Register from, Register to, const Span& at);
  Operand deliver(Register from, Register dest, const Span& at);
  Register target(uint8_t kind, Register dest);
  Register target_or_any(uint8_t kind, Register dest);
  void release(Operand operand) {
    if (operand.temporary) code_.release(operand.reg);
  }
  uint32_t at(const Span& span) { return tables_.location(span); }

  // calls, comparisons, slots (call.cc)
  bool is_slot_test(const Node& node) const;
  Operand slot_test(const Node& node, Register dest);
  Operand load(const Node& node, Register dest);
  uint32_t slot_location(const Node& node);
  Operand equality(const Node& node, First first, Register dest);
  Operand call(const Node& node, First first, Register dest);
  Operand shortcut_call(const Node& node, const Shortcut& shortcut, First first, Register dest);
  Operand general_call(const Node& node, First first, Register dest);
  std::string argument_kinds(const Node& node) const;
  void call_instruction(const Node& node, Register result, Register args);

  // conditions (logic.cc)
  static bool is_logic(const Node& node);
  void condition(const Node& node, const Exits& exits, const Span& fault_at);
  void operands_of(const Node& node, typed::NodeKind kind, std::vector<const Node*>& out);
  void connective(const Node& node, const Exits& exits);
  void branch(Operand operand, const Exits& exits, const Span& fault_at);
  Operand truth(const Node& node, Register dest);
  Operand conditional(const Node& node, Register dest);
  void root_condition(const Node& node);

  // comprehensions (loop.cc)
  struct Loop {
    Operand range, size, index;
    Label body, test, next;
  };
  Loop begin_loop(const Node& node);
  void end_loop(const Node& node, const Loop& loop);
  void quantifier(const Node& node, const Exits& exits);
  Operand exists_one(const Node& node, Register dest);
  Operand building_loop(const Node& node, Register dest);
  void build_step(const Node& node, Register builder);

  Tables& tables_;
  LetSharing* lets_;
  uint32_t loop_depth_ = 0;         ///< loops whose steps are being emitted
  const Node* computed_ = nullptr;  ///< the innermost shared let whose value is being emitted
  CodeBuffer code_;
  std::vector<Variable> variables_;
  std::vector<const Node*> chain_;
  const Node* inverted_ = nullptr;  ///< the innermost != that is being emitted and whose consumer negates it
};

}  // namespace ordain::emission
