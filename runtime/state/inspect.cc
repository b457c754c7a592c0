// inspect.cc reads a ledger as its file has it, and lists what it holds.
#include "runtime/state/inspect.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "ordain/digest.h"
#include "ordain/time_text.h"
#include "runtime/audit/act.h"
#include "runtime/audit/secrets.h"
#include "runtime/identity/text.h"
#include "runtime/sqlite/sqlite.h"
#include "runtime/state/key.h"
#include "runtime/state/state_file.h"
#include "runtime/state/store.h"

namespace ordain::state {
namespace {

constexpr std::chrono::milliseconds kInspectWait{5000};

/// The present by the ledger's timeline, which may have stopped in an earlier boot.
Moment moment_of(Timeline timeline) {
  const ClockReading reading = read_clock();
  if (!timeline.knows(reading)) {
    timeline.offset = timeline.offset_for(reading);
    timeline.boot = reading.boot;
    timeline.started = true;
  }
  return timeline.moment(reading);
}

void add_history(Inspection& in, uint32_t state, const std::string& key, KeyShare& out) {
  const Definition& definition = in.ledger.states[state].definition;
  const Reading reading = read_state(in.ledger, state, key, {}, in.now, 0);
  out.count = reading.count;
  out.running = reading.running;
  out.amount = reading.sum;
  if (!reading.seen) return;
  out.last_ns = wall_time(reading.last, in.now);
  if (definition.window_ns == 0) return;
  const History& history = in.ledger.states[state].histories.find(key)->second;
  const bool has_stamps = history.stamps != nullptr && history.stamps->size() != 0;
  const int64_t oldest = has_stamps ? history.stamps->time(0) : reading.last;
  out.frees_ns = add_times(wall_time(oldest, in.now), definition.window_ns);
}

std::string recorded_key(const DigestKey& secret, const Definition& definition, const std::string& key) {
  const auto& keys = definition.keys;
  const bool has_fields = std::find(keys.begin(), keys.end(), KeySource::path) != keys.end();
  return has_fields ? "secret:" + to_hex(secret.digest(key)).substr(0, 16) : describe_key(key);
}

}  // namespace

Result<Inspection> inspect_state(const std::string& directory) {
  if (!sqlite::file_exists(sqlite::path_in(directory, "state.db")))
    return Error{"no_database",
                 directory + ": there is no state; no policies with histories, rates or budgets ran here"};
  auto file = StateFile::open(directory, false, kInspectWait);
  if (!file.ok()) return file.error();
  if (auto begun = file->begin(); !begun.ok()) return begun.error();
  Inspection out;
  auto read = file->catch_up(out.ledger, true);
  file->roll_back();
  if (!read.ok()) return read.error();
  out.now = moment_of(out.ledger.timeline);
  return out;
}

std::optional<KeyShare> find_share(Inspection& inspection, uint32_t state, const std::string& key) {
  const State& from = inspection.ledger.states[state];
  KeyShare share;
  share.key = key;
  if (from.rates.contains(key)) {
    const Reading reading = read_state(inspection.ledger, state, key, {}, inspection.now, 0);
    if (!reading.ok) share.frees_ns = add_times(inspection.now.wall, reading.wait_ns);
    return share;
  }
  if (const auto budget = from.budgets.find(key); budget != from.budgets.end()) {
    share.running = budget->second.open;
    share.amount = budget->second.period == from.period ? budget->second.used : 0;
    return share;
  }
  if (!from.histories.contains(key)) return std::nullopt;
  add_history(inspection, state, key, share);
  return share.last_ns || share.running != 0 ? std::optional(std::move(share)) : std::nullopt;
}

std::vector<KeyShare> list_shares(Inspection& inspection, uint32_t state) {
  const State& from = inspection.ledger.states[state];
  std::vector<std::string> keys;
  for (const auto& [key, share] : from.rates) keys.push_back(key);
  for (const auto& [key, share] : from.budgets) keys.push_back(key);
  for (const auto& [key, share] : from.histories) keys.push_back(key);
  std::vector<KeyShare> out;
  for (const std::string& key : keys) {
    if (auto share = find_share(inspection, state, key)) out.push_back(std::move(*share));
  }
  std::sort(out.begin(), out.end(),
            [](const KeyShare& a, const KeyShare& b) { return describe_key(a.key) < describe_key(b.key); });
  return out;
}

Result<void> reset_share(const std::string& directory, const Inspection& inspection, const Reset& reset) {
  for (const std::string* text : {&reset.because, &reset.by}) {
    const std::string problem = text->empty() ? "empty" : detail::text_problem(*text);
    if (!problem.empty()) return Error{"invalid_reset", "the reason or the name of who resets is " + problem};
  }
  if (reset.state >= inspection.ledger.states.size())
    return Error{"bad_state", "the store has no state of this number"};
  auto secret = detail::open_secret_key(directory);
  if (!secret.ok()) return secret.error();
  auto store = Store::open(directory, StoreOptions());
  if (!store.ok()) return store.error();
  const Definition& definition = inspection.ledger.states[reset.state].definition;
  const std::string key = recorded_key(*secret, definition, reset.key);
  detail::Act act;
  act.what = "reset";
  act.by = reset.by;
  act.target = definition.name;
  act.description = key;
  act.because = reset.because;
  act.time_ns = system_time_ns();
  if (auto recorded = detail::record_act(directory, act); !recorded.ok()) return recorded;
  return (*store)->reset(reset.state, reset.key);
}

}  // namespace ordain::state
