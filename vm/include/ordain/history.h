// HistoryTables declare what a Program remembers between calls: its histories, rates, budgets and
// labels, what each call adds to them, and which slots hold what rules read of them. The compiler
// fills the tables, and the runtime keeps the state. Deciding reads slots alone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/digest.h"
#include "ordain/export.h"
#include "ordain/program.h"
#include "ordain/schema.h"
#include "ordain/value.h"

namespace ordain {

using StateId = uint32_t;  ///< index into HistoryTables::states

/// A part of one of the tables.
struct TableRange {
  uint32_t first = 0;
  uint32_t count = 0;
};

enum class StateKind : uint8_t { history = 0, rate = 1, budget = 2 };
ORDAIN_API std::string_view to_string(StateKind kind);

/// Which calls a history counts. Rates and budgets count begun calls.
enum class StateVerb : uint8_t {
  begun = 0,   ///< from the intent on, whatever comes of the call
  done = 1,    ///< when the output was released or redacted
  failed = 2,  ///< when the call failed
  denied = 3,  ///< when the call was denied
};
ORDAIN_API std::string_view to_string(StateVerb verb);

/// How a budget is refilled.
enum class BudgetPeriod : uint8_t { none = 0, at_once = 1, hour = 2, day = 3, week = 4, month = 5 };
ORDAIN_API std::string_view to_string(BudgetPeriod period);

/// A part of the key under which a state is kept.
enum class KeySource : uint8_t {
  session = 0,
  agent = 1,
  principal = 2,
  tenant = 3,
  environment = 4,
  path = 5,     ///< a field of the call
  literal = 6,  ///< only in a read: the index of `approved["c1"]`
};
ORDAIN_API std::string_view to_string(KeySource source);

/// Where a part of a key comes from. The slots of the five identities are `session.id`, `agent.id`, ... If a slot is
/// absent or holds "", the key is unknown: the call is denied with `missing_context`.
struct KeyPart {
  KeySource source = KeySource::session;
  SlotId slot = kNone;        ///< of an identity or a path
  uint32_t constant = kNone;  ///< index into the program's constants, of a literal
  bool operator==(const KeyPart&) const = default;
};

/// What rules read of a state.
enum class StateMember : uint8_t {
  seen = 0,     ///< bool, without the current call
  count = 1,    ///< int, with the current call
  running = 2,  ///< int, with the current call
  sum = 3,      ///< as StateDecl::amount says, with the current call
  last = 4,     ///< timestamp, without the current call; the slot is absent if nothing was seen
  first = 5,    ///< likewise
  after = 6,    ///< bool, without the current call: seen, and later than the last of `other`, or `other` never seen
  ok = 7,       ///< bool, with the current call
  wait = 8,     ///< duration, with the current call; 0 if `ok`
  left = 9,     ///< as StateDecl::amount says, with the current call
  used = 10,    ///< likewise
};
inline constexpr uint32_t kStateMembers = 11;
ORDAIN_API std::string_view to_string(StateMember member);
ORDAIN_API std::optional<StateMember> find_state_member(std::string_view name);

/// A `history`, `rate` or `budget`.
struct StateDecl {
  std::string name;  ///< qualified by its package: "acme.banking.sends"
  Digest digest{};   ///< of its definition: with the name, what identifies the state when policies change
  StateKind kind = StateKind::history;
  StateVerb verb = StateVerb::begun;
  bool negative = false;  ///< `sum EXPR signed`: amounts may be negative

  Kind amount = Kind::absent;   ///< integer, unsigned_integer, floating or duration; absent: no amounts
  std::vector<KeySource> keys;  ///< in the order of declaration; empty: global
  std::vector<Kind> key_kinds;  ///< by part: what it holds; strings for identities
  uint64_t window_seconds = 0;  ///< history: `within`; rate: the period; 0: without end
  uint32_t window_nanos = 0;    ///< likewise
  uint64_t bound = 0;           ///< history with a window: the largest count that rules tell apart
  uint64_t limit = 0;           ///< rate: calls in a period
  uint64_t burst = 0;           ///< rate: calls at once
  BudgetPeriod period = BudgetPeriod::none;
  uint32_t limit_constant = kNone;  ///< budget: its amount, index into the program's constants
  std::string zone;                 ///< budget: time zone of its periods; "": UTC
  uint32_t members = 0;             ///< bit 1 << StateMember of what rules read
  uint32_t location = kNone;        ///< of its name, index into the program's locations
};

/// What a call of one capability adds to one state. Predicates are run on the facts of the stage: `before` for begun,
/// failed and denied calls and for what a budget takes, `after` for done calls and for what a budget settles.
/// Predicates that fault: `when` and `amount` deny the call (before); after it, `when` counts the call and `settle`
/// keeps the hold.
struct StateEffect {
  StateId state = 0;
  uint32_t target_set = kNone;  ///< index into ProgramData::target_sets; only for undeclared capabilities
  Stage stage = Stage::before;  ///< of `when`, `amount` and the keys
  TableRange keys;              ///< of HistoryTables::key_parts, as many as StateDecl::keys
  uint32_t when = kNone;        ///< predicate of kind bool; kNone: always
  uint32_t amount = kNone;      ///< predicate: `sum` or `take`
  uint32_t settle = kNone;      ///< predicate, on the facts after the call: `settle`
};

/// A slot that holds a member of a state. The runtime fills it before deciding; if it does not, rules that read the
/// slot fault with `missing_context`.
struct StateRead {
  StateId state = 0;
  StateMember member = StateMember::seen;
  StateId other = kNone;  ///< `after`: the other history, which has the same keys
  TableRange keys;        ///< of HistoryTables::key_parts
  SlotId slot = kNone;
};

/// A slot that holds whether a text was said by the principal, or carries a label.
struct TextRead {
  enum What : uint8_t { said = 0, carries = 1 };
  What what = said;
  uint32_t label = kNone;  ///< carries: index into HistoryTables::labels
  uint32_t text = kNone;   ///< predicate that gives the value looked for
  SlotId slot = kNone;     ///< of type bool
};

/// A rule that raises or clears a label of the session, after the call.
struct LabelRule {
  enum What : uint8_t { raise = 0, clear = 1 };
  What what = raise;
  uint32_t label = 0;           ///< index into HistoryTables::labels
  uint32_t target_set = kNone;  ///< as in StateEffect
  uint32_t when = kNone;     ///< predicate of kind bool on the facts after the call. A fault raises, and does not clear
  uint32_t because = kNone;  ///< predicate of kind string
  std::vector<std::string> groups;  ///< clear: this call must have used an approval by one of them
  std::string name;                 ///< "labelling.label#1"
  std::string policy, package;
  Digest digest{};
  uint32_t location = kNone;
};

/// What the calls of one capability have to do with state.
struct CapabilityState {
  TableRange effects;      ///< of HistoryTables::effects
  TableRange reads[2];     ///< by stage, of HistoryTables::read_list: the reads that its rules may make
  TableRange texts[2];     ///< by stage, of HistoryTables::text_list
  TableRange label_rules;  ///< of HistoryTables::label_rules
  uint16_t labels = 0;     ///< bit 1 << i: its output carries label i
  bool any() const {
    return effects.count != 0 || reads[0].count != 0 || reads[1].count != 0 || texts[0].count != 0 ||
           texts[1].count != 0 || label_rules.count != 0 || labels != 0;
  }
};

inline constexpr size_t kMaxLabels = 16;
inline constexpr size_t kMaxStates = 4096;

struct HistoryTables {
  std::vector<StateDecl> states;
  std::vector<std::string> labels;
  std::vector<KeyPart> key_parts;
  std::vector<StateEffect> effects;
  std::vector<StateRead> reads;
  std::vector<uint32_t> read_list;  ///< indexes into `reads`
  std::vector<TextRead> texts;
  std::vector<uint32_t> text_list;  ///< indexes into `texts`
  std::vector<LabelRule> label_rules;
  std::vector<CapabilityState> capabilities;  ///< by capability, then one for undeclared ones; empty without state
  SlotId session_labels = kNone;              ///< list(string): labels of the session that the host's own lack
  SlotId prompts = kNone;                     ///< list(string) `session.prompts`, if `said` is used
  bool any() const { return !capabilities.empty(); }
};

/// The tables of a Program. Without state they are empty.
ORDAIN_API const HistoryTables& history_tables(const Program& program);

/// What calls of a capability have to do with state. @param id kNone for a capability that is not declared
/// @returns nullptr if nothing
ORDAIN_API const CapabilityState* find_capability_state(const HistoryTables& tables, CapabilityId id);

/// Writes what a Program remembers, and what each capability's calls have to do with it, as text for people; "" without
/// state.
ORDAIN_API std::string describe_history(const Program& program);

}  // namespace ordain
