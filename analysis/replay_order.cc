// replay_order.cc sorts records by the numbers of their changes.
#include "analysis/replay_order.h"

#include <algorithm>

#include "analysis/state_reads.h"

namespace ordain::detail {
namespace {

constexpr size_t kMostHeldRecords = 1024;
constexpr size_t kMostHeldBytes = 64 << 20;

}  // namespace

/// A record whose call changed nothing comes after those that are known to have been made before it.
ReplayOrder::Turn ReplayOrder::turn_of(const RecordView& record, uint64_t id) {
  const uint64_t sequence = sequence_in_state(record.state);
  if (sequence != 0 && store_ == passed_.store && sequence < passed_.sequence) {
    ++store_;
    latest_ = 0;
  }
  latest_ = std::max(latest_, sequence);
  return {store_, sequence != 0 ? sequence : latest_, id};
}

void ReplayOrder::add(uint64_t id, std::string_view body) {
  Held held{std::string(body), ""};
  const bool readable = view_record(body, &view_);
  if (readable && !view_.action.empty()) {
    if (view_.kind == RecordKind::outcome) held.intent = intents_.take(view_.action);
    if (view_.kind == RecordKind::outcome && held.intent.empty()) held.intent = decisions_.take(view_.action);
    if (view_.kind == RecordKind::intent) intents_.add(view_.action, body);
    // A decision of `ordain eval` has no trace, and no outcome.
    if (view_.kind == RecordKind::decision && !view_.trace.empty()) decisions_.add(view_.action, body);
  }
  bytes_ += held.body.size() + held.intent.size();
  held_.emplace(turn_of(readable ? view_ : RecordView(), id), std::move(held));
  while (held_.size() > kMostHeldRecords || bytes_ > kMostHeldBytes) pass_on_first();
}

void ReplayOrder::pass_on_first() {
  const auto first = held_.begin();
  passed_ = first->first;
  bytes_ -= first->second.body.size() + first->second.intent.size();
  const Held held = std::move(first->second);
  const uint64_t id = first->first.id;
  held_.erase(first);
  use_(id, held.body, held.intent);
}

void ReplayOrder::finish() {
  while (!held_.empty()) pass_on_first();
}

}  // namespace ordain::detail
