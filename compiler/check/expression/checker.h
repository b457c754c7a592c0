// ExprChecker types one expression per instance. Its parts are the files of this folder, and no
// code outside them uses it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/expression/inference.h"
#include "compiler/check/expression/narrowing.h"
#include "compiler/check/expression/scope.h"
#include "compiler/check/expression/typed.h"
#include "compiler/parse/syntax.h"

namespace ordain::checking {

using syntax::Expr;
using syntax::ExprKind;
using typed::LoopKind;
using typed::Node;
using typed::NodeKind;

/// Operator runs, ternaries and lets may nest this deep at most, because every pass over the tree
/// recurses.
inline constexpr uint32_t kMaxDepth = 1000;

/// A slot read while the tree is being built. Its path may still grow (`input.address` by
/// `.street`), so the slot is interned last.
struct SlotNode : Node {
  const RootName* root = nullptr;
  std::string_view path;  ///< "input.address.street"
  const Type* slot_type = nullptr;
  bool whole_root = false;  ///< `path` is the name of the root
  bool optional = false;    ///< a step of the path may be absent
  bool builtin = false;
  std::string_view unguarded;  ///< the first step that may be absent and is not guarded; or empty
  Span unguarded_at;
  const StateName* state = nullptr;  ///< a state as a whole, or a member of it
  const StateName* other = nullptr;  ///< member `after`
  StateMember member = StateMember::seen;
  std::span<SlotNode* const> index;  ///< of a state: slots, or constants in `value`
  const Expr* text = nullptr;        ///< said, carries: what is looked for
  Node* text_node = nullptr;         ///< the same, checked
  uint32_t label = kNone;            ///< carries
};

/// A function as a call names it: its implemented rows, and the rows that are only declared.
struct FunctionRef {
  std::string_view name;
  const Function* function = nullptr;
  std::vector<const Overload*> declared;
  bool found() const { return function != nullptr || !declared.empty(); }
};

/// The way in which a field is read.
enum class Access : uint8_t { read, test, optional };

class ExprChecker {
 public:
  /// `lone`: the expression stands alone, so its variables may be unbound.
  ExprChecker(Arena& arena, Diagnostics& diagnostics, const Scope& scope, std::vector<MissingField>* missing,
              bool lone);

  typed::Expression run(const Expr& expression, const Type* expected);
  /// @returns CEL's type of the whole expression, after run()
  const Type* deduced() const { return deduced_; }

 private:
  struct Local {
    std::string_view name;
    uint32_t id = 0;
    const Type* type = nullptr;
  };
  using KeyFacts = Facts<std::string>;
  /// Facts of which one holds, although it is not known which one.
  using Alternatives = std::vector<KeyFacts>;
  /// The locals and narrowings of a part of the expression; removed at its end.
  class Section {
   public:
    explicit Section(ExprChecker& checker)
        : checker_(checker),
          locals_(checker.locals_.size()),
          present_(checker.present_.size()),
          patterns_(checker.patterns_.size()),
          absent_(checker.absent_.size()),
          alternatives_(checker.alternatives_.size()) {}
    ~Section() {
      checker_.locals_.resize(locals_);
      checker_.present_.resize(present_);
      checker_.patterns_.resize(patterns_);
      checker_.absent_.resize(absent_);
      checker_.alternatives_.resize(alternatives_);
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    ExprChecker& checker_;
    size_t locals_, present_, patterns_, absent_, alternatives_;
  };

  // --- checker.cc
  Node* check(const Expr& e);      ///< the value of `e`
  Node* check_raw(const Expr& e);  ///< like check(), but only use() reports an unguarded read
  Node* use(Node* node);
  Node* check_literal(const Expr& e);
  const Type* type_of_data(const Value& list);
  Node* check_list(const Expr& e);
  Node* check_map(const Expr& e);
  Node* check_logic(const Expr& e);
  Node* check_again(const Expr& operand, const std::vector<Node*>& operands, size_t at, bool is_and);
  Node* check_not(const Expr& e);
  Node* check_conditional(const Expr& e);
  Node* conditional(const Expr& e, Node* condition, Node* yes, Node* no);
  const Type* optional_element(const Expr& e, Node* node);
  const Type* merge(const Type* so_far, const Type* next);
  bool require_bool(const Expr& e, const Node& node, std::string_view what);
  void note_let(const Expr& e, const Node& node);  ///< if `e` names a let, notes in the last error where it is

  Node* make(NodeKind kind, const Expr& e, const Type* type, std::vector<Node*> args = {});
  Node* error_node(const Expr& e);
  Node* constant(const Expr& e, Value value, const Type* type);
  Node* fail_node(const Expr& e, FaultCode code, std::string_view detail);
  bool is_error(const Node& node) const { return infer_.shallow(node.type)->kind == TypeKind::error; }
  const Type* static_type(const Type* type) const { return scope_.checked ? type : &types::kDyn; }
  std::string describe(const Type* type) { return to_string(*infer_.deduced(type)); }
  void error(std::string code, Span span, std::string message, std::string help = "") {
    diagnostics_.error(std::move(code), span, std::move(message), std::move(help));
  }

  // --- finish.cc
  typed::Expression finish(const Expr& e, Node* root, const Type* expected);
  void settle(Node& node);
  void settle_slot(SlotNode& node);

  // --- names.cc
  Node* check_name(const Expr& e);  ///< an identifier, or a selection that may be a qualified name
  Node* resolve_chain(const std::vector<const Expr*>& chain);
  Node* find_name(const Expr& e, std::string_view name, bool absolute);
  Node* find_name_exactly(const Expr& e, std::string_view name);
  Node* root_node(const Expr& e, std::string_view name, const RootName& root);
  Node* let_node(const Expr& e, const Node& let);
  Node* clone(const Node& node, uint32_t local_base);
  Node* undeclared(const Expr& e);
  const Local* find_local(std::string_view name) const;
  bool is_local(const Expr& e) const;
  std::vector<std::string> candidates(std::string_view name) const;  ///< in the container, its parents, and bare

  // --- fields.cc
  Node* select(const Expr& e, Node* operand, std::string_view field, Access access);
  Node* select_value(const Expr& e, Node* operand, std::string_view field, Access access);
  Node* select_slot(const Expr& e, SlotNode& operand, std::string_view field, Access access);
  Node* extend_slot(const Expr& e, SlotNode& operand, std::string_view field, Access access, const Type* type,
                    bool optional);
  Node* test_inside(const Expr& e, SlotNode& operand, SlotNode* test);
  std::string text_of(Span span, std::string_view otherwise) const;
  Node* missing_field(const Expr& e, std::string_view path, const RecordType& record, std::string_view field);
  void report_unguarded(Span span, std::string_view path);
  Node* check_has(const Expr& e);

  // --- hints.cc: what to write instead
  std::string field_of_roots(std::string_view name) const;
  std::string name_help(std::string_view name) const;
  static std::string function_help(std::string_view name);
  std::string member_help(std::string_view name) const;
  std::string conversion_help(const Expr& e, const Type* type);
  std::string operand_help(const Expr& e, std::string_view name, const std::vector<Node*>& args);
  static std::string regex_help(std::string_view why);

  // --- presence.cc: which values are known to be present
  void assume(const Node& condition, bool outcome);
  void assume_facts(const KeyFacts& facts);
  void assume_elements(const Node& range, const std::string& element);
  KeyFacts facts_of(const Node& condition, bool outcome) const;
  void test_facts(const Node& node, bool outcome, KeyFacts& out) const;
  void quantified_facts(const Node& loop, bool outcome, KeyFacts& out) const;
  std::vector<std::string> element_facts(const Node& range) const;
  bool is_list(const Node& node) const;
  bool is_refuted(const KeyFacts& facts) const;
  bool is_present(std::string_view key) const;
  bool is_sure(const Node& node) const;             ///< whether it is a presence test that cannot fault
  static std::string access_key(const Node& node);  ///< names a value that is read by fields and indexes; or ""
  static std::string field_step(std::string_view field);

  // --- calls.cc
  Node* check_call(const Expr& e);
  Node* check_equal(const Expr& e);
  Node* check_side(const Expr& e, size_t side);
  Node* check_in(const Expr& e);
  bool is_unknown_namespace(const Expr& receiver);
  FunctionRef find_function(std::string_view name, bool absolute) const;
  Node* call(const Expr& e, const FunctionRef& function, bool member, std::vector<Node*> args);
  Node* call_named(const Expr& e, std::string_view name, bool member, std::vector<Node*> args);
  Node* unchecked_call(const Expr& e, const FunctionRef& function, std::vector<Node*> args);
  Node* unknown_function(const Expr& e, std::string_view name, bool member);
  void check_prepared(const Overload& overload, const std::vector<Node*>& args);

  // --- overloads.cc
  struct Match {
    std::vector<const Overload*> rows;
    const Type* result = nullptr;
  };
  Match match(const FunctionRef& function, bool member, const std::vector<Node*>& args);
  void prefer_exact(Match& match, const std::vector<const Type*>& given);
  bool is_proven(const Overload& overload, const std::vector<Node*>& args) const;
  void report_no_match(const Expr& e, const FunctionRef& function, bool member, const std::vector<Node*>& args);
  std::string literal_help(const std::vector<Node*>& args) const;

  // --- states.cc: what is remembered between calls
  const StateName* find_state(const Expr& e) const;
  Node* state_node(const Expr& e, const StateName& state);
  Node* state_member(const Expr& e, SlotNode& operand, std::string_view field, Access access);
  Node* check_state_call(const Expr& e);  ///< nullptr: not a call about state
  bool names_state(const Expr& e) const;
  Node* state_index(const Expr& e);
  Node* state_after(const Expr& e);
  Node* text_test(const Expr& e);
  bool is_label(const Expr& e);
  Node* join_labels(const Expr& e, Node* node);
  Node* label_membership(const Expr& e, const std::vector<Node*>& args);
  SlotNode* state_slot(const Expr& e, std::string_view path, const Type* type);
  void settle_state(SlotNode& node);
  void register_state(const SlotNode& node);

  // --- coercions.cc: risk names, and roots that stand for their id
  void coerce_operands(std::string_view function, std::vector<Node*>& args);
  void coerce_risk(Node* other);
  bool risk_value(Node& literal);
  bool is_id_root(const Node& node) const;
  bool id_of_root(Node*& node);
  bool string_for_roots(std::vector<Node*>& args);

  // --- macros.cc
  Node* check_macro(const Expr& e, bool* expanded);
  Node* cel_macro(const Expr& e, bool* expanded);
  Node* loop_macro(const Expr& e, LoopKind loop, size_t variables, bool filtered);
  const Type* loop_type(const Expr& e, LoopKind loop, const Node& step, const Type* key, const Type* element);
  bool loop_types(const Node& range, const Type** key, const Type** value);
  Node* optional_macro(const Expr& e, bool flat);
  Node* sort_macro(const Expr& e);
  Node* alternative(const Expr& e, Node* call);
  Node* bind_macro(const Expr& e);
  Node* block_macro(const Expr& e);
  Node* extremum_macro(const Expr& e);
  Node* block_variable(const Expr& e);
  std::string_view variable_name(const Expr& e);
  std::string_view generated_name(const Expr& e);
  Node* let(const Expr& e, const Local& variable, Node* value, Node* body);
  Local declare(std::string_view name, const Type* type);
  Node* local_node(const Expr& e, const Local& local);

  Arena& arena_;
  Diagnostics& diagnostics_;
  const Scope& scope_;
  std::vector<MissingField>* missing_;
  bool lone_;
  Inference infer_;
  std::vector<Local> locals_;
  std::vector<std::string> present_;   ///< keys of values known to be present
  std::vector<std::string> patterns_;  ///< the same with "[*]", for all elements
  std::vector<std::string> absent_;    ///< keys of values known to be absent
  std::vector<Alternatives> alternatives_;
  std::vector<uint32_t> loop_locals_;  ///< variables of loops, which always have a value
  bool again_ = false;                 ///< an operand is being checked again, with the guards after it
  uint32_t local_count_ = 0;
  uint32_t depth_ = 0;
  bool too_deep_ = false;
  bool intern_ = true;              ///< intern slots: the expression has all the fields it reads
  std::vector<bool> local_faults_;  ///< by local, once its value is settled: may reading it fault
  const Type* deduced_ = &types::kError;
};

/// @returns the operator as people write it: "+" for "_+_"
std::string_view display_name(std::string_view function);

}  // namespace ordain::checking
