// snapshot.cc writes ledgers, keys in ascending order, and reads them back. What follows from the
// open calls (runs, holds, how many calls a process has) is not written but counted again.
#include "runtime/state/snapshot.h"

#include <algorithm>
#include <vector>

#include "ordain/digest.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/identity/text.h"
#include "runtime/state/key.h"

namespace ordain::state {
namespace {

using detail::append_sized;
using detail::append_u32;
using detail::append_u64;
using detail::take_sized;
using detail::take_u32;
using detail::take_u64;

constexpr std::string_view kMagic = "OrdainSt";
constexpr size_t kSmallestEntry = 12;  ///< bytes that any entry of a list takes, at the least

void append_time(std::string& out, int64_t time) { append_u64(out, static_cast<uint64_t>(time)); }

bool take_time(std::string_view& in, int64_t* out) {
  uint64_t raw = 0;
  if (!take_u64(in, &raw)) return false;
  *out = static_cast<int64_t>(raw);
  return true;
}

bool take_bit(std::string_view& in, bool* out) {
  if (in.empty() || static_cast<unsigned char>(in.front()) > 1) return false;
  *out = in.front() != 0;
  in.remove_prefix(1);
  return true;
}

bool take_count(std::string_view& in, size_t smallest, uint32_t* out) {
  return take_u32(in, out) && *out <= in.size() / smallest;
}

bool take_id_bytes(std::string_view& in, std::array<uint8_t, 16>* out) {
  std::string_view bytes;
  if (!detail::take_bytes(in, out->size(), &bytes)) return false;
  bytes.copy(reinterpret_cast<char*>(out->data()), out->size());
  return true;
}

bool take_label_set(std::string_view& in, LabelSet* out) {
  uint32_t raw = 0;
  if (!take_u32(in, &raw) || raw > UINT16_MAX) return false;
  *out = static_cast<LabelSet>(raw);
  return true;
}

/// @returns the shares that are worth writing, by ascending keys
template <typename Share, typename Keep>
std::vector<std::pair<std::string_view, const Share*>> sorted_shares(const Shares<Share>& shares, Keep keep) {
  std::vector<std::pair<std::string_view, const Share*>> out;
  for (const auto& [key, share] : shares) {
    if (keep(share)) out.emplace_back(key, &share);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

// ---------------------------------------------------------------------------------------- writing

void append_stamps_of(std::string& out, const Stamps& stamps, bool sums) {
  append_u64(out, stamps.dropped());
  append_time(out, stamps.dropped() != 0 ? stamps.last_dropped() : 0);
  append_u32(out, static_cast<uint32_t>(stamps.size()));
  for (size_t i = 0; i < stamps.size(); ++i) {
    append_time(out, stamps.time(i));
    if (sums) append_amount(out, stamps.amount(i));
  }
}

void append_history(std::string& out, const History& history, bool sums) {
  append_time(out, history.first);
  append_time(out, history.last);
  append_u64(out, history.last_sequence);
  append_u64(out, history.count);
  append_amount(out, history.sum);
  out.push_back(history.stamps ? '\1' : '\0');
  if (history.stamps) append_stamps_of(out, *history.stamps, sums);
}

template <typename Share, typename Keep, typename Append>
void append_shares(std::string& out, const Shares<Share>& shares, Keep keep, Append append) {
  const auto sorted = sorted_shares(shares, keep);
  append_u32(out, static_cast<uint32_t>(sorted.size()));
  for (const auto& [key, share] : sorted) {
    append_sized(out, key);
    append(*share);
  }
}

void append_state(std::string& out, const State& state) {
  append_definition(out, state.definition);
  append_time(out, state.known_since);
  out.push_back(state.lost ? '\1' : '\0');
  append_time(out, state.lost_until);
  append_time(out, state.period);
  const auto counted = [](const History& history) { return history.last_sequence != 0; };
  const auto any = [](const auto&) { return true; };
  switch (state.definition.kind) {
    case StateKind::history:
      append_shares(out, state.histories, counted,
                    [&](const History& history) { append_history(out, history, state.definition.sums); });
      break;
    case StateKind::rate:
      append_shares(out, state.rates, any, [&](int64_t paid) { append_time(out, paid); });
      break;
    case StateKind::budget:
      append_shares(out, state.budgets, any, [&](const Budget& budget) {
        append_amount(out, budget.used);
        append_time(out, budget.period);
      });
      break;
  }
}

void append_holds(std::string& out, const std::vector<Hold>& holds) {
  append_u32(out, static_cast<uint32_t>(holds.size()));
  for (const Hold& hold : holds) {
    append_u32(out, hold.state);
    append_sized(out, hold.key);
    append_amount(out, hold.amount);
    append_time(out, hold.period);
  }
}

void append_calls(std::string& out, const Ledger& ledger) {
  append_u32(out, static_cast<uint32_t>(ledger.calls.size()));
  for (const auto& [id, call] : ledger.calls) {
    out.append(reinterpret_cast<const char*>(id.data()), id.size());
    append_u64(out, call.owner);
    out.push_back(call.leased ? '\1' : '\0');
    append_holds(out, call.runs);
    append_holds(out, call.holds);
  }
  append_u32(out, static_cast<uint32_t>(ledger.owners.size()));
  for (const auto& [id, owner] : ledger.owners) {
    append_u64(out, id);
    append_time(out, owner.renewed);
  }
}

void append_sessions(std::string& out, const Sessions& sessions) {
  append_u32(out, static_cast<uint32_t>(sessions.size()));
  for (const auto& [id, session] : sessions.all()) {
    append_sized(out, id);
    append_sized(out, session.parent);
    append_u32(out, session.labels);
    append_u32(out, session.full);
    append_time(out, session.last);
    append_u32(out, static_cast<uint32_t>(session.words.size()));
    for (const auto& [word, labels] : session.words) {
      append_u64(out, word);
      append_u32(out, labels);
    }
  }
}

// ---------------------------------------------------------------------------------------- reading

bool take_stamps_of(std::string_view& in, const Definition& definition, const History& history, Stamps* out) {
  uint64_t dropped = 0;
  int64_t last_dropped = 0, before = 0;
  uint32_t count = 0;
  const size_t smallest = definition.sums ? 24 : 8;
  if (!take_u64(in, &dropped) || !take_time(in, &last_dropped) || !take_count(in, smallest, &count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    int64_t time = 0;
    Amount amount = 0;
    if (!take_time(in, &time) || (definition.sums && !take_amount(in, &amount))) return false;
    const bool ordered = (i == 0 || time >= before) && time <= history.last;
    const bool possible = amount <= kLargestAmount && amount >= (definition.negative ? -kLargestAmount : 0);
    if (!ordered || !possible) return false;
    out->push(time, amount, SIZE_MAX);
    before = time;
  }
  if (dropped > INT64_MAX || (dropped != 0 && (count == 0 || last_dropped > out->time(0)))) return false;
  if (dropped == 0 && last_dropped != 0) return false;
  out->set_dropped(dropped, last_dropped);
  return true;
}

bool take_history(std::string_view& in, const Ledger& ledger, const Definition& definition, History* out) {
  bool stamped = false;
  const bool read = take_time(in, &out->first) && take_time(in, &out->last) && take_u64(in, &out->last_sequence) &&
                    take_u64(in, &out->count) && take_amount(in, &out->sum) && take_bit(in, &stamped);
  if (!read || out->first > out->last || out->last > ledger.timeline.last.time) return false;
  if (out->last_sequence == 0 || out->last_sequence > ledger.sequence || out->count > INT64_MAX) return false;
  if (!stamped) return true;
  if (!definition.keeps_stamps) return false;
  out->stamps = std::make_unique<Stamps>(definition.sums);
  return take_stamps_of(in, definition, *out, out->stamps.get());
}

/// Reads keys in ascending order, each with a share.
template <typename Share, typename Take>
bool take_shares(std::string_view& in, const Definition& definition, Shares<Share>* out, Take take) {
  uint32_t count = 0;
  if (!take_count(in, kSmallestEntry, &count)) return false;
  std::string_view before;
  for (uint32_t i = 0; i < count; ++i) {
    std::string_view key;
    if (!take_sized(in, &key) || (i > 0 && key <= before)) return false;
    const auto parts = split_key(key);
    if (!parts || parts->size() != definition.keys.size()) return false;
    if (!take(out->try_emplace(std::string(key)).first->second)) return false;
    before = key;
  }
  return true;
}

bool take_state(std::string_view& in, Ledger& ledger) {
  State state;
  const bool read = take_definition(in, &state.definition) && take_time(in, &state.known_since) &&
                    take_bit(in, &state.lost) && take_time(in, &state.lost_until) && take_time(in, &state.period);
  if (!read || find_state(ledger, state.definition.name, state.definition.digest)) return false;
  bool whole = false;
  switch (state.definition.kind) {
    case StateKind::history:
      whole = take_shares(in, state.definition, &state.histories,
                          [&](History& history) { return take_history(in, ledger, state.definition, &history); });
      break;
    case StateKind::rate:
      whole = take_shares(in, state.definition, &state.rates, [&](int64_t& paid) { return take_time(in, &paid); });
      break;
    case StateKind::budget:
      whole = take_shares(in, state.definition, &state.budgets, [&](Budget& budget) {
        return take_amount(in, &budget.used) && take_time(in, &budget.period) && budget.period >= 0 &&
               budget.period <= state.period;
      });
      break;
  }
  ledger.states.push_back(std::move(state));
  return whole;
}

bool take_holds(std::string_view& in, const Ledger& ledger, StateKind kind, std::vector<Hold>* out) {
  uint32_t count = 0;
  if (!take_count(in, kSmallestEntry, &count)) return false;
  out->resize(count);
  for (Hold& hold : *out) {
    std::string_view key;
    const bool read = take_u32(in, &hold.state) && take_sized(in, &key) && take_amount(in, &hold.amount) &&
                      take_time(in, &hold.period);
    if (!read || hold.state >= ledger.states.size() || hold.amount < 0 || hold.amount > kLargestAmount) return false;
    const Definition& definition = ledger.states[hold.state].definition;
    const auto parts = split_key(key);
    if (definition.kind != kind || !parts || parts->size() != definition.keys.size()) return false;
    hold.key = key;
  }
  return true;
}

/// Counts a call's runs and holds in the states that it names.
bool join_call(Ledger& ledger, const OpenCall& call) {
  for (const Hold& run : call.runs) {
    if (run.amount != 0 || run.period != 0) return false;
    ++ledger.states[run.state].histories[run.key].running;
  }
  for (const Hold& hold : call.holds) {
    auto& budgets = ledger.states[hold.state].budgets;
    auto found = budgets.find(hold.key);
    if (found == budgets.end() || hold.period > found->second.period) return false;
    ++found->second.open;
  }
  Owner& owner = ledger.owners[call.owner];
  ++owner.calls;
  if (call.leased) ++owner.leased;
  return !call.runs.empty() || !call.holds.empty();
}

bool take_owners(std::string_view& in, Ledger& ledger) {
  uint32_t count = 0;
  if (!take_count(in, kSmallestEntry, &count) || count != ledger.owners.size()) return false;
  for (auto& [id, owner] : ledger.owners) {
    uint64_t written = 0;
    if (!take_u64(in, &written) || written != id || !take_time(in, &owner.renewed)) return false;
    if (owner.renewed > ledger.timeline.last.time) return false;
  }
  return true;
}

bool take_calls(std::string_view& in, Ledger& ledger) {
  uint32_t count = 0;
  if (!take_count(in, kSmallestEntry, &count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    std::array<uint8_t, 16> id{};
    OpenCall call;
    const bool read = take_id_bytes(in, &id) && take_u64(in, &call.owner) && take_bit(in, &call.leased) &&
                      take_holds(in, ledger, StateKind::history, &call.runs) &&
                      take_holds(in, ledger, StateKind::budget, &call.holds);
    if (!read || (!ledger.calls.empty() && id <= ledger.calls.rbegin()->first)) return false;
    if (!join_call(ledger, call)) return false;
    ledger.calls.emplace(id, std::move(call));
  }
  return take_owners(in, ledger);
}

bool take_session_name(std::string_view& in, std::string* out) {
  std::string_view text;
  if (!take_sized(in, &text) || text.size() > detail::kMaxIdentityText || !detail::text_problem(text).empty())
    return false;
  *out = text;
  return true;
}

bool take_words_of(std::string_view& in, Session* out) {
  uint32_t count = 0;
  if (!take_count(in, kSmallestEntry, &count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint64_t word = 0;
    LabelSet labels = 0;
    if (!take_u64(in, &word) || !take_label_set(in, &labels) || labels == 0) return false;
    if (!out->words.empty() && word <= out->words.rbegin()->first) return false;
    out->words.emplace_hint(out->words.end(), word, labels);
  }
  return true;
}

bool take_sessions(std::string_view& in, Ledger& ledger) {
  uint32_t count = 0;
  if (!take_count(in, kSmallestEntry, &count)) return false;
  std::string before;
  for (uint32_t i = 0; i < count; ++i) {
    std::string id;
    Session session;
    const bool read = take_session_name(in, &id) && take_session_name(in, &session.parent) &&
                      take_label_set(in, &session.labels) && take_label_set(in, &session.full) &&
                      take_time(in, &session.last) && take_words_of(in, &session);
    if (!read || id <= before || session.last > ledger.timeline.last.time) return false;
    ledger.sessions.restore(id, std::move(session));
    before = std::move(id);
  }
  return true;
}

bool take_ledger(std::string_view& in, Ledger& ledger) {
  Timeline& timeline = ledger.timeline;
  uint32_t states = 0;
  const bool head = take_id_bytes(in, &timeline.boot) && take_time(in, &timeline.offset) &&
                    take_time(in, &timeline.last.time) && take_time(in, &timeline.last.wall) &&
                    take_u64(in, &ledger.sequence) && take_count(in, kSmallestEntry, &states);
  if (!head || ledger.sequence == 0 || ledger.sequence > INT64_MAX) return false;
  timeline.started = true;
  for (uint32_t i = 0; i < states; ++i) {
    if (!take_state(in, ledger)) return false;
  }
  return take_calls(in, ledger) && take_sessions(in, ledger) && in.empty();
}

Error bad_snapshot(const std::string& why) { return Error{"bad_state", "a snapshot of the state " + why}; }

}  // namespace

std::string save_ledger(Ledger& ledger) {
  trim_ledger(ledger);
  std::string out(kMagic);
  append_u32(out, kSnapshotVersion);
  out.append(reinterpret_cast<const char*>(ledger.timeline.boot.data()), ledger.timeline.boot.size());
  append_time(out, ledger.timeline.offset);
  append_time(out, ledger.timeline.last.time);
  append_time(out, ledger.timeline.last.wall);
  append_u64(out, ledger.sequence);
  append_u32(out, static_cast<uint32_t>(ledger.states.size()));
  for (const State& state : ledger.states) append_state(out, state);
  append_calls(out, ledger);
  append_sessions(out, ledger.sessions);
  const Digest digest = sha256(out);
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return out;
}

Result<Ledger> load_ledger(std::string_view bytes, const Limits& limits) {
  constexpr size_t kHead = kMagic.size() + sizeof(kSnapshotVersion);
  if (bytes.size() < kHead + sizeof(Digest) || !bytes.starts_with(kMagic)) return bad_snapshot("is something else");
  std::string_view body = bytes.substr(0, bytes.size() - sizeof(Digest));
  std::string_view in = body.substr(kMagic.size());
  uint32_t version = 0;
  (void)take_u32(in, &version);
  if (version != kSnapshotVersion) {
    return bad_snapshot("has version " + std::to_string(version) + ", this build reads " +
                        std::to_string(kSnapshotVersion));
  }
  const Digest digest = sha256(body);
  const std::string_view written = bytes.substr(body.size());
  if (written != std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()))
    return bad_snapshot("does not have the digest that it ends with");
  Ledger out;
  out.limits = limits;
  if (!take_ledger(in, out)) return bad_snapshot("is damaged");
  return out;
}

}  // namespace ordain::state
