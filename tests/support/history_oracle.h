// The oracle of history keeps everything that ever happened, and answers each question by going through all of it, as
// docs/history.md says. It shares no code with the runtime's state, so that each can judge the other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ordain::test {

__extension__ typedef __int128 OracleAmount;

/// What a policy declares. Times are nanoseconds.
struct OracleState {
  enum Kind { history, rate, budget };
  enum Verb { begun, done, failed, denied };
  Kind kind = history;
  Verb verb = begun;
  int64_t window = 0;    ///< history: 0 is without end; rate: the period
  int64_t limit = 0;     ///< rate: calls in a period
  int64_t burst = 0;     ///< rate: calls at once
  bool at_once = false;  ///< budget: a hold ends with its call
  int64_t refilled = 0;  ///< budget: how often, counted from 1970; 0 is never
};

/// What one call has to do with one state.
struct OracleShare {
  size_t state = 0;
  std::string key;
  OracleAmount amount = 0;
  std::optional<OracleAmount> actual = {};  ///< budget: what the outcome says was spent
};

enum class OracleOutcome { running, released, withheld, failed, not_executed, denied };

struct OracleCall {
  OracleOutcome outcome = OracleOutcome::running;
  bool irreversible = false;
  int64_t begun_at = 0, ended_at = 0;
  uint64_t begun_place = 0, ended_place = 0;  ///< in the order of everything that happened
  std::vector<OracleShare> before;            ///< of its facts before it ran
  std::vector<OracleShare> after;             ///< of its facts afterwards: what `done` counts
  std::vector<int64_t> periods;               ///< by `before`: of budgets, the number of the period it began in
};

/// What rules can read of one state for one key.
struct OracleReading {
  bool seen = false;
  uint64_t count = 0, running = 0;
  OracleAmount sum = 0, used = 0;
  std::optional<int64_t> first, last;
  uint64_t last_place = 0;
  bool ok = true;
  int64_t wait = 0;
};

class HistoryOracle {
 public:
  explicit HistoryOracle(std::vector<OracleState> states) : states_(std::move(states)) {}

  /// Time passes, and the wall clock may be set. The wall clock decides nothing but refills.
  void pass(int64_t ns) { now_ += ns, wall_ += ns; }
  void set_wall(int64_t wall) { wall_ = wall; }
  int64_t now() const { return now_; }

  /// A call was allowed and begins. @returns its number
  size_t begin(std::vector<OracleShare> shares, bool irreversible);
  /// A call was denied: of its shares, those of `denied` histories count.
  void deny(std::vector<OracleShare> shares);
  /// A call ends. @param after what `done` counts. @param actual by share of `begin`: what a budget is charged
  void end(size_t call, OracleOutcome outcome, std::vector<OracleShare> after,
           const std::map<size_t, OracleAmount>& actual);

  /// @param own what the call that reads adds to this state, if anything
  OracleReading read(size_t state, const std::string& key, const std::optional<OracleShare>& own) const;
  /// The member `after`.
  bool is_after(size_t state, size_t other, const std::string& key) const;

 private:
  struct Counted {
    int64_t at = 0;
    uint64_t place = 0;
    OracleAmount amount = 0;
  };
  std::vector<Counted> counted(size_t state, const std::string& key) const;
  int64_t period(size_t state) const;
  OracleAmount used(size_t state, const std::string& key) const;
  int64_t wait(size_t state, const std::string& key) const;

  std::vector<OracleState> states_;
  std::vector<OracleCall> calls_;  // in the order in which they were decided
  int64_t now_ = 0, wall_ = 0;
  uint64_t place_ = 0;
};

/// What sessions have seen, with memory without end.
class LabelOracle {
 public:
  void start(const std::string& session, const std::string& parent);
  void raise(const std::string& session, const std::set<int>& labels, const std::set<uint64_t>& words);
  void clear(const std::string& session, const std::set<int>& labels);
  void end(const std::string& session) { sessions_.erase(session); }

  std::set<int> labels(const std::string& session) const;
  bool carries(const std::string& session, int label, const std::set<uint64_t>& words) const;
  size_t words(const std::string& session) const;  ///< how many different ones it has seen

 private:
  struct Session {
    std::string parent;
    std::set<int> labels;
    std::set<std::pair<uint64_t, int>> seen;  // words, and the labels of outputs that they stood in
  };
  std::map<std::string, Session> sessions_;
};

}  // namespace ordain::test
