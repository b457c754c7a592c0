// Ops are the changes of a ledger, in the order in which they were made. A ledger that applies the
// same ops is the same ledger, in any process: the durable store keeps them in a file, and the audit
// log can carry them. docs/state.md has their grammar.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/identity.h"
#include "runtime/state/amount.h"
#include "runtime/state/clock.h"
#include "runtime/state/definition.h"
#include "runtime/state/sessions.h"

namespace ordain::state {

/// The numbers are part of the format.
enum class OpKind : uint8_t {
  define = 1,  ///< adds a state, or joins another definition of its identity
  boot = 2,    ///< the timeline goes on in another boot
  begin = 3,   ///< a call begins: what it counts, runs and holds
  finish = 4,  ///< a call ends: what becomes of its holds, and what its outcome counts
  note = 5,    ///< counts what no open call accounts for, as for a denied call
  renew = 6,   ///< the process that runs calls is alive
  start = 7,   ///< a session begins below its parent
  raise = 8,   ///< labels of a session are raised
  clear = 9,   ///< labels of a session are cleared
  end = 10,    ///< a session ends
  reset = 11,  ///< the share of one key is forgotten
  fill = 12,   ///< a state that counts nothing yet gets what it would have counted before
};

/// What a call that begins does to one state.
struct Effect {
  uint32_t state = 0;
  std::string key;
  Amount amount = 0;   ///< history: summed; budget: taken
  int64_t period = 0;  ///< budget: the number of the present period
  bool counts = true;  ///< false for histories that count outcomes: the call only runs
  bool operator==(const Effect&) const = default;
};

/// What becomes of the amount that an effect of an open call holds.
struct Settlement {
  /// The numbers are part of the format.
  enum How : uint8_t { keep = 0, release = 1, actual = 2 };
  uint32_t effect = 0;  ///< which of the call's effects on budgets, in the order of Op::effects
  How how = keep;
  Amount amount = 0;  ///< actual: what is charged instead
  bool operator==(const Settlement&) const = default;
};

/// What an outcome or a denial counts in one history.
struct Stamp {
  uint32_t state = 0;
  std::string key;
  Amount amount = 0;
  bool lost = false;  ///< found no room: the history is no longer complete for keys that it does not hold
  bool operator==(const Stamp&) const = default;
};

/// What a call counted or took before its state was declared.
struct Past {
  std::string key;
  int64_t time = 0;   ///< the ledger's
  Amount amount = 0;  ///< history: summed; budget: spent
  bool operator==(const Past&) const = default;
};

/// Which fields matter depends on the kind.
struct Op {
  OpKind kind = OpKind::note;
  uint64_t sequence = 0;  ///< of the op, from 1
  Moment at;
  Definition definition;                ///< define
  BootId boot{};                        ///< boot
  int64_t offset = 0;                   ///< boot
  Id128 call;                           ///< begin, finish
  uint64_t owner = 0;                   ///< begin, renew: the process
  bool leased = false;                  ///< begin: its holds end if the process is gone
  std::vector<Effect> effects;          ///< begin
  std::vector<Settlement> settlements;  ///< finish
  std::vector<Stamp> stamps;            ///< finish, note
  std::string session, parent;          ///< start, raise, clear, end
  LabelSet labels = 0;                  ///< raise, clear
  std::vector<uint64_t> words;          ///< raise
  uint32_t state = 0;                   ///< reset, fill
  std::string key;                      ///< reset
  int64_t since = 0;                    ///< fill: the time from which on the past is complete
  int64_t period = 0;                   ///< fill, of a budget: the period of all that was spent
  std::vector<Past> past;               ///< fill: in the order of time
};

std::string encode_op(const Op& op);
/// @returns false if `bytes` are not exactly one op. Accepts any bytes safely.
bool decode_op(std::string_view bytes, Op* out);

}  // namespace ordain::state
