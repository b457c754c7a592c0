// state_words.cc writes reads of the state for people.
#include "analysis/state_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "ordain/json.h"
#include "ordain/time_text.h"
#include "runtime/state/key.h"

namespace ordain::detail {
namespace {

/// "principal ann, c1": fields of the call stand for themselves.
std::string key_words(const StateDecl& declared, const std::string& key) {
  const auto parts = state::split_key(key);
  if (!parts || parts->size() != declared.keys.size() || parts->empty()) return state::describe_key(key);
  std::string out;
  for (size_t i = 0; i < parts->size(); ++i) {
    if (i != 0) out += ", ";
    if (declared.keys[i] != KeySource::path) out += std::string(to_string(declared.keys[i])) + " ";
    out += state::describe_key((*parts)[i]);
  }
  return out;
}

std::string amount_text(state::Amount amount, const StateDecl& declared) {
  return to_json(state::amount_value(amount, declared.amount));
}

std::string history_words(const StateDecl& declared, const state::StateNote& note, const state::Moment& now) {
  const state::Reading& reading = note.reading;
  std::string out = fmt::format("{} for {}", reading.count, key_words(declared, note.key));
  const auto seconds = static_cast<int64_t>(std::min<uint64_t>(declared.window_seconds, INT32_MAX));
  if (declared.window_seconds != 0 || declared.window_nanos != 0)
    out += " within " + format_duration(seconds, static_cast<int32_t>(declared.window_nanos));
  if (declared.amount != Kind::absent) out += ", sum " + amount_text(reading.sum, declared);
  const std::string last =
      reading.seen ? "last " + format_time(state::wall_time(reading.last, now)) : std::string("none before");
  return out + fmt::format(" ({} running; {})", reading.running, last);
}

std::string note_words(const StateDecl& declared, const state::StateNote& note, const state::Moment& now) {
  switch (declared.kind) {
    case StateKind::history:
      return history_words(declared, note, now);
    case StateKind::rate: {
      const TimeParts wait = duration_of_nanos(note.reading.wait_ns);
      return (note.reading.ok ? "ok for " : "not ok for ") + key_words(declared, note.key) +
             (note.reading.ok ? "" : ", in " + format_duration(wait.seconds, wait.nanos));
    }
    case StateKind::budget:
      break;
  }
  return amount_text(note.reading.used, declared) + " used for " + key_words(declared, note.key);
}

}  // namespace

std::string words_of_read(const StateDecl& declared, const state::StateNote& note, const state::Moment& now) {
  return declared.name + ": " + note_words(declared, note, now);
}

}  // namespace ordain::detail
