// Sessions carry labels: what a session has seen, raised by outputs and inherited by sub-agents.
// Beside the labels lie the words of labelled outputs, as hashes, so that a value can be recognised.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace ordain::state {

using LabelSet = uint16_t;  ///< bit 1 << i: the label with number i

struct Session {
  std::string parent;  ///< "" for none
  LabelSet labels = 0;
  LabelSet full = 0;                   ///< labels some of whose words found no room: every value carries them
  std::map<uint64_t, LabelSet> words;  ///< ordered, so that all processes keep the same ones where not all fit
  int64_t last = 0;                    ///< when it was last changed, by the ledger's time
};

class Sessions {
 public:
  const Session* find(std::string_view id) const;
  size_t size() const { return sessions_.size(); }
  LabelSet labels(std::string_view id) const;
  /// @returns true if each of `words` occurred in an output that carried one of `labels`, or if the
  /// session could not keep all such words. Without words, only the latter.
  bool carries(std::string_view id, LabelSet labels, std::span<const uint64_t> words) const;

  /// Begins a session with the labels and words of its parent, which is begun too if it is not known.
  /// A session that exists keeps its parent and joins them to its own.
  void start(const std::string& id, const std::string& parent, size_t most_words, int64_t now);
  /// Raises labels in a session and in all that it descends from.
  void raise(const std::string& id, LabelSet labels, std::span<const uint64_t> words, size_t most_words, int64_t now);
  /// Clears labels in one session, and forgets which words carried them.
  void clear(const std::string& id, LabelSet labels, int64_t now);
  void end(const std::string& id);
  /// Ends the sessions that were last changed before `since`.
  void end_before(int64_t since);

  const std::map<std::string, Session, std::less<>>& all() const { return sessions_; }
  void restore(std::string id, Session session) { sessions_.insert_or_assign(std::move(id), std::move(session)); }

 private:
  std::map<std::string, Session, std::less<>> sessions_;
};

}  // namespace ordain::state
