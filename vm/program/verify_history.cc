// Verifies what a program remembers between calls. The runtime relies on it: numbers are those of things that are
// there, slots hold what their members give, and keys have the parts that their state declares.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "vm/program/verify.h"

namespace ordain::vm {
namespace {

constexpr uint64_t kMostWindow = uint64_t{10} * 366 * 86400;
constexpr uint64_t kMostCount = 1'000'000;

bool range_inside(TableRange range, size_t size) { return inside({range.first, range.count}, size); }

bool is_amount(Kind kind) {
  return kind == Kind::integer || kind == Kind::unsigned_integer || kind == Kind::floating || kind == Kind::duration;
}

class HistoryChecker {
 public:
  explicit HistoryChecker(const ProgramData& data) : data_(data), tables_(data.history) {}

  std::string check() {
    if (!tables_.any()) return is_empty() ? "" : "state is declared, but no capability has to do with it";
    if (tables_.capabilities.size() != data_.schema.capabilities.size() + 1) {
      return "there is not one entry of state for each capability";
    }
    if (tables_.states.size() > kMaxStates) return "there are too many states";
    using Step = std::string (HistoryChecker::*)();
    for (Step step :
         {&HistoryChecker::labels, &HistoryChecker::states, &HistoryChecker::effects, &HistoryChecker::reads,
          &HistoryChecker::texts, &HistoryChecker::label_rules, &HistoryChecker::capabilities}) {
      if (std::string wrong = (this->*step)(); !wrong.empty()) return wrong;
    }
    return "";
  }

 private:
  bool is_empty() const {
    return tables_.states.empty() && tables_.labels.empty() && tables_.key_parts.empty() && tables_.effects.empty() &&
           tables_.reads.empty() && tables_.read_list.empty() && tables_.texts.empty() && tables_.text_list.empty() &&
           tables_.label_rules.empty() && tables_.session_labels == kNone && tables_.prompts == kNone;
  }

  bool predicate(uint32_t number, std::initializer_list<uint8_t> kinds) const {
    if (number == kNone) return true;
    if (number >= data_.predicates.size()) return false;
    return kinds.size() == 0 || std::ranges::find(kinds, data_.predicates[number].result) != kinds.end();
  }

  bool condition(uint32_t number) const { return predicate(number, {static_cast<uint8_t>(Kind::boolean)}); }
  bool location(uint32_t number) const { return number == kNone || number < data_.locations.size(); }
  bool targets(uint32_t number) const { return number == kNone || number < data_.target_sets.size(); }

  /// Whether a slot of the call's bank holds values of the kind.
  bool slot_of(SlotId slot, Kind kind) const {
    return slot < data_.schema.slots.size() && data_.schema.slots[slot].bank == Bank::call &&
           kind_of(*data_.schema.slots[slot].type) == kind;
  }

  std::string labels() {
    if (tables_.labels.size() > kMaxLabels) return "there are too many labels";
    std::set<std::string_view> names;
    for (const std::string& label : tables_.labels) {
      if (label.empty() || !valid_utf8(label) || !names.insert(label).second) return "a label's name is not valid";
    }
    if (tables_.session_labels != kNone && !slot_of(tables_.session_labels, Kind::list)) {
      return "the slot of the session's labels does not hold a list";
    }
    if (tables_.prompts == kNone) return "";
    const bool there =
        tables_.prompts < data_.schema.slots.size() && kind_of(*data_.schema.slots[tables_.prompts].type) == Kind::list;
    return there ? "" : "the slot of the session's prompts does not hold a list";
  }

  std::string states() {
    std::set<std::string_view> names;
    for (const StateDecl& state : tables_.states) {
      if (state.name.empty() || !valid_utf8(state.name)) return "a state's name is not valid";
      const auto bad = [&](std::string_view what) { return fmt::format("state `{}`: {}", state.name, what); };
      if (!names.insert(state.name).second) return bad("it is there twice");
      if (state.kind > StateKind::budget || state.verb > StateVerb::denied || state.period > BudgetPeriod::month) {
        return bad("its kind is not known");
      }
      if (state.kind != StateKind::history && state.verb != StateVerb::begun) return bad("only a history has a verb");
      if (state.amount != Kind::absent && !is_amount(state.amount)) return bad("its amounts are not numbers");
      if (state.keys.size() != state.key_kinds.size() || state.keys.size() > 7) return bad("its keys are not valid");
      for (size_t i = 0; i < state.keys.size(); ++i) {
        if (state.keys[i] > KeySource::path) return bad("a key is not known");
        const Kind kind = state.key_kinds[i];
        const bool scalar = kind == Kind::absent || kind == Kind::string || kind == Kind::integer ||
                            kind == Kind::unsigned_integer || kind == Kind::boolean;
        if (!scalar || (state.keys[i] != KeySource::path && kind != Kind::string))
          return bad("a key is of no such type");
      }
      if (state.window_seconds > kMostWindow || state.window_nanos >= 1'000'000'000)
        return bad("its window is too long");
      if (state.bound > kMostCount + 1 || state.limit > kMostCount || state.burst > kMostCount) {
        return bad("it counts too far");
      }
      const bool windowed = state.window_seconds != 0 || state.window_nanos != 0;
      const bool rate = state.kind == StateKind::rate;
      if (rate != (state.limit != 0) || rate != (state.burst != 0) || (rate && !windowed))
        return bad("it is not a rate");
      const bool budget = state.kind == StateKind::budget;
      if (budget != (state.period != BudgetPeriod::none) || budget != (state.limit_constant != kNone)) {
        return bad("it is not a budget");
      }
      if (budget && (state.limit_constant >= data_.constants.size() ||
                     data_.constants[state.limit_constant].kind != state.amount || !is_amount(state.amount))) {
        return bad("its amount is not a constant of its type");
      }
      if (!valid_utf8(state.zone) || (!budget && !state.zone.empty())) return bad("its time zone is not valid");
      if (state.members >> kStateMembers != 0) return bad("a member is not known");
      if (!location(state.location)) return bad("its location is not there");
    }
    return "";
  }

  /// @returns "" or what is wrong with a key of the state
  std::string key(TableRange range, StateId state, bool of_read) {
    const StateDecl& decl = tables_.states[state];
    if (!range_inside(range, tables_.key_parts.size()) || range.count != decl.keys.size()) {
      return fmt::format("state `{}`: a key does not have its parts", decl.name);
    }
    for (uint32_t i = 0; i < range.count; ++i) {
      const KeyPart& part = tables_.key_parts[range.first + i];
      const bool literal = part.source == KeySource::literal;
      const bool fits = part.source == decl.keys[i] || (of_read && literal && decl.keys[i] == KeySource::path);
      const bool there = literal ? part.slot == kNone && part.constant < data_.constants.size()
                                 : part.constant == kNone && part.slot < data_.schema.slots.size();
      if (!fits || !there) return fmt::format("state `{}`: a part of a key is not valid", decl.name);
    }
    return "";
  }

  std::string effects() {
    for (const StateEffect& effect : tables_.effects) {
      if (effect.state >= tables_.states.size()) return "an effect is on a state that is not there";
      const StateDecl& decl = tables_.states[effect.state];
      const auto bad = [&](std::string_view what) { return fmt::format("state `{}`: {}", decl.name, what); };
      if (!targets(effect.target_set)) return bad("its targets are not there");
      const Stage stage = decl.verb == StateVerb::done ? Stage::after : Stage::before;
      if (effect.stage != stage) return bad("an effect is of the wrong stage");
      if (std::string wrong = key(effect.keys, effect.state, false); !wrong.empty()) return wrong;
      if (!condition(effect.when)) return bad("its `when` is not a predicate of kind bool");
      const auto amount = static_cast<uint8_t>(decl.amount);
      if (!predicate(effect.amount, {amount, kAnyKind}) || !predicate(effect.settle, {amount, kAnyKind})) {
        return bad("its amount is not a predicate of its type");
      }
      const bool takes = decl.kind != StateKind::rate && decl.amount != Kind::absent;
      if (takes != (effect.amount != kNone)) return bad("an amount is missing, or of a state without amounts");
      if (effect.settle != kNone && decl.kind != StateKind::budget) return bad("only a budget settles");
    }
    return "";
  }

  static Kind kind_of_member(const StateDecl& decl, StateMember member) {
    switch (member) {
      case StateMember::seen:
      case StateMember::after:
      case StateMember::ok:
        return Kind::boolean;
      case StateMember::count:
      case StateMember::running:
        return Kind::integer;
      case StateMember::last:
      case StateMember::first:
        return Kind::timestamp;
      case StateMember::wait:
        return Kind::duration;
      case StateMember::sum:
      case StateMember::left:
      case StateMember::used:
        return decl.amount;
    }
    return Kind::absent;
  }

  static StateKind owner_of(StateMember member) {
    if (member == StateMember::ok || member == StateMember::wait) return StateKind::rate;
    return member == StateMember::left || member == StateMember::used ? StateKind::budget : StateKind::history;
  }

  std::string reads() {
    for (const StateRead& read : tables_.reads) {
      if (read.state >= tables_.states.size()) return "a read is of a state that is not there";
      const StateDecl& decl = tables_.states[read.state];
      const auto bad = [&](std::string_view what) { return fmt::format("state `{}`: {}", decl.name, what); };
      if (static_cast<uint32_t>(read.member) >= kStateMembers || owner_of(read.member) != decl.kind) {
        return bad("it does not have a member that is read");
      }
      const Kind kind = kind_of_member(decl, read.member);
      if (kind == Kind::absent || !slot_of(read.slot, kind)) return bad("a slot does not hold what is read");
      if ((read.member == StateMember::after) != (read.other != kNone)) return bad("`after` has no other history");
      if (read.other != kNone &&
          (read.other >= tables_.states.size() || tables_.states[read.other].keys != decl.keys)) {
        return bad("`after` is of a history with other keys");
      }
      if (std::string wrong = key(read.keys, read.state, true); !wrong.empty()) return wrong;
    }
    const bool listed = std::ranges::all_of(tables_.read_list, [&](uint32_t i) { return i < tables_.reads.size(); });
    return listed ? "" : "a read that is listed is not there";
  }

  std::string texts() {
    for (const TextRead& text : tables_.texts) {
      const bool carries = text.what == TextRead::carries;
      if (text.what > TextRead::carries || carries != (text.label != kNone)) return "a test of a text is not known";
      if (carries && text.label >= tables_.labels.size()) return "a test of a text has a label that is not there";
      if (text.text >= data_.predicates.size()) return "a test of a text has no predicate";
      if (!slot_of(text.slot, Kind::boolean)) return "the slot of a test of a text does not hold a bool";
    }
    const bool listed = std::ranges::all_of(tables_.text_list, [&](uint32_t i) { return i < tables_.texts.size(); });
    return listed ? "" : "a test of a text that is listed is not there";
  }

  std::string label_rules() {
    for (const LabelRule& rule : tables_.label_rules) {
      if (rule.name.empty() || !valid_utf8(rule.name) || !valid_utf8(rule.policy) || !valid_utf8(rule.package)) {
        return "a label rule's name is not valid";
      }
      const auto bad = [&](std::string_view what) { return fmt::format("rule `{}`: {}", rule.name, what); };
      if (rule.what > LabelRule::clear) return bad("its kind is not known");
      if (rule.label >= tables_.labels.size()) return bad("its label is not there");
      if (!targets(rule.target_set)) return bad("its targets are not there");
      if (!condition(rule.when)) return bad("its condition is not a predicate of kind bool");
      if (!predicate(rule.because, {static_cast<uint8_t>(Kind::string), kAnyKind}))
        return bad("its `because` is not a string");
      if ((rule.what == LabelRule::clear) == rule.groups.empty()) return bad("a clear, and only it, has groups");
      if (!std::ranges::all_of(rule.groups, [](const std::string& group) { return valid_utf8(group); })) {
        return bad("a group is not UTF-8");
      }
      if (!location(rule.location)) return bad("its location is not there");
    }
    return "";
  }

  std::string capabilities() {
    for (size_t i = 0; i < tables_.capabilities.size(); ++i) {
      const CapabilityState& state = tables_.capabilities[i];
      const bool undeclared = i + 1 == tables_.capabilities.size();
      bool there = range_inside(state.effects, tables_.effects.size()) &&
                   range_inside(state.label_rules, tables_.label_rules.size());
      for (size_t stage = 0; stage < 2; ++stage) {
        there = there && range_inside(state.reads[stage], tables_.read_list.size()) &&
                range_inside(state.texts[stage], tables_.text_list.size());
      }
      if (!there) return "what a capability has to do with state is not there";
      if (state.labels >> tables_.labels.size() != 0) return "a capability has a label that is not there";
      for (uint32_t e = 0; e < state.effects.count; ++e) {
        const StateEffect& effect = tables_.effects[state.effects.first + e];
        if ((effect.target_set != kNone) != undeclared) return "an effect's targets are not for its capability";
      }
      for (uint32_t r = 0; r < state.label_rules.count; ++r) {
        const LabelRule& rule = tables_.label_rules[state.label_rules.first + r];
        if ((rule.target_set != kNone) != undeclared) return "a label rule's targets are not for its capability";
      }
    }
    return "";
  }

  const ProgramData& data_;
  const HistoryTables& tables_;
};

}  // namespace

std::string verify_history(const ProgramData& data) { return HistoryChecker(data).check(); }

}  // namespace ordain::vm
