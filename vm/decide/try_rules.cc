// Tries rules and combines their answers. Within a package deny comes first, then
// require_approval, then allow (or the first match decides); of the packages, the strongest answer
// counts, and the first package that gives it. Faults fail closed: a deny or require_approval rule
// whose condition faults denies, and so does a faulting redact; an allow or warn rule whose
// condition faults does not match.
//
// Every clause has a budget of its own, so that a rule's outcome does not depend on which rules ran
// before.
#include <algorithm>
#include <charconv>
#include <iterator>

#include "vm/decide/decide_run.h"
#include "vm/decide/index_walk.h"
#include "vm/decide/secret_faults.h"

namespace ordain::vm {

namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::string_view kBudgetAdvice = "; let it do less, or raise its budget";
constexpr std::string_view kBecauseFaulted = " (its `because` faults: ";

DecisionCode code_of(FaultCode fault) {
  switch (fault) {
    case FaultCode::missing_context:
      return DecisionCode::missing_context;
    case FaultCode::cost_budget:
    case FaultCode::memory_budget:
      return DecisionCode::budget_exceeded;
    default:
      return DecisionCode::evaluation_error;
  }
}

// Subtracts the cost of walking the value from `steps`. Returns false if `steps` do not suffice.
bool spend_walk(const Value& value, uint64_t* steps) {
  uint64_t own = 1;
  if (value.is(Kind::string) || value.is(Kind::bytes)) own += value.aux / 10;
  if (own > *steps) return false;
  *steps -= own;
  const auto spend = [steps](const Value& part) { return spend_walk(part, steps); };
  switch (value.kind) {
    case Kind::list:
      return std::ranges::all_of(value.as_list(), spend);
    case Kind::map:
      return std::ranges::all_of(value.map->all(),
                                 [&](const MapEntry& entry) { return spend(entry.key) && spend(entry.value); });
    case Kind::optional:
      return value.items == nullptr || spend(*value.items);
    default:
      return true;
  }
}

bool exhausted(Decision* out) {
  refuse(DecisionCode::budget_exceeded, "out of scratch memory", out);
  return false;
}

// The answer of one package, or of all packages so far. If it faulted, the Decider holds the fault.
struct Answer {
  const RuleCode* rule = nullptr;  ///< nullptr: no answer
  Effect effect = Effect::allow;
  bool faulted = false;

  bool has_rule() const { return rule != nullptr; }
  bool stronger_than(const Answer& other) const { return has_rule() && (!other.has_rule() || effect > other.effect); }
};

// Decides one call. A step that returns false has put a denial into `out`.
class Decider {
 public:
  Decider(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options)
      : call_(call), run_(call, context, scratch, options), data_(run_.data) {}

  // `out` must be fresh.
  void decide(Decision* out) {
    if (!run_.prepare()) return void(exhausted(out));
    packages_ = package_rules(data_, call_.capability().id, call_.stage());
    Answer best;
    for (const PackageRules& package : packages_) {
      enter(package);
      const Answer answer = package.first_match != 0 ? first_match(package) : overrides(package, best);
      if (out_of_memory_) return void(exhausted(out));
      if (answer.stronger_than(best)) best = answer;
      if (best.has_rule() && best.effect == Effect::deny) break;
    }
    conclude(best, out);
    if (out->effect != Effect::deny) oblige(out);
  }

  // Collects every rule that matches, for decide_all.
  bool collect_matched(Decision* out) {
    size_t most = 0;
    for (const PackageRules& package : packages_) {
      for (const RuleRange& range : package.lists()) {
        most += range.entries.count;
      }
    }
    RuleId* matched = run_.arena.array<RuleId>(most);
    if (matched == nullptr) return false;
    size_t count = 0;
    for (const PackageRules& package : packages_) {
      enter(package);
      for (const RuleRange& range : package.lists()) {
        each(range, [&](const RuleCode& rule, Known known) {
          const Arena::Mark mark = run_.arena.mark();
          if (test(rule, known) == Truth::yes) matched[count++] = rule.rule;
          run_.frame.rewind(mark);
          return true;
        });
      }
    }
    std::sort(matched, matched + count);
    count = static_cast<size_t>(std::unique(matched, matched + count) - matched);
    out->matched = {matched, count};
    return true;
  }

 private:
  // Gives the conditions of the package their budget. Its index was made for the package's own budget, or else for
  // the default one.
  void enter(const PackageRules& package) {
    Budget& budget = run_.frame.budget;
    const uint32_t own = data_.packages[package.package].budget;
    budget.cost = own != 0 ? own : run_.options.budget.cost;
    use_index_ = own != 0 ? budget.memory >= Budget().memory : is_ample(budget);
  }

  // Gives the other clauses of the rule their budget.
  void enter(const RuleCode& rule) { run_.frame.budget = budget_of_rule(run_.program, rule.rule, run_.options.budget); }

  // Calls `visit(rule, known)` for the rules of the range that can match, in source order, until it
  // returns false.
  template <typename Visit>
  void each(const RuleRange& range, const Visit& visit) {
    if (range.entries.count == 0) return;
    if (range.nodes.count == 0 || !use_index_ || !each_candidate(range, visit)) each_in_batches(range.entries, visit);
  }

  // Visits the rules that the index leads to. Returns false if there is no memory for them.
  template <typename Visit>
  bool each_candidate(const RuleRange& range, const Visit& visit) {
    Candidates candidates;
    if (!candidates.gather(run_.frame, run_.arena, range)) return false;
    const uint32_t* entries = data_.rule_list.data() + range.entries.first;
    for (const Candidate& candidate : candidates.all()) {
      if (!visit(data_.rule_codes[entries[candidate.place()]], candidate.sure() ? Known::yes : Known::no)) break;
    }
    return true;
  }

  // Visits all rules, a batch at a time.
  template <typename Visit>
  void each_in_batches(Range entries, const Visit& visit) {
    const uint32_t end = entries.first + entries.count;
    const auto rule = [this](uint32_t entry) -> const RuleCode& { return data_.rule_codes[data_.rule_list[entry]]; };
    const bool in_batches = call_.capability().id != kNone;  // no rule has a target set then
    for (uint32_t entry = entries.first; entry < end;) {
      uint32_t count = 0;
      const uint32_t first = in_batches ? run_.try_batch(entry, end, &count) : Run::kOneByOne;
      if (first == Run::kOneByOne) {
        if (!visit(rule(entry++), Known::no)) return;
        continue;
      }
      entry += first / 4;
      if (first / 4 < count && !visit(rule(entry++), static_cast<Known>(first % 4))) return;
    }
  }

  // What is known of a rule before it is tried. The numbers of yes and fault are those that native
  // code returns.
  enum class Known : uint8_t { no = 0, yes = 1, fault = 2 };

  Truth test(const RuleCode& rule, Known known) {
    if (known == Known::no || rule.target_set != kNone) return run_.test(rule);
    return known == Known::yes ? Truth::yes : Truth::fault;
  }

  const RuleInfo& info(const RuleCode& rule) const { return data_.rules[rule.rule]; }

  Answer blocked(const RuleCode& rule) {
    fault_ = run_.frame.eval.fault;
    return {&rule, Effect::deny, true};
  }

  // --- one package

  Answer overrides(const PackageRules& package, const Answer& best) {
    const Answer deny = first(package.deny);
    if (deny.has_rule()) return earlier_fault(package.require_approval, deny);
    Answer out;
    each(package.require_approval, [&](const RuleCode& rule, Known known) {
      const Truth truth = test(rule, known);
      if (truth == Truth::fault) out = blocked(rule);
      if (truth == Truth::yes) {
        if (!out.has_rule()) out = {&rule, Effect::require_approval};
        ask_of(rule);
      }
      return truth != Truth::fault;
    });
    if (out.has_rule() || best.has_rule()) return out;  // an allow would change nothing
    return first(package.allow);
  }

  Answer first_match(const PackageRules& package) {
    const Answer out = first(package.answers);
    if (out.has_rule() && out.effect == Effect::require_approval) ask_of(*out.rule);
    return out;
  }

  // The answer of the first rule that is not false. A fault in an allow rule counts as false.
  Answer first(const RuleRange& range) {
    Answer out;
    each(range, [&](const RuleCode& rule, Known known) {
      const RuleKind kind = info(rule).kind;
      const Arena::Mark mark = run_.arena.mark();
      const Truth truth = test(rule, known);
      if (truth == Truth::yes) out = {&rule, effect_of(kind)};
      if (truth == Truth::fault && kind == RuleKind::allow) run_.frame.rewind(mark);
      if (truth == Truth::fault && kind != RuleKind::allow) out = blocked(rule);
      return !out.has_rule();
    });
    return out;
  }

  static Effect effect_of(RuleKind kind) {
    return kind == RuleKind::deny ? Effect::deny : kind == RuleKind::allow ? Effect::allow : Effect::require_approval;
  }

  // A require_approval rule whose fault also denies may stand before the deny rule in source.
  Answer earlier_fault(const RuleRange& require_approval, const Answer& deny) {
    Answer out = deny;
    each(require_approval, [&](const RuleCode& rule, Known known) {
      if (rule.rule > deny.rule->rule) return false;
      if (test(rule, known) != Truth::fault) return true;
      out = blocked(rule);
      return false;
    });
    return out;
  }

  void ask_of(const RuleCode& rule) {
    if (asking_ == nullptr) {
      size_t most = 0;
      for (const PackageRules& package : packages_)
        most += package.require_approval.entries.count + package.answers.entries.count;
      asking_ = run_.arena.array<const RuleCode*>(most);
      out_of_memory_ = asking_ == nullptr;
    }
    if (asking_ != nullptr) asking_[asking_count_++] = &rule;
  }

  // --- the answer

  void conclude(const Answer& best, Decision* out) {
    if (!best.has_rule()) return decide_by_default(call_, run_.options, out);
    enter(*best.rule);
    if (best.faulted) return void(deny_by_fault(*best.rule, fault_, out));
    out->effect = best.effect;
    out->code = DecisionCode::rule;
    out->rule = best.rule->rule;
    out->reason = reason_of(*best.rule);
    if (best.effect == Effect::require_approval) ask(out);
  }

  // The rule's budget must be the current one.
  bool deny_by_fault(const RuleCode& rule, const Fault& fault, Decision* out) {
    refuse(code_of(fault.code), fault_name(fault.code), out);
    out->rule = out->fault_rule = rule.rule;
    out->fault = fault;
    conceal_values(data_.schema, call_.capability().id, &out->fault);
    if (out->code == DecisionCode::budget_exceeded) {
      if (const std::string_view text = limit_of(fault.code); !text.empty()) out->reason = text;
    } else if (const Value& detail = out->fault.detail; detail.is(Kind::string)) {
      const std::string_view parts[] = {fault_name(fault.code), ": ", detail.as_text()};
      if (const std::string_view text = join(parts); !text.empty()) out->reason = text;
    }
    return false;
  }

  // Returns which limit the evaluation met, and how large it is, or "" if the scratch is exhausted.
  std::string_view limit_of(FaultCode code) {
    const bool cost = code == FaultCode::cost_budget;
    char digits[20];
    const char* end =
        std::to_chars(digits, std::end(digits), cost ? run_.frame.budget.cost : run_.frame.budget.memory).ptr;
    const std::string_view parts[] = {fault_name(code),
                                      ": the evaluation takes more than ",
                                      {digits, static_cast<size_t>(end - digits)},
                                      cost ? " steps" : " bytes of values",
                                      kBudgetAdvice};
    return join(parts);
  }

  std::string_view join(std::span<const std::string_view> parts) {
    size_t size = 0;
    for (std::string_view part : parts) size += part.size();
    char* text = static_cast<char*>(run_.arena.allocate(size, 1));
    if (text == nullptr) return {};
    char* end = text;
    for (std::string_view part : parts) end = std::copy(part.begin(), part.end(), end);
    return {text, size};
  }

  // Returns the `because` text, or the rule's name if the text is absent. If the text faults, the
  // reason says so: the rule's name and the fault.
  std::string_view reason_of(const RuleCode& rule) {
    std::string_view text;
    if (rule.because_text != kNone) text = data_.constants[rule.because_text].as_text();
    if (rule.because != kNone) {
      if (run_.run(rule.because) == Truth::fault) {
        const std::string_view parts[] = {info(rule).name, kBecauseFaulted, fault_name(run_.frame.eval.fault.code),
                                          ")"};
        text = join(parts);
      } else if (run_.frame.result.is(Kind::string)) {
        text = run_.keep(run_.frame.result.as_text());
      }
    }
    return text.empty() ? std::string_view(info(rule).name) : text;
  }

  // --- approvals

  bool ask(Decision* out) {
    Value* from = run_.arena.array<Value>(asking_count_);
    RuleId* rules = run_.arena.array<RuleId>(asking_count_);
    auto* needs = run_.arena.array<ApprovalNeed>(asking_count_);
    if (from == nullptr || rules == nullptr || needs == nullptr) return exhausted(out);
    size_t groups = 0;
    for (size_t i = 0; i < asking_count_; ++i) {
      const RuleCode& rule = *asking_[i];
      enter(rule);
      rules[i] = rule.rule;
      from[i] = Value::list({});
      ApprovalNeed& need = *new (&needs[i]) ApprovalNeed();
      need.rule = rule.rule;
      need.distinct = rule.distinct;
      if (rule.from != kNone && !groups_of(rule, &from[i], out)) return false;
      if (rule.expires != kNone && !expires_of(rule, &need, out)) return false;
      if (!count_groups(rule, from[i], &need, out)) return false;
      groups += need.from.size();
    }
    std::sort(rules, rules + asking_count_);
    std::sort(needs, needs + asking_count_,
              [](const ApprovalNeed& a, const ApprovalNeed& b) { return a.rule < b.rule; });
    out->matched = {rules, asking_count_};
    out->approvals = {needs, asking_count_};
    return unite(out->approvals, groups, out);
  }

  bool wrong_kind(const RuleCode& rule, Decision* out) {
    Fault fault;
    fault.code = FaultCode::no_such_overload;
    return deny_by_fault(rule, fault, out);
  }

  // Evaluates `from` as a list of strings.
  bool groups_of(const RuleCode& rule, Value* list, Decision* out) {
    if (run_.run(rule.from) == Truth::fault) return deny_by_fault(rule, run_.frame.eval.fault, out);
    const Value value = run_.frame.result;
    if (value.is(Kind::string)) {
      Value* one = run_.arena.array<Value>(1);
      if (one == nullptr) return exhausted(out);
      *one = value;
      *list = Value::list({one, 1});
      return true;
    }
    const auto is_string = [](const Value& element) { return element.is(Kind::string); };
    if (!value.is(Kind::list) || !std::ranges::all_of(value.as_list(), is_string)) return wrong_kind(rule, out);
    *list = value;
    return true;
  }

  // Sets the distinct groups that the rule names, and how many of them must approve. A rule that needs more
  // groups than its list has at run time could never be satisfied, and a list without groups must not mean what
  // a rule without `from` means, that anyone may approve; both are faults.
  bool count_groups(const RuleCode& rule, const Value& list, ApprovalNeed* need, Decision* out) {
    const std::span<const Value> named = list.as_list();
    auto* groups = run_.arena.array<std::string_view>(named.size());
    if (groups == nullptr) return exhausted(out);
    for (size_t i = 0; i < named.size(); ++i) groups[i] = named[i].as_text();
    const size_t count = sort_groups(groups, named.size());
    for (size_t i = 0; i < count; ++i) {
      groups[i] = run_.keep(groups[i]);
      if (groups[i].data() == nullptr) return exhausted(out);
    }
    need->from = {groups, count};
    need->need = rule.need != 0 ? rule.need : std::max<uint32_t>(1, static_cast<uint32_t>(count));
    if (rule.from == kNone || need->need <= count) return true;
    Fault fault;
    fault.code = FaultCode::invalid_argument;
    fault.location = info(rule).location;
    fault.detail = Value::string("`from` names fewer groups than must approve");
    return deny_by_fault(rule, fault, out);
  }

  // Sorts the groups and removes repetitions. Returns how many are left.
  static size_t sort_groups(std::string_view* groups, size_t count) {
    std::sort(groups, groups + count);
    return static_cast<size_t>(std::unique(groups, groups + count) - groups);
  }

  bool expires_of(const RuleCode& rule, ApprovalNeed* need, Decision* out) {
    if (run_.run(rule.expires) == Truth::fault) return deny_by_fault(rule, run_.frame.eval.fault, out);
    if (!run_.frame.result.is(Kind::duration)) return wrong_kind(rule, out);
    // 0 stands for "none given", so an approval that would expire at once lasts a second.
    const int64_t seconds = need->expires_seconds = std::max<int64_t>(1, run_.frame.result.i);
    if (out->expires_seconds == 0 || seconds < out->expires_seconds) out->expires_seconds = seconds;
    return true;
  }

  bool unite(std::span<const ApprovalNeed> needs, size_t most, Decision* out) {
    auto* groups = run_.arena.array<std::string_view>(most);
    if (groups == nullptr) return exhausted(out);
    size_t count = 0;
    for (const ApprovalNeed& need : needs) {
      for (std::string_view group : need.from) groups[count++] = group;
    }
    out->from = {groups, sort_groups(groups, count)};
    return true;
  }

  // --- obligations

  bool oblige(Decision* out) {
    size_t most = 0;
    for (const PackageRules& package : packages_) most += package.obligations.entries.count;
    if (most == 0) return true;
    auto* obligations = run_.arena.array<Obligation>(most);
    if (obligations == nullptr) return exhausted(out);
    size_t count = 0;
    bool agreed = true;
    for (const PackageRules& package : packages_) {
      enter(package);
      each(package.obligations, [&](const RuleCode& rule, Known known) {
        agreed = oblige(rule, known, obligations, &count, out);
        return agreed;
      });
      if (!agreed) return false;
    }
    out->obligations = {obligations, count};
    return true;
  }

  // Adds the obligation of one rule, if it matches. Returns false after a denial.
  bool oblige(const RuleCode& rule, Known known, Obligation* obligations, size_t* count, Decision* out) {
    const bool redact = info(rule).kind == RuleKind::redact;
    const Arena::Mark mark = run_.arena.mark();
    const Truth truth = test(rule, known);
    if (truth == Truth::fault && redact) return deny_by_fault(rule, run_.frame.eval.fault, out);
    if (truth != Truth::yes) {
      run_.frame.rewind(mark);
      return true;
    }
    Obligation& obligation = *new (&obligations[(*count)++]) Obligation();
    obligation.kind = info(rule).kind;
    obligation.rule = rule.rule;
    if (redact) return redaction(rule, &obligation, out);
    obligation.reason = reason_of(rule);
    return true;
  }

  bool redaction(const RuleCode& rule, Obligation* obligation, Decision* out) {
    obligation->path = info(rule).redact_path;
    obligation->with = Value::string(kRedacted);
    if (rule.with == kNone) return true;
    if (run_.run(rule.with) == Truth::fault) return deny_by_fault(rule, run_.frame.eval.fault, out);
    obligation->with = run_.frame.result;
    // The value will be copied and written as JSON, where shared parts are counted once per
    // occurrence.
    uint64_t steps = run_.frame.budget.cost;
    if (!spend_walk(obligation->with, &steps)) return exhausted(out);
    if (obligation->with.is(Kind::string)) {
      obligation->with = Value::string(run_.keep(obligation->with.as_text()));
      if (obligation->with.text == nullptr) return exhausted(out);
    }
    return true;
  }

  const Call& call_;
  Run run_;
  const ProgramData& data_;
  bool use_index_ = false;
  std::span<const PackageRules> packages_;
  const RuleCode** asking_ = nullptr;
  size_t asking_count_ = 0;
  bool out_of_memory_ = false;
  Fault fault_;
};

}  // namespace

void refuse(DecisionCode code, std::string_view reason, Decision* out) {
  *out = Decision();
  out->effect = Effect::deny;
  out->code = code;
  out->reason = reason;
}

// Rules are pure and each has its own budget, so running them again for the list of matches gives
// the same outcomes.
void try_rules(const Call& call, const Context& context, Scratch& scratch, const DecideOptions& options, bool all,
               Decision* out) {
  Decider decider(call, context, scratch, options);
  decider.decide(out);
  if (all && !decider.collect_matched(out)) exhausted(out);
}

}  // namespace ordain::vm
