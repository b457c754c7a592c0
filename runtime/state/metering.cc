// metering.cc works out what a call uses and asks of the state, reads it, and fills the slots.
#include "runtime/state/metering.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ordain/time_text.h"
#include "runtime/state/call_values.h"
#include "runtime/state/words.h"
#include "vm/program/linked_program.h"

namespace ordain::state {
namespace {

constexpr int64_t kNanosInSecond = 1'000'000'000;

LabelSet label_bit(uint32_t label) { return static_cast<LabelSet>(1u << label); }

bool targets_match(const Program& program, uint32_t target_set, const CapabilityRef& capability) {
  return target_set == kNone || (vm::data_of(program).target_sets[target_set] & capability.globs).any();
}

bool facts_fit(const CallFacts& facts) { return !facts.call.error().failed && !facts.context.error().failed; }

Value timestamp_at(int64_t ledger_time, const Moment& now) {
  const auto [seconds, nanos] = timestamp_of_nanos(wall_time(ledger_time, now));
  return Value::timestamp(seconds, nanos);
}

Value count_value(uint64_t count) {
  return Value::integer(static_cast<int64_t>(std::min<uint64_t>(count, std::numeric_limits<int64_t>::max())));
}

Error no_session() {
  return Error{"missing_context", "the host names no session, and what a session has seen matters to this call"};
}

}  // namespace

bool is_metered(const Program& program, const CapabilityRef& capability) {
  const HistoryTables& tables = history_tables(program);
  if (tables.session_labels != kNone) return true;  // any rule may read them
  const CapabilityState* state = find_capability_state(tables, capability.id);
  if (state == nullptr) return false;
  if (state->labels != 0 || state->reads[0].count + state->reads[1].count != 0 ||
      state->texts[0].count + state->texts[1].count != 0)
    return true;
  for (uint32_t i = 0; i < state->effects.count; ++i) {
    if (targets_match(program, tables.effects[state->effects.first + i].target_set, capability)) return true;
  }
  for (uint32_t i = 0; i < state->label_rules.count; ++i) {
    if (targets_match(program, tables.label_rules[state->label_rules.first + i].target_set, capability)) return true;
  }
  return false;
}

Result<Meter> Meter::make(std::shared_ptr<const Program> program, Store& store) {
  const std::vector<StateDecl>& states = history_tables(*program).states;
  std::vector<uint32_t> numbers;
  if (!states.empty()) {
    auto defined = store.define(states);
    if (!defined.ok()) return defined.error();
    numbers = std::move(*defined);
  }
  return Meter(std::move(program), std::move(numbers));
}

Meter::Meter(std::shared_ptr<const Program> program, std::vector<uint32_t> numbers)
    : program_(std::move(program)), numbers_(std::move(numbers)) {
  host_labels_ = program_->slot(nullptr, "session.labels").id;
  for (const TextRead& text : tables().texts) {
    if (text.what == TextRead::carries) carried_ |= label_bit(text.label);
  }
}

MeteredCall::MeteredCall(const Meter& meter, Store& store, const Id128& id)
    : meter_(meter), store_(store), tables_(meter.tables()) {
  start_.call = id;
}

const CapabilityState* MeteredCall::state_of(const Call& call) const {
  return find_capability_state(tables_, call.capability().id);
}

bool MeteredCall::applies(uint32_t target_set, const Call& call) const {
  return targets_match(meter_.program(), target_set, call.capability());
}

// --- what the call uses

Result<void> MeteredCall::plan(const CallFacts& before) {
  start_.uses.clear();
  failed_.clear();
  held_.clear();
  stays_open_ = false;
  plan_denied(before);
  const CapabilityId id = before.call.capability().id;
  irreversible_ = id != kNone && meter_.program().schema().capabilities[id].has_effect("irreversible");
  start_.leased = !irreversible_;
  const CapabilityState* state = state_of(before.call);
  if (state == nullptr || !facts_fit(before)) return {};  // facts that do not fit are denied anyway
  for (uint32_t i = 0; i < state->effects.count; ++i) {
    const StateEffect& effect = tables_.effects[state->effects.first + i];
    const bool denials = tables_.states[effect.state].verb == StateVerb::denied;
    if (denials || !applies(effect.target_set, before.call)) continue;
    if (auto planned = plan_effect(before, effect); !planned.ok()) return planned;
  }
  return {};
}

/// A history that counts outcomes is only run in until there is one.
Result<void> MeteredCall::plan_effect(const CallFacts& before, const StateEffect& effect) {
  const StateDecl& declared = tables_.states[effect.state];
  const bool counts = declared.verb == StateVerb::begun;
  Amount amount = 0;
  if (effect.stage == Stage::before) {
    std::string why;
    const auto when = test_condition(before, effect.when, &why);
    if (!when) return Error{"evaluation_error", declared.name + ": its `when` faults: " + why};
    if (!*when) return {};
  }
  const bool by_output = key_reads_output(meter_.program(), effect.keys);
  std::string key;
  if (const KeyPart* unknown = build_key(before, declared, effect.keys, by_output, &key))
    return unknown_key_part(meter_.program(), declared, *unknown);
  if (by_output) return {};
  if (effect.stage == Stage::before && effect.amount != kNone) {
    auto evaluated = evaluate_amount(before, effect.amount, declared);
    if (!evaluated.ok()) return evaluated.error();
    amount = *evaluated;
  }
  const uint32_t number = meter_.number_of(effect.state);
  if (declared.verb == StateVerb::failed) failed_.push_back({number, key, amount});
  stays_open_ = stays_open_ || declared.kind != StateKind::rate;
  if (declared.kind == StateKind::budget) held_.push_back({static_cast<uint32_t>(held_.size()), &effect});
  start_.uses.push_back({number, std::move(key), counts ? amount : 0, counts});
  return {};
}

/// A denied call may be wrong in any way, so what cannot be evaluated counts, and without an amount.
void MeteredCall::plan_denied(const CallFacts& before) {
  start_.denied.clear();
  const CapabilityState* state = state_of(before.call);
  for (uint32_t i = 0; state != nullptr && i < state->effects.count; ++i) {
    const StateEffect& effect = tables_.effects[state->effects.first + i];
    const StateDecl& declared = tables_.states[effect.state];
    if (declared.verb != StateVerb::denied || !applies(effect.target_set, before.call)) continue;
    if (!test_condition(before, effect.when).value_or(true)) continue;
    Stamp stamp{meter_.number_of(effect.state), {}, 0};
    if (build_key(before, declared, effect.keys, false, &stamp.key) != nullptr) continue;
    if (effect.amount != kNone) {
      if (auto amount = evaluate_amount(before, effect.amount, declared); amount.ok()) stamp.amount = *amount;
    }
    start_.denied.push_back(std::move(stamp));
  }
}

/// What is done is counted even if its condition or amount faults, unless that is so because its output is not
/// known. A call without a key cannot be found again, so it is not counted.
std::vector<Stamp> MeteredCall::done_stamps(const CallFacts& after, bool output_known) const {
  std::vector<Stamp> out;
  const CapabilityState* state = state_of(after.call);
  for (uint32_t i = 0; state != nullptr && i < state->effects.count; ++i) {
    const StateEffect& effect = tables_.effects[state->effects.first + i];
    if (effect.stage != Stage::after || !applies(effect.target_set, after.call)) continue;
    if (!test_condition(after, effect.when).value_or(output_known)) continue;
    const StateDecl& declared = tables_.states[effect.state];
    Stamp stamp{meter_.number_of(effect.state), {}, 0};
    if (build_key(after, declared, effect.keys, false, &stamp.key) != nullptr) continue;
    if (effect.amount != kNone) {
      if (auto amount = evaluate_amount(after, effect.amount, declared); amount.ok()) stamp.amount = *amount;
    }
    out.push_back(std::move(stamp));
  }
  return out;
}

// --- what its rules read

/// What this call adds to a state: before it begins, what it uses; once it has begun, the state says that already.
Own MeteredCall::own_of(uint32_t state, std::string_view key) const {
  Own out;
  for (const Use& use : start_.uses) {
    if (begun_ != 0 || use.state != state || use.key != key) continue;
    out.runs = true;
    out.counts = out.counts || use.counts;
    if (use.counts) out.amount = add_amounts(out.amount, use.amount);
  }
  for (const Stamp& stamp : pending_) {
    if (stamp.state != state || stamp.key != key) continue;
    out.counts = true;
    out.amount = add_amounts(out.amount, stamp.amount);
  }
  return out;
}

/// @returns the number of the question that reads the state
size_t MeteredCall::add_question(StateId state, const std::string& key) {
  for (size_t i = 0; i < notes_.size(); ++i) {
    if (notes_[i].state == state && notes_[i].key == key) return i;
  }
  const uint32_t number = meter_.number_of(state);
  notes_.push_back({state, key, {}});
  start_.questions.push_back({number, key, own_of(number, key)});
  return notes_.size() - 1;
}

/// A field that the call lacks as a key leaves the slot empty, so that a rule which reads it faults. `last` and
/// `first` are empty too where nothing was seen, and nobody shares the state of the anonymous: both deny.
Result<void> MeteredCall::ask(const CallFacts& facts) {
  start_.questions.clear();
  notes_.clear();
  asked_.clear();
  const CapabilityState* state = state_of(facts.call);
  const TableRange range = state != nullptr ? state->reads[static_cast<size_t>(facts.call.stage())] : TableRange{};
  for (uint32_t i = 0; facts_fit(facts) && i < range.count; ++i) {
    const StateRead& read = tables_.reads[tables_.read_list[range.first + i]];
    const StateDecl& declared = tables_.states[read.state];
    Asked one;
    one.read = &read;
    std::string key;
    const KeyPart* unknown = build_key(facts, declared, read.keys, false, &key);
    const bool optional = read.member == StateMember::last || read.member == StateMember::first;
    if (unknown != nullptr && (optional || unknown->source != KeySource::path))
      return unknown_key_part(meter_.program(), declared, *unknown);
    one.known = unknown == nullptr;
    if (one.known) {
      one.question = add_question(read.state, key);
      one.other = read.other != kNone ? add_question(read.other, key) : one.question;
    }
    asked_.push_back(one);
  }
  return ask_session(facts, state);
}

Result<void> MeteredCall::ask_session(const CallFacts& facts, const CapabilityState* state) {
  view_ = SessionView();
  view_.session = facts.session;
  texts_.clear();
  memory_full_ = false;
  start_.session = nullptr;
  const TableRange range = state != nullptr ? state->texts[static_cast<size_t>(facts.call.stage())] : TableRange{};
  bool needed =
      tables_.session_labels != kNone || (state != nullptr && (state->labels != 0 || state->label_rules.count != 0));
  for (uint32_t i = 0; i < range.count; ++i) {
    const TextRead& text = tables_.texts[tables_.text_list[range.first + i]];
    needed = needed || text.what == TextRead::carries;
    if (facts_fit(facts)) ask_text(facts, text);
  }
  if (!needed) return {};
  if (facts.session.empty()) return no_session();
  start_.session = &view_;
  return {};
}

void MeteredCall::ask_text(const CallFacts& facts, const TextRead& text) {
  TextAsked one;
  one.text = &text;
  one.first = one.last = view_.questions.size();
  const auto value = evaluate_predicate(facts, text.text);
  one.known = value.has_value();
  if (value && text.what == TextRead::said) {
    one.said = was_said(*value, prompts_in(facts, tables_.prompts));
  } else if (value) {
    for (std::string_view part : texts_in(*value)) {
      const std::vector<std::string> words = split_words(part);
      if (count_characters(words) < kShortestText) continue;
      view_.questions.push_back({label_bit(text.label), hash_words(words)});
    }
    one.last = view_.questions.size();
  }
  texts_.push_back(one);
}

bool MeteredCall::asks_nothing() const {
  return start_.uses.empty() && start_.denied.empty() && start_.questions.empty() && start_.session == nullptr;
}

/// Rules of the after stage read what was there before this call, so the histories that it counts in are read first.
void MeteredCall::add_baselines(const CallFacts& before) {
  baselines_.clear();
  const CapabilityState* state = state_of(before.call);
  if (state == nullptr || state->reads[1].count == 0) return;
  for (uint32_t i = 0; i < state->effects.count; ++i) {
    const StateEffect& effect = tables_.effects[state->effects.first + i];
    const StateDecl& declared = tables_.states[effect.state];
    if (declared.kind != StateKind::history || declared.verb != StateVerb::begun) continue;
    const uint32_t number = meter_.number_of(effect.state);
    for (const Use& use : start_.uses) {
      if (use.state != number) continue;
      start_.questions.push_back({number, use.key, {}});
      baselines_.push_back({number, use.key, define_state(declared).window_ns, {}});
    }
  }
}

/// Takes this call out of `seen`, `last` and `first`, unless another call came after it.
void MeteredCall::leave_out_own(const Question& question, Reading& reading) const {
  if (begun_ == 0 || reading.last_sequence != begun_) return;
  for (const Baseline& was : baselines_) {
    if (was.state != question.state || was.key != question.key) continue;
    const bool aged = was.window_ns != 0 && subtract_times(now_.time, was.reading.last) > was.window_ns;
    reading.seen = was.reading.seen && !aged;
    reading.last = was.reading.last;
    reading.first = was.reading.first;
    reading.last_sequence = was.reading.last_sequence;
    return;
  }
}

Value MeteredCall::member_of(const StateRead& read, const Reading& reading, const Reading& other) const {
  const StateDecl& declared = tables_.states[read.state];
  switch (read.member) {
    case StateMember::seen:
      return Value::boolean(reading.seen);
    case StateMember::count:
      return count_value(reading.count);
    case StateMember::running:
      return count_value(reading.running);
    case StateMember::sum:
      return amount_value(reading.sum, declared.amount);
    case StateMember::last:
      return reading.seen ? timestamp_at(reading.last, now_) : Value();
    case StateMember::first:
      return reading.seen ? timestamp_at(reading.first, now_) : Value();
    case StateMember::after:
      return Value::boolean(is_after(reading, other));
    case StateMember::ok:
      return Value::boolean(reading.ok);
    case StateMember::wait:
      return Value::duration(reading.wait_ns / kNanosInSecond, static_cast<int32_t>(reading.wait_ns % kNanosInSecond));
    case StateMember::used:
      return amount_value(reading.used, declared.amount);
    case StateMember::left: {
      const Value& limit = vm::data_of(meter_.program()).constants[declared.limit_constant];
      return amount_value(add_amounts(amount_of(limit, true).value_or(0), -reading.used), declared.amount);
    }
  }
  return Value();
}

void MeteredCall::fill(const CallFacts& facts, std::span<const Reading> readings, const Moment& now) {
  now_ = now;
  for (size_t i = 0; i < notes_.size(); ++i) {
    notes_[i].reading = readings[i];
    leave_out_own(start_.questions[i], notes_[i].reading);
  }
  fill_members(facts);
  fill_session(facts);
}

void MeteredCall::fill_members(const CallFacts& facts) {
  for (const Asked& one : asked_) {
    const SlotRef slot = meter_.program().slot(one.read->slot);
    Value value;
    if (one.known) value = member_of(*one.read, notes_[one.question].reading, notes_[one.other].reading);
    if (value.present()) {
      facts.call.set(slot, value);
    } else {
      facts.call.forget(slot);
    }
  }
}

void MeteredCall::fill_session(const CallFacts& facts) {
  memory_full_ = false;
  for (const TextAsked& one : texts_) {
    const SlotRef slot = meter_.program().slot(one.text->slot);
    bool answer = one.said;
    for (size_t i = one.first; i < one.last && i < view_.answers.size(); ++i) {
      answer = answer || view_.answers[i].carries;
      memory_full_ = memory_full_ || view_.answers[i].full;
    }
    if (one.known) {
      facts.call.set(slot, Value::boolean(answer));
    } else {
      facts.call.forget(slot);
    }
  }
  if (tables_.session_labels == kNone) return;
  const SlotRef slot = meter_.program().slot(tables_.session_labels);
  std::vector<Value> raised;
  for (uint32_t label = 0; label < tables_.labels.size(); ++label) {
    const Value name = Value::string(tables_.labels[label]);
    if ((view_.labels & label_bit(label)) != 0 && !host_has_label(facts, meter_.host_labels(), name))
      raised.push_back(name);
  }
  const std::span<Value> kept = facts.call.arena().copy(raised);
  facts.call.forget(slot);
  if (!kept.empty()) facts.call.set(slot, Value::list(kept));
}

/// What the outcome of the running call will be is not known: if its condition or its amount does not fit, the denial
/// stands.
std::string MeteredCall::find_unfinished(const CallFacts& before, const std::function<bool()>& denies) {
  std::string found;
  for (size_t i = 0; i < notes_.size() && found.empty(); ++i) {
    const StateDecl& declared = tables_.states[notes_[i].state];
    Reading& reading = notes_[i].reading;
    const uint64_t own = start_.questions[i].own.runs ? 1 : 0;
    if (declared.kind != StateKind::history || declared.verb != StateVerb::done || reading.running <= own) continue;
    const Reading was = reading;
    if (!was.seen) reading.first = now_.time;
    reading.seen = true;
    reading.last = now_.time;
    reading.last_sequence = std::numeric_limits<uint64_t>::max();
    ++reading.count;
    fill_members(before);
    if (!denies()) found = declared.name;
    reading = was;
    fill_members(before);
  }
  return found;
}

// --- turns

Result<Verdict> MeteredCall::start(const CallFacts& before, const std::function<Verdict()>& decide) {
  pending_.clear();
  if (auto planned = plan(before); !planned.ok()) return planned.error();
  if (auto asked = ask(before); !asked.ok()) return asked.error();
  add_baselines(before);
  if (asks_nothing()) return decide();
  auto started = store_.begin(start_, [&](std::span<const Reading> readings, const Moment& now) {
    fill(before, readings, now);
    return decide();
  });
  if (!started.ok()) return started.error();
  if (started->sequence != 0) sequence_ = started->sequence;
  if (started->verdict != Verdict::proceed || started->sequence == 0) return started->verdict;
  begun_ = started->sequence;
  open_ = stays_open_;
  for (size_t i = 0; i < baselines_.size(); ++i) baselines_[i].reading = started->readings[notes_.size() + i];
  return started->verdict;
}

void MeteredCall::deny(const CallFacts& before) {
  plan_denied(before);
  if (start_.denied.empty()) return;
  if (auto noted = store_.note(start_.denied); noted.ok()) sequence_ = *noted;
}

/// Reads without changing anything.
Result<void> MeteredCall::look(const CallFacts& facts) {
  if (start_.questions.empty() && start_.uses.empty() && start_.session == nullptr) {
    fill(facts, {}, now_);
    return {};
  }
  auto looked = store_.begin(start_, [&](std::span<const Reading> readings, const Moment& now) {
    fill(facts, readings, now);
    return Verdict::leave;
  });
  return looked.ok() ? Result<void>() : looked.error();
}

Result<void> MeteredCall::preview(const CallFacts& facts) {
  pending_.clear();
  if (auto planned = plan(facts); !planned.ok()) return planned;
  if (facts.call.stage() == Stage::after) pending_ = done_stamps(facts, true);
  if (auto asked = ask(facts); !asked.ok()) return asked;
  return look(facts);
}

Result<void> MeteredCall::read_after(const CallFacts& after) {
  if (facts_fit(after)) pending_ = done_stamps(after, true);
  if (auto asked = ask(after); !asked.ok()) return asked;
  const std::vector<Use> uses = std::exchange(start_.uses, {});  // they are counted already
  auto looked = look(after);
  start_.uses = uses;
  return looked;
}

}  // namespace ordain::state
