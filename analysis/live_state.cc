// live_state.cc copies the state of a directory and reads the copy.
#include "analysis/live_state.h"

#include <fmt/format.h>

#include <utility>

#include "analysis/state_words.h"
#include "analysis/story_world.h"
#include "ordain/history.h"
#include "ordain/time_text.h"
#include "runtime/state/snapshot.h"

namespace ordain::detail {
namespace {

std::string second_text(int64_t time_ns) { return format_time(time_ns - time_ns % 1'000'000'000); }

/// When a call that counts at present no longer will.
std::string freeing_words(const StateDecl& declared, const state::KeyShare& share) {
  if (declared.kind == StateKind::history && share.frees_ns)
    return "; the oldest leaves after " + second_text(*share.frees_ns);
  if (declared.kind != StateKind::budget) return "";
  if (declared.period == BudgetPeriod::at_once)
    return share.running == 1 ? "; 1 call holds some of it" : fmt::format("; {} calls hold some of it", share.running);
  if (declared.period == BudgetPeriod::none) return "";
  return fmt::format("; filled again each {} in {}", to_string(declared.period),
                     declared.zone.empty() ? "UTC" : declared.zone);
}

}  // namespace

LiveState::LiveState(const DecideOptions& options, state::Inspection found)
    : options_(options), found_(std::move(found)) {}

Result<std::unique_ptr<LiveState>> LiveState::make(std::shared_ptr<const Program> program, const DecideOptions& options,
                                                   const std::string& directory) {
  auto found = state::inspect_state(directory);
  if (!found.ok()) return found.error();
  std::unique_ptr<LiveState> out(new LiveState(options, std::move(*found)));
  const std::string snapshot =
      out->found_.ledger.timeline.started ? state::save_ledger(out->found_.ledger) : std::string();
  auto made = LocalState::make(std::move(program), {}, snapshot);
  if (!made.ok()) return made.error();
  out->copy_ = std::move(*made);
  return out;
}

Result<void> LiveState::read(EventReader& reader) {
  notes_.clear();
  const std::string session(story_id(reader.event().session));
  state::MeteredCall call(*copy_.meter, *copy_.store, Id128::random());
  auto seen = call.preview({reader.call(), reader.context(), metering_, session, options_});
  if (!seen.ok()) return seen;
  notes_.assign(call.notes().begin(), call.notes().end());
  now_ = call.moment();
  return {};
}

std::string LiveState::words_of(const state::StateNote& note) {
  const StateDecl& declared = copy_.meter->tables().states[note.state];
  std::string out = words_of_read(declared, note, now_);
  const auto number = state::find_state(found_.ledger, declared.name, declared.digest);
  if (!number) return out + "; the directory does not remember it yet";
  if (const auto share = state::find_share(found_, *number, note.key)) out += freeing_words(declared, *share);
  const int64_t window = state::define_state(declared).window_ns;
  const bool lacks = declared.kind == StateKind::history && window != 0 &&
                     state::subtract_times(now_.time, note.reading.known_since) < window;
  if (lacks) out += "; known since " + second_text(state::wall_time(note.reading.known_since, now_));
  return out;
}

std::vector<std::string> LiveState::last_read() {
  std::vector<std::string> out;
  for (const state::StateNote& note : notes_) out.push_back(words_of(note));
  return out;
}

}  // namespace ordain::detail
