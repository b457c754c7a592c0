// states.cc checks histories, rates and budgets: which calls they count, under which key, how much each call adds, and
// what the rules of each capability read of them.
#include <algorithm>
#include <iterator>
#include <utility>

#include "compiler/check/policy/checker.h"
#include "compiler/parse/token_scan.h"

namespace ordain::policy {
namespace {

constexpr std::string_view kVerbs[] = {"begun", "done", "failed", "denied"};
constexpr std::string_view kPeriods[] = {"hour", "day", "week", "month"};

std::vector<std::string> strings_of(std::span<const std::string_view> names) { return {names.begin(), names.end()}; }

typed::State& typed_state(State& state, StateId id) { return state.set.histories.states[id]; }

// --- names

// @returns what else in the package has the name, for a message; or ""
std::string other_use(const State& state, PackageId package, std::string_view name) {
  if (is_input_or_output(name)) return "a name of the call's facts";
  for (const Root& root : state.roots) {
    if (root.name == name) return "a name of the call's facts";
  }
  for (uint32_t file : state.packages[package].files) {
    for (const syntax::LetDecl& let : state.files[file].lets) {
      if (let.name.text == name) return "the name of a `let`";
    }
  }
  return "";
}

void declare_state(State& state, PackageId package_id, const syntax::StateDecl& decl) {
  Package& package = state.packages[package_id];
  if (std::string use = other_use(state, package_id, decl.name.text); !use.empty()) {
    state.diagnostics.error("reserved-name", decl.name.span, quoted(decl.name.text) + " is already " + use,
                            "choose another name for this " + std::string(to_string(decl.kind)));
    return;
  }
  auto known = package.visible_states.find(decl.name.text);
  if (known != package.visible_states.end()) {
    Diagnostic& error =
        state.diagnostics.error("duplicate-state", decl.name.span, quoted(decl.name.text) + " is defined twice");
    error.notes.push_back({Severity::note, "", "first defined here", typed_state(state, known->second).span, "", {}});
    return;
  }
  if (state.states.size() == kMaxStates) {
    state.diagnostics.error(
        "limit-states", decl.name.span,
        "a set of policies may have " + std::to_string(kMaxStates) + " histories, rates and budgets");
    return;
  }
  const auto id = static_cast<StateId>(state.states.size());
  typed::State out;
  out.span = decl.name.span;
  out.decl.kind = decl.kind;
  out.decl.name = package.name.empty() ? "" : package.name + ".";
  out.decl.name += decl.name.text;
  package.visible_states.emplace(std::string(decl.name.text), id);
  state.states.push_back({package_id, &decl, {}});
  state.set.histories.states.push_back(std::move(out));
}

// Makes the states of a package known to those that import it, and to its own expressions.
void share_states(State& state) {
  for (PackageId id = 0; id < state.packages.size(); ++id) {
    Package& package = state.packages[id];
    package.state_scope.histories = &state.set.histories;
    for (StateId other = 0; other < state.states.size(); ++other) {
      const PackageId owner = state.states[other].package;
      if (owner != id && !package.imports.contains(owner)) continue;
      const typed::State& declared = typed_state(state, other);
      package.visible_states.emplace(declared.decl.name, other);
      StateName name;
      name.id = other;
      name.kind = declared.decl.kind;
      name.name = state.arena.copy(declared.decl.name);
      package.state_scope.names.emplace(declared.decl.name, name);
    }
  }
}

// --- what a declaration says of itself

void check_verb(State& state, StateId id) {
  const syntax::StateDecl& decl = *state.states[id].decl;
  const auto verb = std::find(std::begin(kVerbs), std::end(kVerbs), decl.verb.text);
  if (verb != std::end(kVerbs)) {
    typed_state(state, id).decl.verb = static_cast<StateVerb>(verb - std::begin(kVerbs));
    return;
  }
  std::string help = did_you_mean(decl.verb.text, strings_of(kVerbs));
  state.diagnostics.error(
      "unknown-verb", decl.verb.span, "no call is " + quoted(decl.verb.text),
      help.empty() ? "a history counts calls that are `begun`, `done`, `failed` or `denied`" : help);
}

bool is_kept_by(const typed::State& declared, KeySource source) {
  return std::find(declared.decl.keys.begin(), declared.decl.keys.end(), source) != declared.decl.keys.end();
}

void check_window(State& state, StateId id) {
  const DeclaredState& declared = state.states[id];
  const syntax::StateDecl& decl = *declared.decl;
  StateDecl& out = typed_state(state, id).decl;
  if (decl.window == nullptr) {
    if (decl.kind != StateKind::history || is_kept_by(typed_state(state, id), KeySource::session)) return;
    state.diagnostics.error("endless-history", decl.name.span, quoted(decl.name.text) + " would be kept for ever",
                            "write `within` and a duration, or keep it `by session`");
    return;
  }
  const Value& window = decl.window->value;
  out.window_seconds = static_cast<uint64_t>(window.i);
  out.window_nanos = static_cast<uint32_t>(window.nanos());
  const int64_t limit = state.packages[declared.package].history_limit;
  if (window.i < limit || (window.i == limit && window.nanos() == 0)) return;
  state.diagnostics.error("history-too-long", decl.window->span,
                          "this is longer than history is kept, which is " + std::to_string(limit / 3600) + "h",
                          "keep it longer with `option history = ...;`");
}

void check_zone(State& state, const syntax::StateDecl& decl) {
  const Function* hours = state.functions.find("getHours");
  if (decl.zone.text.empty() || hours == nullptr) return;
  for (const Overload* overload : hours->overloads) {
    const Preparation& zone = overload->preparation;
    if (zone.prepare == nullptr) continue;
    std::string why;
    if (zone.prepare(Value::string(decl.zone.text), &why) != nullptr) return;
    state.diagnostics.error("invalid-literal", decl.zone.span,
                            why.empty() ? quoted(decl.zone.text) + " is not a time zone" : why);
    return;
  }
}

void check_period(State& state, StateId id) {
  const syntax::StateDecl& decl = *state.states[id].decl;
  StateDecl& out = typed_state(state, id).decl;
  if (decl.period.text.empty()) {
    state.diagnostics.error("budget-period", decl.name.span, "this budget does not say when it is refilled",
                            "write `each day`, another period, or `at once` for what may be taken at the same time");
    return;
  }
  if (decl.period.text == "at once") {
    out.period = BudgetPeriod::at_once;
    if (decl.settle != nullptr) {
      state.diagnostics.error("budget-period", decl.settle->span,
                              "what is taken `at once` is given back when the call ends, so it cannot be settled");
    }
    return;
  }
  const auto period = std::find(std::begin(kPeriods), std::end(kPeriods), decl.period.text);
  if (period == std::end(kPeriods)) {
    std::string help = did_you_mean(decl.period.text, strings_of(kPeriods));
    state.diagnostics.error("budget-period", decl.period.span, "no period is called " + quoted(decl.period.text),
                            help.empty() ? "periods are `hour`, `day`, `week` and `month`" : help);
    return;
  }
  out.period = static_cast<BudgetPeriod>(static_cast<size_t>(BudgetPeriod::hour) +
                                         static_cast<size_t>(period - std::begin(kPeriods)));
  out.zone = std::string(decl.zone.text);
  check_zone(state, decl);
}

void check_header(State& state, StateId id) {
  const syntax::StateDecl& decl = *state.states[id].decl;
  typed::State& out = typed_state(state, id);
  declare_keys(state, id);
  switch (decl.kind) {
    case StateKind::history:
      check_verb(state, id);
      check_window(state, id);
      out.decl.negative = decl.is_signed;
      out.up_to = decl.up_to.has_value();
      out.decl.bound = decl.up_to.value_or(0);
      break;
    case StateKind::rate:
      check_window(state, id);
      out.decl.limit = decl.limit;
      out.decl.burst = decl.burst.value_or(decl.limit);
      break;
    case StateKind::budget:
      check_period(state, id);
      out.limit = decl.total->value;
      out.decl.amount = out.limit.kind;
      break;
  }
}

// --- what each call adds

const Type* type_of_amount(Kind kind) {
  switch (kind) {
    case Kind::integer:
      return &types::kInt;
    case Kind::unsigned_integer:
      return &types::kUint;
    case Kind::floating:
      return &types::kDouble;
    case Kind::duration:
      return &types::kDuration;
    default:
      return nullptr;
  }
}

// One capability that a state meters.
struct Metered {
  State& state;
  StateId id = 0;
  CapabilityId capability = 0;
  std::string name;  ///< of the capability, for a note; empty for undeclared ones
};

// Unlike a rule, a declaration applies to every capability that its targets match: what it does not fit would go
// unmetered.
typed::Expression check_metered(const Metered& metered, const syntax::Expr* expression, Stage stage,
                                const Type* expected) {
  if (expression == nullptr) return {};
  State& state = metered.state;
  const PackageId package = state.states[metered.id].package;
  Reads reads;
  collect_reads(state, *expression, package, reads);
  const std::vector<LetId> lets = let_closure(state, reads);
  const bool reads_state = reads.reads_state || std::any_of(lets.begin(), lets.end(), [&](LetId let) {
                             return state.lets[let].reads.reads_state;
                           });
  if (reads_state) {
    const size_t before = state.diagnostics.items.size();
    state.diagnostics.error("state-reads-state", expression->span,
                            "what is remembered of a call cannot depend on what was remembered before");
    forget_repeated(state, before, nullptr);
    return {};
  }
  Scope& scope = scope_of(state, package, stage, metered.capability);
  enter_lets(state, scope, package, stage, metered.capability, true, lets, nullptr);
  Diagnostic about{Severity::note,
                   "",
                   "in the check for " + quoted(metered.name) + ", which is metered",
                   state.states[metered.id].decl->name.span,
                   "",
                   {}};
  StateScope* const states = std::exchange(scope.states, nullptr);
  typed::Expression out =
      check_once(state, scope, *expression, expected, nullptr, metered.name.empty() ? nullptr : &about);
  scope.states = states;
  return out;
}

// Fixes the type of what a history sums, from its first capability on.
bool fix_sum(const Metered& metered, const typed::Expression& amount) {
  if (amount.root == nullptr || amount.root->type->kind == TypeKind::error) return false;
  State& state = metered.state;
  StateDecl& decl = typed_state(state, metered.id).decl;
  const Type& type = *amount.root->type;
  if (type.kind == TypeKind::dyn) return true;  // of undeclared capabilities: known only when a call comes
  const Kind kind = kind_of(type);
  const syntax::Expr& written = *state.states[metered.id].decl->amount;
  if (type_of_amount(kind) == nullptr) {
    state.diagnostics.error("state-amount", written.span,
                            "a sum is of numbers or durations, this is " + to_string(type));
    return false;
  }
  if (decl.amount == Kind::absent) decl.amount = kind;
  if (decl.amount == kind) return true;
  state.diagnostics.error("state-amount", written.span,
                          "this is " + to_string(type) + " for " + quoted(metered.name) + ", and " +
                              to_string(*type_of_amount(decl.amount)) + " for another capability",
                          "convert it: `double(...)` or `int(...)`");
  return false;
}

// What a budget settles by must be promised: a field that may be missing would leave every hold as it is.
void check_settle(const Metered& metered, const typed::Expression& settle) {
  if (settle.root == nullptr) return;
  State& state = metered.state;
  const CapabilityShape& shape = state.shapes[metered.capability];
  std::vector<const typed::Node*> todo{settle.root};
  bool declared = shape.output != nullptr;
  while (!todo.empty() && declared) {
    const typed::Node* node = todo.back();
    todo.pop_back();
    todo.insert(todo.end(), node->args.begin(), node->args.end());
    if (node->kind != typed::NodeKind::slot || node->slot == kNone) continue;
    const Slot& slot = state.set.schema.slots[node->slot];
    if (slot.path.starts_with("output") && slot.type->kind == TypeKind::dyn) declared = false;
  }
  if (declared) return;
  const size_t before = state.diagnostics.items.size();
  state.diagnostics.error("settle-undeclared", state.states[metered.id].decl->settle->span,
                          "`settle` needs a declared field of the output of " + quoted(metered.name),
                          "declare the field in `output`");
  forget_repeated(state, before, nullptr);
}

void check_effect(const Metered& metered, const GlobSet& globs) {
  State& state = metered.state;
  const syntax::StateDecl& decl = *state.states[metered.id].decl;
  StateDecl& out = typed_state(state, metered.id).decl;
  typed::StateEffect effect;
  effect.state = metered.id;
  effect.targets = globs;
  effect.stage = out.verb == StateVerb::done ? Stage::after : Stage::before;
  std::optional<std::vector<typed::StateKey>> keys = check_keys(state, metered.id, effect.stage, metered.capability);
  if (!keys) return;
  effect.keys = std::move(*keys);
  effect.when = check_metered(metered, decl.when, effect.stage, &types::kBool);
  const Type* amount = decl.kind == StateKind::budget ? type_of_amount(out.amount) : nullptr;
  effect.amount = check_metered(metered, decl.amount, effect.stage, amount);
  if (decl.kind == StateKind::history && decl.amount != nullptr && !fix_sum(metered, effect.amount)) return;
  effect.settle = check_metered(metered, decl.settle, Stage::after, amount);
  if (decl.settle != nullptr && !metered.name.empty()) check_settle(metered, effect.settle);
  state.set.histories.capabilities[metered.capability].effects.push_back(std::move(effect));
}

void check_effects_of(State& state, StateId id) {
  const syntax::StateDecl& decl = *state.states[id].decl;
  const Targets& targets = targets_of(state, decl.targets);
  for (const Targets::Match& match : targets.matches) {
    check_effect({state, id, match.capability, state.set.schema.capabilities[match.capability].name}, {});
  }
  if (targets.any_glob) check_effect({state, id, state.undeclared(), ""}, targets.globs);
  const bool sums = decl.kind == StateKind::history && decl.amount != nullptr;
  StateDecl& out = typed_state(state, id).decl;
  if (!sums || out.amount != Kind::absent || state.diagnostics.has_errors()) return;
  state.diagnostics.error("state-amount", decl.amount->span, "the type of this sum is not known",
                          "declare the capability's fields, or convert it: `double(...)`");
}

// The text by which a state is recognised after an edit: whatever changes its meaning changes this text.
void define(State& state, StateId id) {
  DeclaredState& declared = state.states[id];
  StateDecl& out = typed_state(state, id).decl;
  Reads reads;
  for (const syntax::Expr* part : {declared.decl->amount, declared.decl->when, declared.decl->settle}) {
    if (part != nullptr) collect_reads(state, *part, declared.package, reads);
  }
  declared.canonical = "state " + out.name + "\n" + canonical_text(state.text(declared.decl->span)) + "\n";
  std::set<std::string> lets;
  for (LetId let : let_closure(state, reads)) {
    lets.insert("let " + state.lets[let].name + "\n" + canonical_text(state.text(state.lets[let].decl->value->span)) +
                "\n");
  }
  for (const std::string& let : lets) declared.canonical += let;
  out.digest = sha256(declared.canonical);
}

// --- what rules read

void collect_slots(const typed::Expression& expression, std::set<SlotId>& out) {
  std::vector<const typed::Node*> todo;
  if (expression.root != nullptr) todo.push_back(expression.root);
  while (!todo.empty()) {
    const typed::Node* node = todo.back();
    todo.pop_back();
    if (node->slot != kNone) out.insert(node->slot);
    todo.insert(todo.end(), node->args.begin(), node->args.end());
  }
}

class ReadCollector {
 public:
  explicit ReadCollector(State& state)
      : state_(state), histories_(state.set.histories), damaged_(state.diagnostics.has_errors()) {}

  void collect() {
    for (size_t stage = 0; stage < 2; ++stage) {
      for (CapabilityId id = 0; id < histories_.capabilities.size(); ++id)
        add_capability(static_cast<Stage>(stage), id);
    }
    for (const auto& [slot, read] : histories_.slots) {
      if (used_.contains(slot)) note_use(read);
    }
    std::erase_if(histories_.slots, [&](const auto& entry) { return !used_.contains(entry.first); });
    std::erase_if(histories_.texts, [&](const auto& entry) { return !used_.contains(entry.first); });
  }

 private:
  void add_capability(Stage stage, CapabilityId id) {
    const auto which = static_cast<size_t>(stage);
    std::set<SlotId> slots;
    for (const typed::RuleBody* body : state_.set.lists[which][id].rules) {
      const std::set<SlotId>& of_body = slots_of(*body);
      slots.insert(of_body.begin(), of_body.end());
    }
    typed::CapabilityState& out = histories_.capabilities[id];
    if (stage == Stage::after) {
      for (const typed::LabelRuleBody* rule : out.label_rules) {
        collect_slots(rule->when, slots);
        collect_slots(rule->because, slots);
      }
    }
    for (SlotId slot : slots) {
      if (histories_.texts.contains(slot)) {
        out.texts[which].push_back(slot);
        used_.insert(slot);
      }
      auto read = histories_.slots.find(slot);
      if (read == histories_.slots.end()) continue;
      used_.insert(slot);
      out.reads[which].emplace_back(slot, keys_of(read->second, stage, id));
    }
  }

  const std::set<SlotId>& slots_of(const typed::RuleBody& body) {
    auto [known, added] = by_body_.try_emplace(&body);
    if (!added) return known->second;
    for (const typed::Expression* clause : {&body.when, &body.because, &body.from, &body.expires, &body.with}) {
      collect_slots(*clause, known->second);
    }
    std::erase_if(known->second,
                  [&](SlotId slot) { return !histories_.slots.contains(slot) && !histories_.texts.contains(slot); });
    return known->second;
  }

  // Without an index, the field of the current call is the key.
  std::vector<typed::StateKey> keys_of(const typed::StateSlot& read, Stage stage, CapabilityId id) {
    const StateDecl& decl = histories_.states[read.state].decl;
    const size_t before = state_.diagnostics.items.size();
    std::optional<std::vector<typed::StateKey>> own;
    if (!read.indexed) {
      own = check_keys(state_, read.state, stage, id);
      if (own) return *own;
      auto& items = state_.diagnostics.items;
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(before), items.end());
      if (!damaged_) report_no_key(read, id);
      return {};
    }
    std::vector<typed::StateKey> out;
    size_t next = 0;
    for (KeySource source : decl.keys) {
      typed::StateKey key;
      key.source = source;
      if (source == KeySource::path) {
        key = next < read.index.size() ? read.index[next++] : key;
      } else {
        key.slot = identity_slot(source);
      }
      out.push_back(key);
    }
    return out;
  }

  SlotId identity_slot(KeySource source) {
    const std::string name(to_string(source));
    const RootName& root = state_.stage_roots[0].find(name)->second;
    return intern_slot(state_.set.schema, name + ".id", &types::kString, false, root, true);
  }

  void report_no_key(const typed::StateSlot& read, CapabilityId id) {
    const StateDecl& decl = histories_.states[read.state].decl;
    const size_t before = state_.diagnostics.items.size();
    const bool known = id < state_.set.schema.capabilities.size();
    const std::string call =
        known ? "a call of " + quoted(state_.set.schema.capabilities[id].name) : "a call of an undeclared capability";
    state_.diagnostics.error("state-needs-index", read.span,
                             call + " does not have the field by which " + quoted(decl.name) + " is kept",
                             "say which one is meant: `" + decl.name + "[input.FIELD]`");
    forget_repeated(state_, before, nullptr);
  }

  void note_use(const typed::StateSlot& read) {
    histories_.states[read.state].decl.members |= 1u << static_cast<uint32_t>(read.member);
    if (read.other != kNone) {
      histories_.states[read.other].decl.members |= 1u << static_cast<uint32_t>(StateMember::last);
    }
  }

  State& state_;
  typed::Histories& histories_;
  const bool damaged_;  ///< a declaration of a key may be wrong, which is reported
  std::set<SlotId> used_;
  std::unordered_map<const typed::RuleBody*, std::set<SlotId>> by_body_;
};

// Nothing limits by itself: a rule must ask.
void report_unread(State& state) {
  for (const typed::State& declared : state.set.histories.states) {
    if (declared.decl.members != 0) continue;
    if (declared.decl.kind == StateKind::history) {
      state.diagnostics.warning("unread-history", declared.span, "no rule reads " + quoted(declared.decl.name));
      continue;
    }
    const bool is_rate = declared.decl.kind == StateKind::rate;
    state.diagnostics.error("unread-limit", declared.span,
                            "no rule reads " + quoted(declared.decl.name) + ", so it limits nothing",
                            is_rate ? "deny by it: `deny fast when !" + declared.decl.name + ".ok;`"
                                    : "deny by it: `deny over when " + declared.decl.name + ".left < 0;`");
  }
}

// A call that no rule allows is denied, so a history of such calls stays empty.
void warn_impossible(State& state) {
  for (StateId id = 0; id < state.states.size(); ++id) {
    const StateDecl& decl = state.set.histories.states[id].decl;
    const Targets& targets = targets_of(state, state.states[id].decl->targets);
    if (decl.verb == StateVerb::denied || targets.any_glob || targets.matches.empty()) continue;
    const bool allowed = std::any_of(targets.matches.begin(), targets.matches.end(), [&](const Targets::Match& match) {
      const auto& rules = state.set.lists[0][match.capability].rules;
      return std::any_of(rules.begin(), rules.end(), [&](const typed::RuleBody* body) {
        const RuleKind kind = state.set.rules[body->rule].kind;
        return kind == RuleKind::allow || kind == RuleKind::require_approval;
      });
    });
    if (allowed) continue;
    state.diagnostics.warning("impossible-history", state.states[id].decl->name.span,
                              "no rule allows the calls that " + quoted(decl.name) + " counts, so it stays empty");
  }
}

// Lets the host supply what the principal said. Sets of policies that do not ask have no such attribute.
void add_prompts(State& state) {
  for (Root& root : state.roots) {
    if (root.name != "session") continue;
    const RecordType& before = *root.meaning.type->record;
    const RecordField* known = before.find("prompts");
    if (known != nullptr && !same_type(*known->type, types::kListString)) {
      state.diagnostics.error("conflicting-context", root.spans.empty() ? kBuiltinSpan : root.spans.back(),
                              "`session.prompts` is a list of strings, because `said` reads it");
      return;
    }
    if (known == nullptr) {
      std::vector<RecordField> fields(before.fields.begin(), before.fields.end());
      fields.push_back({"prompts", &types::kListString, false});
      RecordType* record = state.arena.make<RecordType>(before);
      record->fields = state.arena.copy(fields);
      Type* type = state.arena.make<Type>(*root.meaning.type);
      type->record = record;
      root.meaning.type = type;
    }
    state.set.histories.prompts =
        intern_slot(state.set.schema, "session.prompts", &types::kListString, false, root.meaning, true);
    return;
  }
}

}  // namespace

void declare_states(State& state) {
  for (uint32_t file = 0; file < state.files.size(); ++file) {
    for (const syntax::StateDecl& decl : state.files[file].states)
      declare_state(state, state.file_packages[file], decl);
  }
  share_states(state);
  state.set.histories.capabilities.resize(state.shapes.size());
  for (CapabilityId id = 0; id < state.set.schema.capabilities.size(); ++id) {
    const syntax::CapabilityDecl* decl = state.shapes[id].decl;
    if (decl == nullptr) continue;
    const std::vector<std::string>& labels = state.set.histories.labels;
    for (const syntax::Name& label : decl->labels) {
      const auto known = std::find(labels.begin(), labels.end(), std::string(label.text));
      if (known == labels.end()) {
        state.diagnostics.error(
            "unknown-label", label.span, "no label is called " + quoted(label.text),
            labels.empty() ? "declare it: `label " + std::string(label.text) + ";`" : did_you_mean(label.text, labels));
        continue;
      }
      state.set.histories.capabilities[id].labels |= static_cast<uint16_t>(1u << (known - labels.begin()));
    }
  }
}

void check_states(State& state) {
  for (StateId id = 0; id < state.states.size(); ++id) {
    check_header(state, id);
    check_effects_of(state, id);
    define(state, id);
  }
  for (Package& package : state.packages) {
    for (auto& [name, known] : package.state_scope.names) {
      const StateDecl& decl = state.set.histories.states[known.id].decl;
      known.amount = type_of_amount(decl.amount);
      std::string keys;
      for (const syntax::Name& key : state.states[known.id].decl->keys) {
        keys += (keys.empty() ? "" : ", ") + std::string(key.text);
      }
      known.keys = state.arena.copy(keys);
      known.paths = static_cast<size_t>(std::count(decl.keys.begin(), decl.keys.end(), KeySource::path));
    }
  }
}

void check_state_reads(State& state) {
  typed::Histories& histories = state.set.histories;
  if (!histories.any()) {
    histories.capabilities.clear();
    return;
  }
  ReadCollector(state).collect();
  const bool damaged = state.diagnostics.has_errors();  // rules that read a state may be missing
  if (!damaged) report_unread(state);
  if (!damaged) warn_impossible(state);
  const bool said = std::any_of(histories.texts.begin(), histories.texts.end(),
                                [](const auto& entry) { return entry.second.what == TextRead::said; });
  if (said) add_prompts(state);
}

void append_states(const State& state, const Reads& reads, std::string& text) {
  std::set<std::string> texts;
  auto add = [&](const Reads& of) {
    for (StateId id : of.states) texts.insert(state.states[id].canonical);
  };
  add(reads);
  for (LetId let : let_closure(state, reads)) add(state.lets[let].reads);
  for (const std::string& definition : texts) text += definition;
}

}  // namespace ordain::policy
