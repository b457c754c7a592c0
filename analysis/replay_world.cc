// replay_world.cc begins and ends the calls of a replay in one store.
#include "analysis/replay_world.h"

#include <algorithm>

#include "ordain/history.h"
#include "runtime/audit/secrets.h"

namespace ordain::detail {
namespace {

constexpr size_t kMostOpenReplays = 65'536;  ///< calls without an outcome; older ones stay begun
constexpr std::string_view kWholeOutput = "output";

bool lies_in_output(std::string_view path) {
  return path == kWholeOutput || path.starts_with("output.") || path.starts_with("output[");
}

/// Paths with the whole output, which nobody recorded.
std::vector<std::string_view> without_output(std::span<const std::string_view> paths) {
  std::vector<std::string_view> out(paths.begin(), paths.end());
  out.push_back(kWholeOutput);
  return out;
}

}  // namespace

ReplayWorld::ReplayWorld(std::shared_ptr<const Program> program, const DecideOptions& options, Follows follows,
                         std::unique_ptr<StoryWorld> world)
    : program_(std::move(program)),
      options_(options),
      follows_(follows),
      world_(std::move(world)),
      binder_(program_),
      unseen_(program_),
      unknown_(program_),
      doubts_(*program_, unknown_) {}

Result<std::unique_ptr<ReplayWorld>> ReplayWorld::make(std::shared_ptr<const Program> program,
                                                       const DecideOptions& options, Follows follows, TimeParts start,
                                                       std::function<void(std::string_view)> observe) {
  auto world = StoryWorld::make(program, options, start, std::move(observe));
  if (!world.ok()) return world.error();
  return std::unique_ptr<ReplayWorld>(new ReplayWorld(std::move(program), options, follows, std::move(*world)));
}

ReplayAnswer ReplayWorld::play(const ReplayStep& step) {
  arena_.reset();
  kept_.clear();
  if (step.event.now) world_->move_clock_to(*step.event.now);
  end_leases();
  return step.event.stage == Stage::before ? play_before(step) : play_after(step);
}

/// @returns the event as it was bound: with values that fit where stand-ins do not
EventFacts ReplayWorld::bind(FactBinder& binder, const ReplayStep& step, const EventFacts& event,
                             std::span<const std::string_view> unknown) {
  binder.bind(event, step.key, step.fill);
  if (!binder.call().error().failed || !event.flaw.empty() || unknown.empty()) return event;
  const EventFacts fitted = unknown_.fit(event, unknown, arena_);
  binder.bind(fitted, step.key, step.fill);
  return fitted;
}

/// Binding an event again takes the state's slots away.
void ReplayWorld::keep_slots() {
  kept_.clear();
  const HistoryTables& tables = world_->tables();
  const Call& call = binder_.call();
  const CapabilityState* state = find_capability_state(tables, call.capability().id);
  const auto keep = [&](SlotId slot) {
    const Slot& declared = program_->schema().slots[slot];
    const Value& value = call.slots().values[declared.index];
    kept_.emplace_back(program_->slot(slot), value.present() ? copy_value(arena_, value) : Value());
  };
  const auto stage = static_cast<size_t>(call.stage());
  for (uint32_t i = 0; state != nullptr && i < state->reads[stage].count; ++i) {
    keep(tables.reads[tables.read_list[state->reads[stage].first + i]].slot);
  }
  for (uint32_t i = 0; state != nullptr && i < state->texts[stage].count; ++i) {
    keep(tables.texts[tables.text_list[state->texts[stage].first + i]].slot);
  }
  if (tables.session_labels != kNone) keep(tables.session_labels);
}

void ReplayWorld::restore_slots() {
  for (const auto& [slot, value] : kept_) {
    if (value.present()) {
      binder_.call().set(slot, value);
    } else {
      binder_.call().forget(slot);
    }
  }
}

/// Decides the event that is bound, whose slots for state are filled.
UnknownFacts::Answer ReplayWorld::decide(const ReplayStep& step, const EventFacts& event,
                                         const std::vector<StateDoubt>& own,
                                         std::span<const std::string_view> unknown) {
  const state::CallFacts facts = world_->facts(binder_.call(), binder_.context(), step.session);
  doubtful_.assign(unknown.begin(), unknown.end());
  for (std::string_view path : doubts_.slots(facts, own, unknown, world_->now_ns())) doubtful_.push_back(path);
  if (doubtful_.empty()) return {ordain::decide(binder_.call(), binder_.context(), deciding_, options_), true, "", ""};
  keep_slots();
  const auto bind_again = [&](const EventFacts& as) {
    binder_.bind(as, step.key, step.fill);
    if (!binder_.call().error().failed) restore_slots();
  };
  return unknown_.decide(binder_, event, doubtful_, arena_, deciding_, options_, bind_again);
}

/// The state could not be read, which denies; it may be for a value that is not known.
UnknownFacts::Answer ReplayWorld::refuse(const Error& error, const std::vector<StateDoubt>& own,
                                         std::span<const std::string_view> unknown) {
  refusal_ = error.message;
  if (!own.empty() && !unknown.empty()) return {{}, false, "", unknown.front()};
  return {story_denial(refusal_, story_code(error)), true, "", ""};
}

/// A call that ran although rules would have asked for approval is taken to have been approved. One that was stopped by
/// something else would be stopped again.
state::Verdict ReplayWorld::verdict_of(const ReplayStep& step, const UnknownFacts::Answer& answer) const {
  using state::Verdict;
  if (step.way == ReplayWay::stopped) return Verdict::deny;
  const bool by_record = step.way != ReplayWay::asked && (follows_ == Follows::records || !answer.known);
  if (by_record) {
    return step.way == ReplayWay::began    ? Verdict::proceed
           : step.way == ReplayWay::denied ? Verdict::deny
                                           : Verdict::leave;
  }
  if (!answer.known) return Verdict::leave;
  if (answer.decision.effect == Effect::deny) return Verdict::deny;
  if (step.way == ReplayWay::began) return Verdict::proceed;
  const bool runs = answer.decision.effect == Effect::allow && step.way != ReplayWay::waited;
  return runs ? Verdict::proceed : Verdict::leave;
}

void ReplayWorld::compare(const ReplayStep& step, const state::MeteredCall& call, ReplayAnswer& out) {
  if (step.state.empty() || follows_ != Follows::records) return;
  out.difference =
      compare_state(step.state, world_->meter(), call, doubts_, step.session, world_->now_ns(), &compared_);
}

ReplayAnswer ReplayWorld::play_before(const ReplayStep& step) {
  ReplayAnswer out;
  const EventFacts event = bind(binder_, step, step.event, step.unknown);
  const state::CallFacts facts = world_->facts(binder_.call(), binder_.context(), step.session);
  const std::vector<StateDoubt> own = doubts_.find(facts, Stage::before, false, step.unknown);
  const std::vector<StateDoubt> of_denial = doubts_.find(facts, Stage::before, true, step.unknown);
  std::unique_ptr<state::MeteredCall> call(new state::MeteredCall(world_->new_call()));
  auto started = call->start(facts, [&] {
    out.answer = decide(step, event, own, step.unknown);
    compare(step, *call, out);
    return verdict_of(step, out.answer);
  });
  if (!started.ok()) {
    out.answer = refuse(started.error(), own, step.unknown);
  }
  // Without the state the call is denied, unless the record says that it ran or waited.
  const bool ran = step.way == ReplayWay::waited || (step.way == ReplayWay::began && follows_ == Follows::records);
  if (!started.ok() && !ran) call->deny(facts);
  const bool proceeds = started.ok() && *started == state::Verdict::proceed;
  const bool denied = started.ok() ? *started == state::Verdict::deny : !ran;
  if (proceeds || (!started.ok() && step.way == ReplayWay::began)) doubts_.keep(own, world_->now_ns());
  if (denied) doubts_.keep(of_denial, world_->now_ns());
  if (step.way == ReplayWay::began) {
    keep_open(step, proceeds ? std::move(call) : nullptr);
  } else if (proceeds && step.way == ReplayWay::asked) {
    keep_open(step, std::move(call));
  } else if (proceeds) {
    release_unseen(step, *call);
  }
  return out;
}

void ReplayWorld::keep_open(const ReplayStep& step, std::unique_ptr<state::MeteredCall> call) {
  const CapabilityId id = binder_.call().capability().id;
  const bool irreversible = id != kNone && program_->schema().capabilities[id].has_effect("irreversible");
  Open& open = open_[next_];
  open.call = std::move(call);
  open.action = step.action;
  open.begun_ns = world_->now_ns();
  // An event without an outcome stays begun, as in a story.
  open.leased = !irreversible && !step.action.empty() && !step.ends_late;
  for (std::string_view group : step.approved_by) open.groups.emplace_back(group);
  if (step.action.empty()) {
    open.place = {step.session, std::string(step.event.capability)};
    by_place_[open.place].push_back(next_);
  } else {
    by_action_[step.action] = next_;
  }
  ++next_;
  if (open_.size() > kMostOpenReplays) forget_oldest();
}

void ReplayWorld::forget_oldest() {
  const auto oldest = open_.begin();
  const auto by_action = by_action_.find(oldest->second.action);
  if (by_action != by_action_.end() && by_action->second == oldest->first) by_action_.erase(by_action);
  const auto by_place = by_place_.find(oldest->second.place);
  if (by_place != by_place_.end() && by_place->second.front() == oldest->first) {
    by_place->second.pop_front();
    if (by_place->second.empty()) by_place_.erase(by_place);
  }
  open_.erase(oldest);
}

std::optional<ReplayWorld::Open> ReplayWorld::take_open(const ReplayStep& step) {
  std::optional<Open> out;
  const auto take = [&](uint64_t number) {
    const auto found = open_.find(number);
    if (found == open_.end()) return;
    out = std::move(found->second);
    open_.erase(found);
  };
  if (!step.action.empty()) {
    const auto found = by_action_.find(step.action);
    if (found == by_action_.end()) return out;
    const uint64_t number = found->second;
    by_action_.erase(found);
    take(number);
    return out;
  }
  const auto place = by_place_.find({step.session, std::string(step.event.capability)});
  if (place == by_place_.end()) return out;
  while (!out && !place->second.empty()) {
    const uint64_t number = place->second.front();
    place->second.pop_front();
    take(number);
  }
  if (place->second.empty()) by_place_.erase(place);
  return out;
}

/// A call without outcome may have died with its process. What it held of reversible calls is given back when a lease
/// would have ended, at the latest. A process that lives renews its lease, so a call that runs for longer keeps its
/// hold.
void ReplayWorld::end_leases() {
  const int64_t lease = state::Limits().lease_ns;
  for (auto at = open_.lower_bound(lease_next_); at != open_.end(); ++at) {
    Open& open = at->second;
    if (state::subtract_times(world_->now_ns(), open.begun_ns) <= lease) break;
    lease_next_ = at->first + 1;
    if (open.call != nullptr && open.leased) (void)open.call->end(state::Ending::not_executed, nullptr);
  }
}

/// Ends a call that was denied when it was recorded and would run now: it is taken to succeed, and what it would have
/// returned is not known.
void ReplayWorld::release_unseen(const ReplayStep& step, state::MeteredCall& call) {
  const std::vector<std::string_view> unknown = without_output(step.unknown);
  EventFacts event = step.event;
  event.stage = Stage::after;
  event = bind(unseen_, step, event, unknown);
  release(step, unseen_, event, unknown, {}, call, {});
}

/// Labels of the output of a call may depend on what is not known, and so may the words that carry them.
void ReplayWorld::doubt_labels(const ReplayStep& step, CapabilityId capability,
                               std::span<const std::string_view> unknown) {
  const HistoryTables& tables = world_->tables();
  const CapabilityState* state = find_capability_state(tables, capability);
  if (state == nullptr || step.session.empty()) return;
  for (uint32_t i = 0; i < state->label_rules.count; ++i) {
    if (unknown_.depends(tables.label_rules[state->label_rules.first + i].when, unknown))
      doubts_.keep_labels(step.session);
  }
  if (world_->meter().carried() == 0 || (state->labels == 0 && state->label_rules.count == 0)) return;
  const auto& secrets = secrets_of(program_->schema(), capability);
  const bool lacks = std::any_of(unknown.begin(), unknown.end(), [&](std::string_view path) {
    return path == kWholeOutput || (lies_in_output(path) && is_secret(secrets, path));
  });
  if (lacks) doubts_.keep_words(step.session);
}

/// @param obligations of the decision that releases the output, where the event holds it as the call gave it
void ReplayWorld::release(const ReplayStep& step, FactBinder& binder, const EventFacts& event,
                          std::span<const std::string_view> unknown, std::span<const std::string> groups,
                          state::MeteredCall& call, std::span<const Obligation> obligations) {
  const state::CallFacts after = world_->facts(binder.call(), binder.context(), step.session);
  doubts_.keep(doubts_.find(after, Stage::after, false, unknown), world_->now_ns());
  doubt_labels(step, binder.call().capability().id, unknown);
  state::Released released;
  released.approved_by = groups;
  Value output;
  if (event.output != nullptr && std::find(unknown.begin(), unknown.end(), kWholeOutput) == unknown.end()) {
    output = story_output(arena_, *event.output, obligations);
    released.output = &output;
  }
  if (!call.release(after, released).ok()) (void)call.end(state::Ending::executed, &after);
}

ReplayAnswer ReplayWorld::play_after(const ReplayStep& step) {
  ReplayAnswer out;
  std::optional<Open> open = take_open(step);
  if (open && open->call == nullptr) {
    out.absent = true;
    return out;
  }
  state::MeteredCall* call = open ? open->call.get() : nullptr;
  if (step.way == ReplayWay::failed || step.way == ReplayWay::not_executed) {
    const auto ending = step.way == ReplayWay::failed ? state::Ending::failed : state::Ending::not_executed;
    if (call != nullptr) (void)call->end(ending, nullptr);
    return out;
  }
  std::vector<std::string_view> unknown(step.unknown.begin(), step.unknown.end());
  const bool withheld = step.way == ReplayWay::withheld;
  if (step.event.output == nullptr && !withheld) unknown.push_back(kWholeOutput);
  const EventFacts event = bind(binder_, step, step.event, step.unknown);
  const state::CallFacts after = world_->facts(binder_.call(), binder_.context(), step.session);
  const std::vector<StateDoubt> own = doubts_.find(after, Stage::after, false, unknown);
  std::unique_ptr<state::MeteredCall> alone;
  if (step.decides) {
    Result<void> read;
    if (call != nullptr) {
      read = call->read_after(after);
    } else {
      alone.reset(new state::MeteredCall(world_->new_call()));
      read = alone->preview(after);
    }
    if (read.ok()) {
      out.answer = decide(step, event, own, step.unknown);
      if (call != nullptr) compare(step, *call, out);
    } else {
      out.answer = refuse(read.error(), own, step.unknown);
    }
  }
  if (call == nullptr) return out;
  const bool by_record = follows_ == Follows::records || !step.decides || !out.answer.known;
  const bool releases = by_record ? !withheld : out.answer.decision.effect == Effect::allow;
  if (releases) {
    // A record holds the output as it was released.
    const bool redacts = step.way == ReplayWay::returned;
    const auto obligations = redacts ? out.answer.decision.obligations : std::span<const Obligation>();
    release(step, binder_, event, unknown, open->groups, *call, obligations);
  } else {
    doubts_.keep(own, world_->now_ns());
    (void)call->end(state::Ending::executed, &after);
  }
  return out;
}

}  // namespace ordain::detail
