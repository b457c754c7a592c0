// Metering joins what a Program declares about history to a Store. For each call it works out the
// keys, reads the state, fills the slots that rules read, and writes what the call adds: when it
// begins, and when its outcome is known.
//
// How a call goes, with `facts` bound for its stage:
//
//     MeteredCall call(meter, store, id);
//     auto verdict = call.start(before_facts, [&] { return decide ...; });   // in one turn of the store
//     ... the call runs, if the verdict was Verdict::proceed ...
//     call.read_after(after_facts);                                          // then the after rules decide
//     call.release(after_facts, {released_output, approved_by});             // or
//     call.end(Ending::..., after_facts or nullptr);
//
// A call that must not change anything (`evaluate`, `explain`, a plan) uses `preview` instead.
// Every error is a reason to deny the call before it runs, and to withhold its output afterwards.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/call.h"
#include "ordain/evaluate.h"
#include "ordain/history.h"
#include "runtime/state/store.h"

namespace ordain::state {

/// @returns true if calls of the capability read or change state. If no capability of a program does,
/// the program needs no store.
bool is_metered(const Program& program, const CapabilityRef& capability);

/// What a program remembers, by the numbers that a store gave it. Read-only once it is made, so that
/// any number of threads may use it.
class Meter {
 public:
  /// Defines the states of the program in the store. @returns an error of Store::define
  static Result<Meter> make(std::shared_ptr<const Program> program, Store& store);

  const Program& program() const { return *program_; }
  const HistoryTables& tables() const { return history_tables(*program_); }
  uint32_t number_of(StateId state) const { return numbers_[state]; }
  /// The slot of the labels that the host supplies; kNone if no rule reads them.
  SlotId host_labels() const { return host_labels_; }
  /// The labels that a `carries` asks for: only their words are kept.
  LabelSet carried() const { return carried_; }

 private:
  Meter(std::shared_ptr<const Program> program, std::vector<uint32_t> numbers);
  std::shared_ptr<const Program> program_;
  std::vector<uint32_t> numbers_;  ///< by StateId
  SlotId host_labels_ = kNone;
  LabelSet carried_ = 0;
};

/// The facts of one stage of a call: all but the state, whose slots are filled here.
struct CallFacts {
  Call& call;
  const Context& context;
  Scratch& scratch;
  std::string_view session;  ///< whose labels the call has; "" if the host names no session
  EvaluateOptions options = {};
};

/// What a call read of one state, for records and for explaining.
struct StateNote {
  StateId state = 0;
  std::string key;
  Reading reading;
};

/// The output of a call that is about to be released.
struct Released {
  const Value* output = nullptr;               ///< as the caller will get it; nullptr: it is not known
  std::span<const std::string> approved_by{};  ///< the groups whose approval the call used
};

/// What became of the session's labels.
struct LabelChanges {
  LabelSet raised = 0, cleared = 0;
};

/// One call and what it has to do with state. Use it from one thread at a time. Meter and store must
/// outlive it.
class MeteredCall {
 public:
  MeteredCall(const Meter& meter, Store& store, const Id128& id);
  MeteredCall(const MeteredCall&) = delete;
  MeteredCall& operator=(const MeteredCall&) = delete;

  /// Reads what the rules of the before stage ask for, lets `decide` decide with it, and writes what
  /// follows from the verdict, all in one turn of the store. `decide` must be quick and must not call
  /// the store. After Verdict::leave it may be called again, when an approval has been given.
  /// @returns error "missing_context" (a part of a key is unknown), "evaluation_error" (a `when` or an
  /// amount faults, or an amount is negative, infinite or NaN), or one of Store::begin. Then nothing was counted.
  Result<Verdict> start(const CallFacts& before, const std::function<Verdict()>& decide);

  /// Finds the prerequisite that a denial waits for. To be called within `start`, after the rules denied: tries each
  /// history of done calls in which another call runs, as if that call were done now.
  /// @param denies lets the rules decide again
  /// @returns the name of the first history with which they do not deny; "" if there is none. The slots are as before.
  std::string find_unfinished(const CallFacts& before, const std::function<bool()>& denies);

  /// Counts a denial that came without `start`, or from its error. Never fails: what finds no room is lost.
  void deny(const CallFacts& before);

  /// Fills the slots for a stage, with this call added, and changes nothing.
  Result<void> preview(const CallFacts& facts);

  /// Fills the slots of the after stage.
  Result<void> read_after(const CallFacts& after);

  /// Ends a call whose output is about to be released: raises and clears labels, settles, and counts it
  /// as done. @returns an error if the output must be withheld; then call `end`
  Result<void> release(const CallFacts& after, const Released& released);

  /// Ends a call that started and whose output is not released, or that did not run. @param after the
  /// facts after the call, if it ran and they are known: budgets settle by them
  Result<void> end(Ending ending, const CallFacts* after);

  /// What the last decision read, in the order of the program's tables.
  std::span<const StateNote> notes() const { return notes_; }
  /// The sequence number of the last change that this call made; 0 if it made none.
  uint64_t sequence() const { return sequence_; }
  /// The time by which the last decision read the state.
  const Moment& moment() const { return now_; }
  LabelSet labels() const { return view_.labels; }                ///< of the session, when the last decision was made
  const LabelChanges& label_changes() const { return changes_; }  ///< by `release`
  /// Whether a `carries` is true only because the session could not remember all words.
  bool label_memory_full() const { return memory_full_; }

 private:
  struct Asked {  ///< one StateRead, and which questions answer it
    const StateRead* read = nullptr;
    size_t question = 0, other = 0;
    bool known = false;  ///< whether its key is
  };
  struct TextAsked {
    const TextRead* text = nullptr;
    bool known = false;          ///< whether the value looked for is
    bool said = false;           ///< the answer of `said`
    size_t first = 0, last = 0;  ///< of `carries`: questions of the session
  };
  struct HeldBudget {
    uint32_t hold = 0;
    const StateEffect* effect = nullptr;
  };
  struct Baseline {  ///< what a history that this call counts in was before it
    uint32_t state = 0;
    std::string key;
    int64_t window_ns = 0;
    Reading reading;
  };

  const CapabilityState* state_of(const Call& call) const;
  bool applies(uint32_t target_set, const Call& call) const;
  Result<void> plan(const CallFacts& before);
  Result<void> plan_effect(const CallFacts& before, const StateEffect& effect);
  void plan_denied(const CallFacts& before);
  std::vector<Stamp> done_stamps(const CallFacts& after, bool output_known) const;

  Result<void> ask(const CallFacts& facts);
  Result<void> ask_session(const CallFacts& facts, const CapabilityState* state);
  void ask_text(const CallFacts& facts, const TextRead& text);
  size_t add_question(StateId state, const std::string& key);
  void add_baselines(const CallFacts& before);
  Own own_of(uint32_t state, std::string_view key) const;
  bool asks_nothing() const;
  Result<void> look(const CallFacts& facts);
  void leave_out_own(const Question& question, Reading& reading) const;
  void fill(const CallFacts& facts, std::span<const Reading> readings, const Moment& now);
  void fill_members(const CallFacts& facts);
  void fill_session(const CallFacts& facts);
  Value member_of(const StateRead& read, const Reading& reading, const Reading& other) const;

  LabelChanges changes_of(const CallFacts& after, const Released& released) const;
  Result<void> change_labels(const CallFacts& after, const Released& released);
  std::vector<Settlement> settle_all(Ending ending, const CallFacts* after) const;
  Result<void> finish(Ending ending, const CallFacts* after, const std::vector<Stamp>& stamps);

  const Meter& meter_;
  Store& store_;
  const HistoryTables& tables_;
  CallStart start_;             ///< what the call uses and asks, and what a denial counts
  std::vector<Stamp> failed_;   ///< what a failure counts
  std::vector<Stamp> pending_;  ///< what a release would count, while the after stage is read
  std::vector<HeldBudget> held_;
  std::vector<Asked> asked_;
  std::vector<TextAsked> texts_;
  std::vector<Baseline> baselines_;
  SessionView view_;
  std::vector<StateNote> notes_;  ///< by question
  LabelChanges changes_;
  Moment now_;
  uint64_t sequence_ = 0;
  uint64_t begun_ = 0;       ///< the sequence of the op that began the call
  bool open_ = false;        ///< the store holds the call until it is finished
  bool stays_open_ = false;  ///< whether it will, once it has begun
  bool irreversible_ = false;
  bool memory_full_ = false;
};

}  // namespace ordain::state
