// sessions.cc raises, inherits, joins and clears labels.
#include "runtime/state/sessions.h"

#include <algorithm>

namespace ordain::state {
namespace {

void keep_word(Session& session, uint64_t word, LabelSet labels, size_t most_words) {
  if (auto found = session.words.find(word); found != session.words.end()) {
    found->second |= labels;
  } else if (session.words.size() < most_words) {
    session.words.emplace(word, labels);
  } else {
    session.full |= labels;
  }
}

void join_labels(Session& into, const Session& from, size_t most_words) {
  into.labels |= from.labels;
  into.full |= from.full;
  for (const auto& [word, labels] : from.words) keep_word(into, word, labels, most_words);
}

}  // namespace

const Session* Sessions::find(std::string_view id) const {
  auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

LabelSet Sessions::labels(std::string_view id) const {
  const Session* session = find(id);
  return session != nullptr ? session->labels : LabelSet{0};
}

bool Sessions::carries(std::string_view id, LabelSet labels, std::span<const uint64_t> words) const {
  const Session* session = find(id);
  if (session == nullptr) return false;
  if ((session->full & labels) != 0) return true;
  return !words.empty() && std::all_of(words.begin(), words.end(), [&](uint64_t word) {
    auto found = session->words.find(word);
    return found != session->words.end() && (found->second & labels) != 0;
  });
}

void Sessions::start(const std::string& id, const std::string& parent, size_t most_words, int64_t now) {
  auto [at, fresh] = sessions_.try_emplace(id);
  at->second.last = now;
  if (parent.empty() || parent == id) return;
  if (fresh) at->second.parent = parent;
  Session& above = sessions_.try_emplace(parent).first->second;
  above.last = now;
  join_labels(at->second, above, most_words);
}

/// A parent is set only when a session is made, so a session can descend from itself only if an id
/// ended and came again. The count of steps ends that.
void Sessions::raise(const std::string& id, LabelSet labels, std::span<const uint64_t> words, size_t most_words,
                     int64_t now) {
  if (labels == 0) return;
  auto at = sessions_.try_emplace(id).first;
  for (size_t steps = 0; at != sessions_.end() && steps < sessions_.size(); ++steps) {
    Session& session = at->second;
    session.labels |= labels;
    session.last = now;
    for (uint64_t word : words) keep_word(session, word, labels, most_words);
    at = session.parent.empty() ? sessions_.end() : sessions_.find(session.parent);
  }
}

void Sessions::clear(const std::string& id, LabelSet labels, int64_t now) {
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  const auto rest = static_cast<LabelSet>(~labels);
  session.labels &= rest;
  session.full &= rest;
  session.last = now;
  for (auto& [word, carried] : session.words) carried &= rest;
  std::erase_if(session.words, [](const auto& word) { return word.second == 0; });
}

void Sessions::end(const std::string& id) { sessions_.erase(id); }

void Sessions::end_before(int64_t since) {
  std::erase_if(sessions_, [since](const auto& session) { return session.second.last < since; });
}

}  // namespace ordain::state
