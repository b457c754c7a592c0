// apply.cc checks ops and applies them. Only apply_op changes what a ledger says.
#include <algorithm>
#include <limits>

#include "runtime/state/key.h"
#include "runtime/state/ledger.h"

namespace ordain::state {
namespace {

constexpr size_t kMostStates = 65'536;  ///< of all programs that used the ledger
constexpr int64_t kLatest = std::numeric_limits<int64_t>::max();
constexpr size_t kMostPast = 10'000'000;  ///< calls that one op may fill in

Error bad_op(const char* why) { return Error{"bad_state", std::string("an op of the state ") + why}; }

const State* state_at(const Ledger& ledger, uint32_t state) {
  return state < ledger.states.size() ? &ledger.states[state] : nullptr;
}

bool fits_key(const State& state, std::string_view key) {
  const auto parts = split_key(key);
  return parts && parts->size() == state.definition.keys.size();
}

bool possible_amount(const State& state, Amount amount) {
  if (amount > kLargestAmount || amount < -kLargestAmount) return false;
  return amount >= 0 || state.definition.negative;
}

Result<void> check_begin(const Ledger& ledger, const Op& op) {
  if (ledger.calls.contains(op.call.bytes)) return bad_op("begins a call that is open");
  for (const Effect& effect : op.effects) {
    const State* state = state_at(ledger, effect.state);
    if (state == nullptr) return bad_op("names a state that does not exist");
    if (!fits_key(*state, effect.key)) return bad_op("has a key with other parts than its state");
    if (!possible_amount(*state, effect.amount)) return bad_op("has an impossible amount");
    const bool history = state->definition.kind == StateKind::history;
    if (!effect.counts && !history) return bad_op("runs in a state that is not a history");
  }
  return {};
}

Result<void> check_stamps(const Ledger& ledger, const Op& op) {
  for (const Stamp& stamp : op.stamps) {
    const State* state = state_at(ledger, stamp.state);
    if (state == nullptr || state->definition.kind != StateKind::history)
      return bad_op("counts in a history that does not exist");
    if (!fits_key(*state, stamp.key)) return bad_op("has a key with other parts than its state");
    if (!possible_amount(*state, stamp.amount)) return bad_op("has an impossible amount");
  }
  return {};
}

Result<void> check_finish(const Ledger& ledger, const Op& op) {
  auto found = ledger.calls.find(op.call.bytes);
  if (found == ledger.calls.end()) return bad_op("ends a call that is not open");
  for (size_t i = 0; i < op.settlements.size(); ++i) {
    const Settlement& settlement = op.settlements[i];
    if (settlement.effect >= found->second.holds.size()) return bad_op("settles what its call does not hold");
    if (i > 0 && settlement.effect <= op.settlements[i - 1].effect) return bad_op("settles a hold twice");
    const bool possible = settlement.amount >= 0 && settlement.amount <= kLargestAmount;
    if (!possible) return bad_op("has an impossible amount");
  }
  return check_stamps(ledger, op);
}

Result<void> check_define(const Ledger& ledger, const Op& op) {
  const auto found = find_state(ledger, op.definition.name, op.definition.digest);
  if (!found && ledger.states.size() >= kMostStates) return bad_op("defines too many states");
  if (found && !compatible(ledger.states[*found].definition, op.definition))
    return bad_op("defines a state again that is another");
  return {};
}

Result<void> check_reset(const Ledger& ledger, const Op& op) {
  const State* state = state_at(ledger, op.state);
  if (state == nullptr) return bad_op("names a state that does not exist");
  return fits_key(*state, op.key) ? Result<void>() : bad_op("has a key with other parts than its state");
}

Result<void> check_fill(const Ledger& ledger, const Op& op) {
  const State* state = state_at(ledger, op.state);
  if (state == nullptr) return bad_op("names a state that does not exist");
  if (state->keys() != 0 || state->lost) return bad_op("fills a state that has counted already");
  if (state->definition.period == BudgetPeriod::at_once && !op.past.empty())
    return bad_op("holds what no call holds any more");
  if (op.past.size() > kMostPast || op.since > op.at.time) return bad_op("has an impossible past");
  int64_t last = std::numeric_limits<int64_t>::min();
  for (const Past& one : op.past) {
    if (!fits_key(*state, one.key)) return bad_op("has a key with other parts than its state");
    if (!possible_amount(*state, one.amount)) return bad_op("has an impossible amount");
    if (one.time < last || one.time > op.at.time) return bad_op("goes back in time");
    last = one.time;
  }
  return {};
}

void count_in(Ledger& ledger, uint32_t number, const std::string& key, Amount amount, const Op& op) {
  State& state = ledger.states[number];
  History& history = state.histories[key];
  // Whether an idle share was swept in between must make no difference.
  const bool windowed = state.definition.window_ns != 0;
  if (!windowed && is_idle(history, state.definition, ledger.limits, op.at.time)) history = History();
  if (windowed || history.last_sequence == 0) history.first = op.at.time;
  history.last = op.at.time;
  history.last_sequence = op.sequence;
  if (!windowed) {
    ++history.count;
    if (state.definition.sums) history.sum = add_amounts(history.sum, amount);
    return;
  }
  if (!state.definition.keeps_stamps) return;
  if (!history.stamps) history.stamps = std::make_unique<Stamps>(state.definition.sums);
  const uint64_t most = ledger.limits.stamps;
  const uint64_t enough = std::min(state.definition.bound, most - 1) + 1;
  history.stamps->trim(op.at.time, state.definition.window_ns);
  history.stamps->push(op.at.time, amount, state.definition.keeps_all ? most : enough);
}

void pay_rate(State& state, const std::string& key, int64_t now) {
  int64_t& paid = state.rates.try_emplace(key, now).first->second;
  paid = add_times(std::max(paid, now), state.definition.interval_ns);
}

void hold_budget(State& state, const Effect& effect, OpenCall& call) {
  Budget& budget = state.budgets[effect.key];
  state.period = std::max(state.period, effect.period);
  if (budget.period < state.period) {
    budget.used = 0;
    budget.period = state.period;
  }
  budget.used = add_amounts(budget.used, effect.amount);
  ++budget.open;
  call.holds.push_back({effect.state, effect.key, effect.amount, budget.period});
}

void begin_call(Ledger& ledger, const Op& op) {
  OpenCall call{op.owner, op.leased, {}, {}};
  for (const Effect& effect : op.effects) {
    State& state = ledger.states[effect.state];
    switch (state.definition.kind) {
      case StateKind::history:
        if (effect.counts) count_in(ledger, effect.state, effect.key, effect.amount, op);
        ++state.histories[effect.key].running;
        call.runs.push_back({effect.state, effect.key});
        break;
      case StateKind::rate:
        pay_rate(state, effect.key, op.at.time);
        break;
      case StateKind::budget:
        hold_budget(state, effect, call);
        break;
    }
  }
  if (call.runs.empty() && call.holds.empty()) return;
  Owner& owner = ledger.owners[op.owner];
  owner.renewed = op.at.time;
  ++owner.calls;
  if (op.leased) ++owner.leased;
  ledger.calls.emplace(op.call.bytes, std::move(call));
}

/// What was held in an earlier period is of no account in the present one.
void settle_hold(State& state, const Hold& hold, const Settlement& settlement) {
  auto found = state.budgets.find(hold.key);
  if (found == state.budgets.end()) return;
  Budget& budget = found->second;
  --budget.open;
  if (budget.period != hold.period) return;
  const bool at_once = state.definition.period == BudgetPeriod::at_once;
  if (at_once || settlement.how == Settlement::release) {
    budget.used = add_amounts(budget.used, -hold.amount);
  } else if (settlement.how == Settlement::actual) {
    budget.used = add_amounts(budget.used, settlement.amount - hold.amount);
  }
}

void release_owner(Ledger& ledger, const OpenCall& call) {
  auto owner = ledger.owners.find(call.owner);
  if (owner == ledger.owners.end()) return;
  --owner->second.calls;
  if (call.leased) --owner->second.leased;
  if (owner->second.calls == 0) ledger.owners.erase(owner);
}

void note_stamps(Ledger& ledger, const Op& op) {
  for (const Stamp& stamp : op.stamps) {
    if (!stamp.lost) {
      count_in(ledger, stamp.state, stamp.key, stamp.amount, op);
      continue;
    }
    State& state = ledger.states[stamp.state];
    const int64_t window = state.definition.window_ns;
    state.lost = true;
    state.lost_until = std::max(state.lost_until, window == 0 ? kLatest : add_times(op.at.time, window));
  }
}

void finish_call(Ledger& ledger, const Op& op) {
  auto found = ledger.calls.find(op.call.bytes);
  const OpenCall call = std::move(found->second);
  ledger.calls.erase(found);
  for (const Hold& run : call.runs) {
    auto history = ledger.states[run.state].histories.find(run.key);
    if (history != ledger.states[run.state].histories.end() && history->second.running != 0) --history->second.running;
  }
  auto next = op.settlements.begin();
  for (size_t i = 0; i < call.holds.size(); ++i) {
    Settlement settlement;
    if (next != op.settlements.end() && next->effect == i) settlement = *next++;
    settle_hold(ledger.states[call.holds[i].state], call.holds[i], settlement);
  }
  release_owner(ledger, call);
  note_stamps(ledger, op);
}

/// A part of a definition that is new has seen nothing of what was counted before.
void define_in(Ledger& ledger, const Op& op) {
  auto found = find_state(ledger, op.definition.name, op.definition.digest);
  if (!found) {
    ledger.states.push_back({op.definition, op.at.time});
    return;
  }
  State& state = ledger.states[*found];
  const bool more = op.definition.keeps_stamps && !state.definition.keeps_stamps;
  state.definition = join_definitions(state.definition, op.definition);
  if (more) state.known_since = op.at.time;
}

/// Forgets what the histories without a window hold of a session, unless a call of it still runs.
void forget_session(Ledger& ledger, const std::string& session) {
  std::string part;
  if (!append_key_part(part, Value::string(session))) return;
  for (State& state : ledger.states) {
    const auto& keys = state.definition.keys;
    const auto at = std::find(keys.begin(), keys.end(), KeySource::session);
    if (at == keys.end() || state.definition.window_ns != 0) continue;
    const auto place = static_cast<size_t>(at - keys.begin());
    std::erase_if(state.histories, [&](const auto& share) {
      const auto parts = split_key(share.first);
      return share.second.running == 0 && parts && place < parts->size() && (*parts)[place] == part;
    });
  }
}

/// Open calls keep running and holding: the share is made new with what they need.
void reset_key(Ledger& ledger, const Op& op) {
  State& state = ledger.states[op.state];
  state.rates.erase(op.key);
  if (auto found = state.histories.find(op.key); found != state.histories.end()) {
    History fresh;
    fresh.running = found->second.running;
    found->second = std::move(fresh);
  }
  if (auto found = state.budgets.find(op.key); found != state.budgets.end()) {
    if (found->second.open == 0) {
      state.budgets.erase(found);
      // Once all are forgotten, so is a period that the wall clock reached by mistake.
      if (state.budgets.empty()) state.period = 0;
      return;
    }
    found->second.used = 0;
    for (const auto& [id, call] : ledger.calls) {
      for (const Hold& hold : call.holds) {
        const bool counts = hold.state == op.state && hold.key == op.key && hold.period == found->second.period;
        if (counts) found->second.used = add_amounts(found->second.used, hold.amount);
      }
    }
  }
}

/// The calls of the past count as if each had been made at its time.
void fill_state(Ledger& ledger, const Op& op) {
  State& state = ledger.states[op.state];
  Op then;
  then.sequence = op.sequence;
  then.at = op.at;
  for (const Past& one : op.past) {
    then.at.time = one.time;
    switch (state.definition.kind) {
      case StateKind::history:
        count_in(ledger, op.state, one.key, one.amount, then);
        break;
      case StateKind::rate:
        pay_rate(state, one.key, one.time);
        break;
      case StateKind::budget: {
        Budget& budget = state.budgets[one.key];
        state.period = budget.period = op.period;
        budget.used = add_amounts(budget.used, one.amount);
        break;
      }
    }
  }
  state.known_since = op.since;
}

}  // namespace

Result<void> check_op(const Ledger& ledger, const Op& op) {
  if (op.sequence != ledger.sequence + 1) return bad_op("is out of sequence");
  if (op.at.time < ledger.timeline.last.time && ledger.timeline.started) return bad_op("goes back in time");
  if (!ledger.timeline.started && op.kind != OpKind::boot) return bad_op("comes before any time is known");
  switch (op.kind) {
    case OpKind::define:
      return check_define(ledger, op);
    case OpKind::begin:
      return check_begin(ledger, op);
    case OpKind::finish:
      return check_finish(ledger, op);
    case OpKind::note:
      return check_stamps(ledger, op);
    case OpKind::reset:
      return check_reset(ledger, op);
    case OpKind::fill:
      return check_fill(ledger, op);
    default:
      return {};
  }
}

Result<void> apply_op(Ledger& ledger, const Op& op) {
  if (auto checked = check_op(ledger, op); !checked.ok()) return checked;
  ledger.sequence = op.sequence;
  const int64_t now = op.at.time;
  const size_t most_words = ledger.limits.words;
  switch (op.kind) {
    case OpKind::define:
      define_in(ledger, op);
      break;
    case OpKind::boot:
      ledger.timeline.boot = op.boot;
      ledger.timeline.offset = op.offset;
      ledger.timeline.started = true;
      break;
    case OpKind::begin:
      begin_call(ledger, op);
      break;
    case OpKind::finish:
      finish_call(ledger, op);
      break;
    case OpKind::note:
      note_stamps(ledger, op);
      break;
    case OpKind::renew:
      if (auto owner = ledger.owners.find(op.owner); owner != ledger.owners.end()) owner->second.renewed = now;
      break;
    case OpKind::start:
      ledger.sessions.start(op.session, op.parent, most_words, now);
      break;
    case OpKind::raise:
      ledger.sessions.raise(op.session, op.labels, op.words, most_words, now);
      break;
    case OpKind::clear:
      ledger.sessions.clear(op.session, op.labels, now);
      break;
    case OpKind::end:
      ledger.sessions.end(op.session);
      forget_session(ledger, op.session);
      break;
    case OpKind::reset:
      reset_key(ledger, op);
      break;
    case OpKind::fill:
      fill_state(ledger, op);
      break;
  }
  ledger.timeline.last = op.at;
  return {};
}

}  // namespace ordain::state
