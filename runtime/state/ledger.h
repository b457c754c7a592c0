// A Ledger is the state of all histories, rates, budgets and sessions at one point in the sequence of
// ops. It is plain data; these functions read and change it. The ledger has no lock and no file:
// store.h adds both.
//
// What it guarantees: counts, sums and budgets are exact. Memory is bounded by the limits. A key that
// still matters is never forgotten to make room; a new one is refused instead.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ordain/result.h"
#include "runtime/state/clock.h"
#include "runtime/state/definition.h"
#include "runtime/state/op.h"
#include "runtime/state/sessions.h"
#include "runtime/state/stamps.h"

namespace ordain::state {

struct Limits {
  size_t keys = 100'000;                                           ///< in one state
  size_t stamps = 65'536;                                          ///< of one key, within its window
  size_t calls = 100'000;                                          ///< that are open
  size_t sessions = 100'000;                                       ///< with labels
  size_t words = 4096;                                             ///< of labelled outputs, in one session
  int64_t retention_ns = int64_t{30} * 24 * 3600 * 1'000'000'000;  ///< what has no window is forgotten after it
  int64_t lease_ns = int64_t{15} * 60 * 1'000'000'000;             ///< of a process that does not renew
};

/// One key's share of a history. Without a window, `first`, `count` and `sum` are of all calls.
struct History {
  int64_t first = 0, last = 0;
  uint64_t last_sequence = 0;  ///< 0: nothing was counted
  uint64_t count = 0;
  Amount sum = 0;
  uint64_t running = 0;
  std::unique_ptr<Stamps> stamps;
};

/// One key's share of a budget.
struct Budget {
  Amount used = 0;     ///< of `period`, open holds included
  int64_t period = 0;  ///< in which it was used
  uint64_t open = 0;   ///< calls that hold some of it
};

struct KeyHash {
  using is_transparent = void;
  size_t operator()(std::string_view key) const;
};
template <typename Share>
using Shares = std::unordered_map<std::string, Share, KeyHash, std::equal_to<>>;

struct State {
  Definition definition;
  int64_t known_since = 0;  ///< the ledger's time from which on it is complete
  int64_t lost_until = 0;   ///< until then it lacks calls of keys that it does not hold
  bool lost = false;
  int64_t period = 0;                 ///< budget: the present one. It never goes back, even if the wall clock does
  std::optional<int64_t> swept = {};  ///< when idle keys were last removed; not part of a snapshot
  Shares<History> histories;
  Shares<int64_t> rates;  ///< the time at which all of a key's calls are paid for
  Shares<Budget> budgets;

  size_t keys() const { return histories.size() + rates.size() + budgets.size(); }
};

/// A part of an open call: a run of a history, or a hold on a budget.
struct Hold {
  uint32_t state = 0;
  std::string key;
  Amount amount = 0;
  int64_t period = 0;
};

struct OpenCall {
  uint64_t owner = 0;
  bool leased = false;
  std::vector<Hold> runs;   ///< of histories
  std::vector<Hold> holds;  ///< on budgets
};

/// A process that runs calls.
struct Owner {
  int64_t renewed = 0;
  uint64_t calls = 0, leased = 0;  ///< its open calls
};

struct Ledger {
  Limits limits;
  Timeline timeline;
  uint64_t sequence = 0;  ///< of the last op
  std::vector<State> states;
  std::map<std::array<uint8_t, 16>, OpenCall> calls;
  std::map<uint64_t, Owner> owners;
  Sessions sessions;
};

/// What the call that reads adds by itself.
struct Own {
  bool counts = false;  ///< history: to `count` and `sum`
  bool runs = false;    ///< history: to `running`
  Amount amount = 0;    ///< history: to `sum`, if it counts; budget: to `used`
};

/// The members of one state for one key. Times are the ledger's; wall_time converts them.
struct Reading {
  bool full = false;  ///< the state cannot tell, because calls found no room: a denial with code `state_full`
  bool seen = false;
  uint64_t count = 0;  ///< not above the largest that rules tell apart, plus one
  uint64_t running = 0;
  Amount sum = 0;
  int64_t first = 0, last = 0;  ///< if seen
  uint64_t last_sequence = 0;   ///< if seen
  bool ok = true;               ///< rate
  int64_t wait_ns = 0;          ///< rate
  Amount used = 0;              ///< budget; `left` is its limit less this
  int64_t known_since = 0;
};

/// @returns the member `after`: x was seen, and later than the last of the other, or the other never
inline bool is_after(const Reading& x, const Reading& other) {
  return x.seen && (!other.seen || x.last_sequence > other.last_sequence);
}

/// @returns the wall time of one of the ledger's times, measured back from now
inline int64_t wall_time(int64_t time, const Moment& now) {
  return subtract_times(now.wall, subtract_times(now.time, time));
}

/// @returns the number of a state, if the ledger has one of that name and digest
std::optional<uint32_t> find_state(const Ledger& ledger, std::string_view name, const Digest& digest);

/// Reads a key's share of a state, which exists. @param period of a budget: the present one. Takes
/// constant time, amortised: what has left the window is removed.
Reading read_state(Ledger& ledger, uint32_t state, std::string_view key, const Own& own, const Moment& now,
                   int64_t period);

/// @returns true if a share no longer matters: no call runs, and the last was too long ago
bool is_idle(const History& history, const Definition& definition, const Limits& limits, int64_t now);

/// @returns true if the key is held or there is room for it. Removes idle keys if there is not. @param
/// period of a budget: the present one
bool has_key_room(Ledger& ledger, uint32_t state, std::string_view key, const Moment& now, int64_t period);
/// @returns true if a call may count in this key: there is room for the key and for a stamp. A stamp
/// that is added without room makes the key unreadable until its window has passed.
bool has_room(Ledger& ledger, uint32_t state, std::string_view key, const Moment& now, int64_t period);
/// @returns true if `more` sessions may be added. Removes those that are past retention if needed.
bool has_session_room(Ledger& ledger, size_t more, const Moment& now);

/// @returns the open calls whose holds end, because their process has not renewed its lease
std::vector<Id128> expired_calls(const Ledger& ledger, int64_t now);

/// Checks that an op can follow: its sequence and time, and that what it names exists.
/// @returns error "bad_state"
Result<void> check_op(const Ledger& ledger, const Op& op);
/// Checks and applies an op. It never fails for want of room, because whoever made the op looked.
Result<void> apply_op(Ledger& ledger, const Op& op);

/// Removes everything that can no longer be read: stamps out of their window, and idle keys.
void trim_ledger(Ledger& ledger);

}  // namespace ordain::state
