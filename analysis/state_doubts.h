// StateDoubts remembers what of the state cannot be known, because records do not hold what it was made from: a value
// was redacted, or is secret, or came before the first record.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/unknown.h"
#include "ordain/history.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

/// What one call makes uncertain: a state under one key, or under all of them.
struct StateDoubt {
  StateId state = 0;
  std::optional<std::string> key;  ///< empty: the key is not known
};

/// Not thread-safe.
class StateDoubts {
 public:
  /// @param unknown of the same program; it must outlive this
  StateDoubts(const Program& program, const UnknownFacts& unknown);

  /// Finds the states to which a call adds something that depends on values at `unknown`.
  /// @param stage of the facts: what a call begins with, or ends with
  /// @param denials whether the call is denied: then it counts in other states
  std::vector<StateDoubt> find(const state::CallFacts& facts, Stage stage, bool denials,
                               std::span<const std::string_view> unknown) const;

  /// From now on, until what the call added has aged.
  void keep(const std::vector<StateDoubt>& doubts, int64_t now_ns);
  /// Doubts everything, or one state, as it was before now.
  void keep_all(int64_t now_ns);
  void keep_state(std::string_view name, int64_t now_ns);
  /// Doubts a session's labels, or which words carried them.
  void keep_labels(const std::string& session) { add_session(labels_, session); }
  void keep_words(const std::string& session) { add_session(words_, session); }

  /// @returns the paths of the slots that hold what is not known, for the rules of the call's stage. @param own what
  /// the call itself makes uncertain
  std::vector<std::string_view> slots(const state::CallFacts& facts, const std::vector<StateDoubt>& own,
                                      std::span<const std::string_view> unknown, int64_t now_ns) const;
  bool has(StateId state, const std::string& key, int64_t now_ns) const;
  /// @returns when the state was last in doubt for what a call added; nothing if it never was
  std::optional<int64_t> last(StateId state) const { return doubted_[state].last; }
  bool has_labels(const std::string& session) const { return in_session(labels_, session); }

 private:
  struct Doubted {
    int64_t all_until = INT64_MIN;  ///< every key
    std::map<std::string, int64_t, std::less<>> until;
    std::optional<int64_t> last;
  };
  struct Sessions {
    bool all = false;
    std::set<std::string, std::less<>> some;
  };

  int64_t end_of(StateId state, int64_t now_ns) const;
  bool applies(const StateEffect& effect, const CapabilityRef& capability) const;
  bool hides_key(TableRange keys, std::span<const std::string_view> unknown) const;
  std::optional<std::string> key_of(const state::CallFacts& facts, StateId state, TableRange keys) const;
  static void add_session(Sessions& to, const std::string& session);
  static bool in_session(const Sessions& in, std::string_view session);

  const Program& program_;
  const HistoryTables& tables_;
  const UnknownFacts& unknown_;
  std::vector<Doubted> doubted_;  ///< by StateId
  Sessions labels_, words_;
};

}  // namespace ordain::detail
