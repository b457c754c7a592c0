// A Store is the state that calls read and change, exactly, however many run at once: each call reads
// the state, decides, and reserves what it takes in one turn, and settles after it ran. A store is
// local to this process, or shared by all that open one database directory.
//
// Threads: all functions may be called by any thread. Turns exclude each other, in a shared store
// those of other processes too. Every error means that nothing was changed; a call that gets one
// must be denied, and an output whose labels were not raised must be withheld.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/history.h"
#include "ordain/identity.h"
#include "ordain/result.h"
#include "runtime/state/ledger.h"
#include "runtime/state/period.h"

namespace ordain::state {

struct StoreOptions {
  Limits limits = {};
  std::function<ClockReading()> clock = read_clock;
  ZoneOffset zone_offset = {};  ///< without one, budgets by local time are errors
  /// Called in a turn with the bytes of each op that this process made and that is in force, for
  /// example to record them. It must not call the store.
  std::function<void(std::string_view op)> observe = {};

  // Of a shared store:
  bool full_sync = true;                      ///< whether changes survive a power cut. They survive a crash either way.
  uint64_t compact_after = 16'384;            ///< ops after which a snapshot takes their place
  std::chrono::milliseconds busy_wait{5000};  ///< how long a turn waits for other processes
};

/// What a call takes from one state when it begins.
struct Use {
  uint32_t state = 0;
  std::string key;
  Amount amount = 0;
  bool counts = true;  ///< false for histories that count outcomes: the call only runs
};

/// A member of a state that rules read.
struct Question {
  uint32_t state = 0;
  std::string key;
  Own own;
};

enum class Verdict : uint8_t {
  proceed,  ///< the call begins: what it uses is counted and held
  deny,     ///< what denials count is counted
  leave,    ///< nothing is counted, as for a call that waits for approval
};

/// Asks whether a value carries one of some labels; see Sessions::carries.
struct CarryQuestion {
  LabelSet labels = 0;
  std::vector<uint64_t> words;
};
struct CarryAnswer {
  bool carries = false;
  bool full = false;  ///< it is true for want of memory
};

/// What a call asks of its session. A turn answers it before it decides.
struct SessionView {
  std::string session;
  std::vector<CarryQuestion> questions;
  LabelSet labels = 0;               ///< of the session
  std::vector<CarryAnswer> answers;  ///< to the questions, in their order
};

struct CallStart {
  Id128 call;
  bool leased = true;  ///< false for irreversible calls: their holds outlive a crash until `finish`
  std::vector<Use> uses;
  std::vector<Question> questions;
  std::vector<Stamp> denied;       ///< what a denial counts
  SessionView* session = nullptr;  ///< what the call asks of its session, if anything
};

/// Answers the questions of a CallStart, in their order. It runs in the turn, so it must be quick and
/// must not call the store.
using Decide = std::function<Verdict(std::span<const Reading> readings, const Moment& now)>;

struct Started {
  Verdict verdict = Verdict::leave;
  uint64_t sequence = 0;  ///< of the call's op; 0 if nothing was counted
  Moment at;
  std::vector<Reading> readings;
};

/// What a call counted or took before the store kept its state.
struct PastCall {
  std::string key;
  int64_t wall_ns = 0;
  Amount amount = 0;  ///< history: summed; budget: spent
};

/// The past of a state that the store may lack.
struct StatePast {
  const StateDecl* declared = nullptr;
  int64_t since_ns = 0;         ///< the wall time from which on it is complete; 0: as far back as it matters
  std::vector<PastCall> calls;  ///< in any order
};

/// How a call ended.
enum class Ending : uint8_t {
  executed,      ///< whether its output was released or withheld
  failed,        ///< it may have had an effect
  not_executed,  ///< the host knows that it had none
};

/// @returns what becomes of a hold: what the outcome says was spent, all of it if that is not known and
/// the call ran or may have had an irreversible effect, and nothing otherwise
Settlement settle(uint32_t effect, Ending ending, bool irreversible, std::optional<Amount> actual);

class Store {
 public:
  /// Makes a store of this process. @param snapshot of a store to go on with, or ""
  /// @returns error "bad_state" if the snapshot is not one
  static Result<std::unique_ptr<Store>> make_local(StoreOptions options, std::string_view snapshot = {});
  /// Opens the store that a directory's processes share. @returns a "database_..." error or "bad_state"
  static Result<std::unique_ptr<Store>> open(const std::string& directory, StoreOptions options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Adds what a Program declares, unless it is there. @returns the number of each
  Result<std::vector<uint32_t>> define(std::span<const StateDecl> states);

  /// Adds states with their past. One that the store has stays as it is. @returns for each whether it was added; error
  /// "state_full": there is no room for all keys
  Result<std::vector<bool>> fill(std::span<const StatePast> states);

  /// Error "state_full": there is no room for a new key, or a history is incomplete because there
  /// was none. "unknown_zone": a budget's time zone is not known.
  Result<Started> begin(const CallStart& start, const Decide& decide);
  /// Ends a call. Stamps whose keys find no room are lost; from then on, and until their window has passed, reads of
  /// keys that are not held fail. @returns the sequence of the op; error "unknown_call" if the
  /// call is not open, because it ended, its lease did, or it used nothing
  Result<uint64_t> finish(const Id128& call, std::vector<Settlement> settlements, std::vector<Stamp> stamps);
  /// Counts outcomes of calls that are not open.
  Result<uint64_t> note(std::vector<Stamp> stamps);
  /// Only reads; see `begin` for its errors.
  Result<std::vector<Reading>> read(std::span<const Question> questions);
  /// Says that this process lives. Call it more often than the lease lasts, while calls are open.
  Result<void> renew();
  /// Forgets the share of one key. Calls that are open go on to run and hold.
  Result<void> reset(uint32_t state, const std::string& key);

  /// Begins a session with the labels of its parent. Sessions without a parent need not be begun.
  /// @returns error "state_full"
  Result<void> start_session(const std::string& session, const std::string& parent);
  /// Raises labels in a session and its ancestors. @param words hashes that are the same in all
  /// processes. @returns error "state_full": then withhold the output
  Result<void> raise(const std::string& session, LabelSet labels, std::vector<uint64_t> words);
  Result<void> clear(const std::string& session, LabelSet labels);
  /// Forgets a session that will not go on: its labels, and histories by session without a window.
  Result<void> end_session(const std::string& session);
  Result<LabelSet> labels(const std::string& session);
  /// See Sessions::carries. `*full`, if given, says whether it is true for want of memory.
  Result<bool> carries(const std::string& session, LabelSet labels, std::span<const uint64_t> words,
                       bool* full = nullptr);

  /// @returns a snapshot of the store as it is
  Result<std::string> save();
  /// Applies ops that followed the snapshot of a local store. @returns error "bad_state"
  Result<void> replay(std::span<const std::string> ops);

 private:
  struct Impl;
  class Turn;
  explicit Store(std::unique_ptr<Impl> impl);
  template <typename Fill>
  Result<uint64_t> make_op(OpKind kind, Fill fill);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordain::state
