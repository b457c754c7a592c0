// ledger.cc reads a ledger and finds room in it.
#include "runtime/state/ledger.h"

#include <algorithm>

#include "ordain/value.h"

namespace ordain::state {
namespace {

/// Sweeping a full state takes time in proportion to its keys, so it is not repeated at every call.
constexpr int64_t kSweepEvery = 100'000'000;

/// Removes what has left the window. @returns true if anything within it was counted
bool trim_history(History& history, const Definition& definition, const Limits& limits, int64_t now) {
  if (history.last_sequence == 0) return false;
  if (definition.window_ns == 0) return !is_idle(history, definition, limits, now);
  if (history.stamps) history.stamps->trim(now, definition.window_ns);
  return subtract_times(now, history.last) <= definition.window_ns;
}

uint64_t stamps_counted(const Stamps& stamps, const Definition& definition) {
  const uint64_t count = stamps.size() + stamps.dropped();
  const uint64_t most = definition.bound == UINT64_MAX ? definition.bound : definition.bound + 1;
  return definition.keeps_all ? count : std::min(count, most);
}

void read_counts(const History& history, const Definition& definition, Reading* out) {
  if (definition.window_ns == 0) {
    out->count = history.count;
    out->sum = history.sum;
    out->first = history.first;
    return;
  }
  out->first = history.last;
  if (!history.stamps || history.stamps->size() == 0) return;
  const Stamps& stamps = *history.stamps;
  out->count = stamps_counted(stamps, definition);
  out->sum = stamps.total();
  out->first = stamps.time(0);
  // A sum or a first that lacks stamps is wrong; a count that lacks some is known to be too large to matter.
  out->full = definition.keeps_all && stamps.dropped() != 0;
}

Reading read_history(State& state, std::string_view key, const Own& own, const Limits& limits, int64_t now) {
  Reading out;
  const Definition& definition = state.definition;
  if (auto found = state.histories.find(key); found != state.histories.end()) {
    History& history = found->second;
    out.running = history.running;
    out.seen = trim_history(history, definition, limits, now);
    if (out.seen) {
      out.last = history.last;
      out.last_sequence = history.last_sequence;
      read_counts(history, definition, &out);
    }
  } else {
    out.full = state.lost && now <= state.lost_until;
  }
  if (own.runs) ++out.running;
  if (own.counts) {
    ++out.count;
    out.sum = add_amounts(out.sum, own.amount);
  }
  if (definition.keeps_stamps && !definition.keeps_all && definition.bound < UINT64_MAX)
    out.count = std::min(out.count, definition.bound + 1);
  return out;
}

Reading read_rate(const State& state, std::string_view key, int64_t now) {
  Reading out;
  auto found = state.rates.find(key);
  if (found == state.rates.end()) return out;
  const int64_t ahead = subtract_times(found->second, now);
  out.wait_ns = std::max<int64_t>(0, subtract_times(ahead, state.definition.tolerance_ns));
  out.ok = out.wait_ns == 0;
  return out;
}

Reading read_budget(const State& state, std::string_view key, const Own& own, int64_t period) {
  Reading out;
  const int64_t present = std::max(period, state.period);
  if (auto found = state.budgets.find(key); found != state.budgets.end() && found->second.period == present)
    out.used = found->second.used;
  out.used = add_amounts(out.used, own.amount);
  return out;
}

bool idle_budget(const Budget& budget, const Definition& definition, int64_t period) {
  if (budget.open != 0) return false;
  if (budget.used == 0) return true;
  return definition.period > BudgetPeriod::at_once && budget.period < period;
}

void sweep_state(State& state, const Limits& limits, int64_t now, int64_t period) {
  const Definition& definition = state.definition;
  std::erase_if(state.histories, [&](const auto& share) { return is_idle(share.second, definition, limits, now); });
  std::erase_if(state.rates, [&](const auto& share) { return share.second <= now; });
  std::erase_if(state.budgets, [&](const auto& share) { return idle_budget(share.second, definition, period); });
  state.swept = now;
}

bool holds_key(const State& state, std::string_view key) {
  return state.histories.contains(key) || state.rates.contains(key) || state.budgets.contains(key);
}

/// @returns true if another stamp fits. Only sums and firsts need every one; for a count the oldest
/// can be dropped.
bool has_stamp_room(State& state, std::string_view key, const Limits& limits, int64_t now) {
  if (!state.definition.keeps_all) return true;
  auto found = state.histories.find(key);
  if (found == state.histories.end() || !found->second.stamps) return true;
  Stamps& stamps = *found->second.stamps;
  stamps.trim(now, state.definition.window_ns);
  return stamps.size() < limits.stamps;
}

}  // namespace

bool is_idle(const History& history, const Definition& definition, const Limits& limits, int64_t now) {
  if (history.running != 0) return false;
  if (history.last_sequence == 0) return true;
  const int64_t kept = definition.window_ns == 0 ? limits.retention_ns : definition.window_ns;
  return subtract_times(now, history.last) > kept;
}

size_t KeyHash::operator()(std::string_view key) const { return static_cast<size_t>(hash_string(key)); }

std::optional<uint32_t> find_state(const Ledger& ledger, std::string_view name, const Digest& digest) {
  for (size_t i = 0; i < ledger.states.size(); ++i) {
    const Definition& definition = ledger.states[i].definition;
    if (definition.name == name && definition.digest == digest) return static_cast<uint32_t>(i);
  }
  return std::nullopt;
}

Reading read_state(Ledger& ledger, uint32_t state, std::string_view key, const Own& own, const Moment& now,
                   int64_t period) {
  State& from = ledger.states[state];
  Reading out;
  switch (from.definition.kind) {
    case StateKind::history:
      out = read_history(from, key, own, ledger.limits, now.time);
      break;
    case StateKind::rate:
      out = read_rate(from, key, now.time);
      break;
    case StateKind::budget:
      out = read_budget(from, key, own, period);
      break;
  }
  out.known_since = from.known_since;
  return out;
}

bool has_room(Ledger& ledger, uint32_t state, std::string_view key, const Moment& now, int64_t period) {
  return has_key_room(ledger, state, key, now, period) &&
         has_stamp_room(ledger.states[state], key, ledger.limits, now.time);
}

bool has_key_room(Ledger& ledger, uint32_t state, std::string_view key, const Moment& now, int64_t period) {
  State& in = ledger.states[state];
  if (holds_key(in, key)) return true;
  if (in.keys() < ledger.limits.keys) return true;
  const bool due = !in.swept || subtract_times(now.time, *in.swept) >= kSweepEvery;
  if (due) sweep_state(in, ledger.limits, now.time, std::max(period, in.period));
  return in.keys() < ledger.limits.keys;
}

bool has_session_room(Ledger& ledger, size_t more, const Moment& now) {
  const auto fits = [&] { return ledger.sessions.size() + more <= ledger.limits.sessions; };
  if (!fits()) ledger.sessions.end_before(subtract_times(now.time, ledger.limits.retention_ns));
  return fits();
}

std::vector<Id128> expired_calls(const Ledger& ledger, int64_t now) {
  std::vector<Id128> out;
  for (const auto& [id, owner] : ledger.owners) {
    if (owner.leased == 0 || subtract_times(now, owner.renewed) <= ledger.limits.lease_ns) continue;
    for (const auto& [call, open] : ledger.calls) {
      if (open.owner == id && open.leased) out.push_back(Id128{call});
    }
  }
  return out;
}

void trim_ledger(Ledger& ledger) {
  const int64_t now = ledger.timeline.last.time;
  for (State& state : ledger.states) {
    sweep_state(state, ledger.limits, now, state.period);
    for (auto& [key, history] : state.histories) (void)trim_history(history, state.definition, ledger.limits, now);
  }
  ledger.sessions.end_before(subtract_times(now, ledger.limits.retention_ns));
}

}  // namespace ordain::state
