// The typed tree holds the meaning of an expression. Names are slots and locals, macros are loops,
// and every node has a type. `check` builds it, `fold` shortens it, `emit` compiles it, and the
// tests' oracle walks it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/diagnostic.h"
#include "ordain/function.h"
#include "ordain/history.h"
#include "ordain/program.h"
#include "ordain/schema.h"
#include "ordain/type.h"
#include "ordain/value.h"

namespace ordain::typed {

/// The kinds of nodes define the semantics, which every evaluator follows exactly. "Faults" means:
/// the node has a fault instead of a value. Unless stated otherwise, a node faults when an operand
/// does; operands are evaluated left to right, and evaluation stops at the first fault. If the
/// memory budget is exhausted, a list, a map or a loop that builds one faults memory_budget before
/// anything else.
enum class NodeKind : uint8_t {
  constant,  ///< `value`
  slot,  ///< value of `slot`. Absent: a built-in gives "" or []; a host's slot faults missing_context (detail: path);
         ///< any other faults no_such_field (detail: the path's last segment)
  has_slot,       ///< whether `slot` is present
  optional_slot,  ///< optional of `slot`
  local,          ///< value of variable `local`
  select,  ///< field `field` of args[0]. Map: no_such_key if absent. Optional: select inside it, result optional; none
           ///< stays none. Else no_such_overload
  has_field,        ///< whether map args[0] has `field`; of an optional: of its value. None and null have none. Else
                    ///< no_such_overload
  select_optional,  ///< optional of field of map args[0]; of an optional: of its value, flattened; none if null. Else
                    ///< no_such_overload
  call,  ///< `overload` (or, if nullptr, the first overload of `function` whose parameter kinds the arguments have,
         ///< else no_such_overload; of `_[_]` and `_[?_]` the first, for all their rows are one function) of args.
         ///< Costs the overload's cost, unless it is_free_membership. Where the argument that `overload` prepares is a
         ///< constant, it is the prepared call, at its cost
  and_,  ///< args, n-ary: false if any is false; else the leftmost fault; else true. Operands run left to right and
         ///< stop at the first false. A non-bool operand is a fault no_such_overload at the operand
  or_,   ///< the same with true
  not_,  ///< of bool args[0]; else no_such_overload
  conditional,  ///< args[0] ? args[1] : args[2]; only the chosen branch runs; a non-bool condition faults
                ///< no_such_overload
  equal,  ///< equal(args[0], args[1]), charging a step for each element and optional's value compared, eight for each
          ///< entry, one for every ten bytes of texts of the same size; nothing if is_free_equality
  not_equal,  ///< !equal(args[0], args[1]), the same
  list,  ///< args; where `optionals`, an optional is flattened away (non-optional: no_such_overload). Charges 16 bytes
         ///< an element as it is added
  map,   ///< args: key, value, ...; each entry is added after its key and value ran: unsupported_key, duplicate_key;
         ///< charges 32 bytes, and a step for every ten bytes of the key
  loop,  ///< a macro over args[0]; see LoopKind
  let,   ///< variable `local` = args[0] in args[1]. A fault of args[0] is raised where `local` is used, and only if it
         ///< is
  fail,  ///< faults with `fault_code`, detail `value`: unchecked expressions only
};

/// Loops run over a list's elements or a map's keys, in order (a range that is neither faults
/// no_such_overload at the range). With two variables (`local2` is set): index and element of a
/// list, or key and value of a map. Each iteration first charges 1 + node_count of the step
/// expressions args[1..]. Predicates that are not bool fault no_such_overload at the predicate.
enum class LoopKind : uint8_t {
  all,     ///< args[1] predicate: false at the first false; else the first fault; else true. A fault does not stop the
           ///< loop (a fault of the charge does)
  exists,  ///< the same with true
  exists_one,  ///< args[1] predicate: exactly one true. Any fault faults. Runs over all elements
  map,     ///< args[1] transform; args[2], if there, is the filter, and runs first. Builds a list (charging 16 bytes an
           ///< element)
  filter,  ///< args[1] predicate; the elements (for a map: the keys) for which it is true
  map_values,   ///< transformMap: args[1] value transform, args[2] filter: a map of the same keys (charging 32 bytes an
                ///< entry); over a list the keys are the indexes
  map_entries,  ///< transformMapEntry: args[1] a map whose entries are merged in (duplicate_key), args[2] filter
};

struct Node {
  NodeKind kind = NodeKind::constant;
  LoopKind loop = LoopKind::all;
  FaultCode fault_code = FaultCode::none;
  bool may_fault = true;  ///< false only if this node cannot fault in any evaluation
  const Type* type = &types::kDyn;
  const Type* declared = nullptr;  ///< slot, select: the type that the field is declared with, limits and all
  Span span;                       ///< the whole expression in policy text
  Span at;                         ///< where a fault of this node itself is reported
  Value value;                     ///< constant; fail: detail
  SlotId slot = kNone;
  uint32_t local = kNone;
  uint32_t local2 = kNone;
  uint32_t of_let = kNone;  ///< the node is the value of this let, an index into PolicySet::lets
  std::string_view field;
  const Overload* overload = nullptr;
  const Function* function = nullptr;
  std::span<Node* const> args;
  std::span<const bool> optionals;  ///< list, map: which elements/entries are `?`; empty if none
};

/// @returns the number of nodes in the tree, including `node`: the unit of cost
uint32_t node_count(const Node& node);

/// @returns whether the node is `slot in [...]` of a string slot and a constant list, or `"text" in
/// slot` of a constant and a slot of type list(string). Engines do not walk a list for these, so
/// they cost nothing, whatever the row of their overload says.
bool is_free_membership(const Node& node, const Schema& schema);

/// @returns whether the node compares a string slot with a constant: symbols are compared, so it
/// costs nothing
bool is_free_equality(const Node& node, const Schema& schema);

/// An expression and the number of its variables (locals are 0 .. local_count - 1).
struct Expression {
  const Node* root = nullptr;
  uint32_t local_count = 0;
};

/// A rule as it applies to one capability. The root of an absent clause is nullptr.
struct RuleBody {
  RuleId rule = 0;
  Expression when, because, from, expires, with;  ///< bool; string; string or list(string); duration; any
  uint32_t need = 0;                              ///< how many groups in `from` must approve; 0: all
  Span need_span;
  bool distinct = true;  ///< each group needs an approver of its own
};

/// Whether the clause is there and a constant of the kind.
bool is_constant(const Expression& clause, Kind kind);
/// A rule whose condition is the constant false: no call matches it.
bool never_applies(const RuleBody& body);

/// The rules that decide one capability's calls in one stage, in source order. `targets` is used
/// only for undeclared capabilities: for each rule, the globs that it applies to.
struct RuleList {
  std::vector<const RuleBody*> rules;
  std::vector<GlobSet> targets;
};

struct Package {
  std::string name;
  bool first_match = false;
  uint32_t budget = 0;  ///< the steps that each of its clauses may spend; 0: the host says
  Digest digest{};
};

/// A part of a key: a slot, or the literal of an index.
struct StateKey {
  KeySource source = KeySource::session;
  SlotId slot = kNone;
  Value literal;  ///< only if `source` says so
};

/// A slot that holds what rules read of a state.
struct StateSlot {
  StateId state = 0;
  StateMember member = StateMember::seen;
  StateId other = kNone;  ///< `after`
  bool indexed = false;
  std::vector<StateKey> index;  ///< in place of the keys that are paths, if `indexed`
  Span span;                    ///< where it is read first
};

/// A slot that holds whether a text was said, or carries a label.
struct TextSlot {
  TextRead::What what = TextRead::said;
  uint32_t label = kNone;
  Expression text;
  Span span;
};

/// What the calls of a capability add to a state.
struct StateEffect {
  StateId state = 0;
  GlobSet targets;  ///< of an undeclared capability
  Stage stage = Stage::before;
  std::vector<StateKey> keys;
  Expression when, amount, settle;
};

/// A state as it is declared. `decl.location` and the constant of its amount are emit's to fill.
struct State {
  StateDecl decl;
  Value limit;         ///< budget: its amount
  bool up_to = false;  ///< history: `decl.bound` is declared
  Span span;           ///< of its name
};

/// A `label` or `clear` rule as it applies to one capability.
struct LabelRuleBody {
  LabelRule info;   ///< without its predicates
  GlobSet targets;  ///< of an undeclared capability
  Expression when, because;
  Span span;  ///< of its first word
};

/// What one capability has to do with state. Reads are slots, in the order of their numbers.
struct CapabilityState {
  std::vector<StateEffect> effects;
  std::vector<std::pair<SlotId, std::vector<StateKey>>> reads[2];  ///< by stage: slot, and the key for this capability
  std::vector<SlotId> texts[2];                                    ///< by stage
  std::vector<const LabelRuleBody*> label_rules;
  uint16_t labels = 0;
};

/// What a policy set remembers between calls. Empty if it declares no state.
struct Histories {
  std::vector<State> states;
  std::vector<std::string> labels;
  std::map<SlotId, StateSlot> slots;
  std::map<SlotId, TextSlot> texts;
  SlotId session_labels = kNone;
  SlotId prompts = kNone;
  std::vector<std::shared_ptr<LabelRuleBody>> label_bodies;
  std::vector<CapabilityState> capabilities;  ///< by capability, then one for undeclared ones; or empty
  bool any() const { return !states.empty() || !labels.empty() || !texts.empty(); }
};

/// A fact that a test gives: a place in the event that the call becomes (input, amount), and its
/// value.
struct TestFact {
  std::vector<std::string_view> path;
  Expression value;  ///< reads no facts
};

/// A step of a `test`: a call, an expectation about the call before it, or what happens to that call or between calls.
struct TestStep {
  enum Kind : uint8_t { call, expectation, wait, fails, approve, reject };
  Kind kind = call;
  Span span;
  std::string_view capability;  ///< of a call; empty otherwise
  Stage stage = Stage::before;  ///< after if the call `returns`
  std::vector<TestFact> facts;  ///< in source order; for the same place, the last one counts
  std::string_view effect;      ///< of an expectation; empty otherwise
  RuleId rule = kNone;          ///< kNone for any rule
  std::optional<Span> row;      ///< the row of the test's table that the step is for
  Value duration;               ///< of a wait
  std::string_view group;       ///< of an approval; empty for the groups that are asked
  std::string_view approver;    ///< of an approval; empty for anyone
};

struct Test {
  std::string_view name;
  Span span;  ///< of the name
  std::vector<TestStep> steps;
};

/// A name that nothing refers to, and where it stands.
struct UnusedName {
  std::string name;
  Span span;
};

/// A checked policy set. A rule is one RuleInfo however many bodies it has (one for each meaning
/// that it has among capabilities).
struct PolicySet {
  Schema schema;                  ///< slots numbered, records bound; `compared` and member bits are emit's to fill
  std::vector<Package> packages;  ///< in order of first appearance
  std::vector<RuleInfo> rules;    ///< in source order; location is emit's to fill
  std::vector<Span> rule_spans;   ///< of the effect word, by rule
  std::vector<uint32_t> rule_packages;         ///< by rule
  std::vector<RuleList> lists[2];              ///< by stage, then capability; one more at the end, for undeclared ones
  std::vector<PolicyVersion> policy_versions;  ///< of the policies that declare one
  std::vector<std::string> lets;               ///< qualified names, in source order
  std::vector<Test> tests;                     ///< in source order
  std::vector<UnusedName> unused_lets;         ///< that no rule and no test needs, directly or through other lets
  std::vector<UnusedName> unused_imports;      ///< that bring nothing but lets, of which the file uses none
  Histories histories;
};

}  // namespace ordain::typed
