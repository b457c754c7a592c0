// may_be_allowed tries the rules of a capability one by one. A rule that reads only facts of the context has its
// answer; one that reads a call's facts has one only if the rest of its condition settles it.
#include "ordain/possible.h"

#include "vm/decide/decide_run.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

enum class Answer : uint8_t { yes, no, open };

/// Tries the rules of one capability's calls, with the facts of calls absent.
class OpenCall {
 public:
  OpenCall(const Program& program, const Call& call, const Context& context, const DecideOptions& options)
      : program_(program), data_(data_of(program)), call_(call), context_(context), options_(options) {}

  /// Whether the rule applies to the calls and its condition holds. A fault counts as yes for a rule that denies by it.
  Answer ask(const RuleCode& rule) {
    if (!applies_to(data_, rule, call_.capability().globs)) return Answer::no;
    if (rule.condition == kNone) return Answer::yes;
    const Use use = use_of(rule.condition);
    if (use == Use::unclear) return Answer::open;
    EvaluateOptions how = vm::options_of_rule(program_, rule.rule, options_);
    how.interpret_only = true;  // slow, but always checks whether a slot is present
    Value result;
    Fault fault;
    if (evaluate(program_, rule.condition, call_, context_, scratch_, how, &result, &fault)) {
      return result.as_bool() ? Answer::yes : Answer::no;
    }
    if (use == Use::values) return Answer::open;  // it needs a fact of the call
    return data_.rules[rule.rule].kind == RuleKind::allow ? Answer::no : Answer::yes;
  }

 private:
  enum class Use : uint8_t {
    none,     ///< reads only the context and the capability
    values,   ///< reads values of the call, whose absence is a fault that only a settled `&&` or `||` absorbs
    unclear,  ///< reads what does not fault where it is absent
  };

  Use use_of(uint32_t predicate) const {
    Use out = Use::none;
    const Range code = data_.predicates[predicate].code;
    for (uint32_t at = code.first; at < code.first + code.count; ++at) {
      const Insn& insn = data_.code[at];
      switch (insn.op) {
        case Op::load:
        case Op::slot_eq:
        case Op::slot_in:
        case Op::slot_has:
          if (!varies(insn.b)) break;
          if (is_absent_without_fault(insn.b)) return Use::unclear;
          out = Use::values;
          break;
        case Op::load_optional:
        case Op::has_slot:
          if (varies(insn.b)) return Use::unclear;
          break;
        default:
          break;
      }
    }
    return out;
  }

  const Slot& slot(SlotId id) const { return program_.schema().slots[id]; }
  bool varies(SlotId id) const { return slot(id).bank == Bank::call && !slot(id).path.starts_with("capability"); }
  bool is_absent_without_fault(SlotId id) const { return slot(id).builtin; }

  const Program& program_;
  const ProgramData& data_;
  const Call& call_;
  const Context& context_;
  const DecideOptions& options_;
  Scratch scratch_{1 << 20};
};

bool any_of(const ProgramData& data, const RuleRange& range, OpenCall& calls, bool (*holds)(Answer)) {
  for (uint32_t i = range.entries.first; i < range.entries.first + range.entries.count; ++i) {
    if (holds(calls.ask(data.rule_codes[data.rule_list[i]]))) return true;
  }
  return false;
}

bool is_yes(Answer answer) { return answer == Answer::yes; }
bool is_possible(Answer answer) { return answer != Answer::no; }

/// Whether some rule that allows or requires approval can be the answer of a package whose first match counts.
bool may_answer(const ProgramData& data, const RuleRange& answers, OpenCall& calls) {
  for (uint32_t i = answers.entries.first; i < answers.entries.first + answers.entries.count; ++i) {
    const RuleCode& rule = data.rule_codes[data.rule_list[i]];
    const Answer answer = calls.ask(rule);
    if (answer == Answer::no) continue;
    if (data.rules[rule.rule].kind != RuleKind::deny) return true;
    if (answer == Answer::yes) return false;
  }
  return false;
}

}  // namespace

bool may_be_allowed(const Program& program, std::string_view capability, const Context& context,
                    const DecideOptions& options) {
  const ProgramData& data = data_of(program);
  Call call(std::shared_ptr<const Program>(std::shared_ptr<const Program>(), &program));
  call.begin(program.resolve(capability), Stage::before);
  OpenCall calls(program, call, context, options);
  bool possible = options.default_before != Effect::deny;
  for (const PackageRules& package : package_rules(data, call.capability().id, Stage::before)) {
    if (package.first_match != 0) {
      possible = possible || may_answer(data, package.answers, calls);
      continue;
    }
    if (any_of(data, package.deny, calls, is_yes)) return false;
    possible = possible || any_of(data, package.require_approval, calls, is_possible) ||
               any_of(data, package.allow, calls, is_possible);
  }
  return possible;
}

}  // namespace ordain
