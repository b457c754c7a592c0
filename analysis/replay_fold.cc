// replay_fold.cc plays records and events in the worlds of the programs, and compares what they decide.
#include "analysis/replay_fold.h"

#include <algorithm>
#include <array>

#include "analysis/story.h"
#include "ordain/time_text.h"

namespace ordain::detail {
namespace {

/// Denials with one of these causes come from policies, all the same: what they remember could not be read, or a call
/// that they wait for is running.
constexpr std::array<std::string_view, 6> kCausesOfPolicies = {"not_yet",         "state_full",       "unknown_zone",
                                                               "missing_context", "evaluation_error", "invalid_input"};

bool is_by_policies(std::string_view cause) {
  return cause.empty() ||
         std::find(kCausesOfPolicies.begin(), kCausesOfPolicies.end(), cause) != kCausesOfPolicies.end();
}

ReplayWay way_of_decision(const RecordView& record) {
  const bool released = record.effect == Effect::allow;
  if (record.stage == Stage::after) return released ? ReplayWay::returned : ReplayWay::withheld;
  if (!record.trace.empty() || released) return ReplayWay::began;  // a runtime records what it authorized
  return record.effect == Effect::deny ? ReplayWay::denied : ReplayWay::waited;
}

ReplayWay way_of_outcome(const RecordView& record) {
  if (record.status == OutcomeStatus::withheld) return ReplayWay::withheld;
  if (record.status != OutcomeStatus::failed) return ReplayWay::released;
  return record.error.starts_with("not_executed:") ? ReplayWay::not_executed : ReplayWay::failed;
}

ReplayWay way_of(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::intent:
      return ReplayWay::began;
    case RecordKind::pending:
      return ReplayWay::waited;
    case RecordKind::decision:
      return way_of_decision(record);
    case RecordKind::outcome:
      return way_of_outcome(record);
    default:
      return is_by_policies(record.cause) ? ReplayWay::denied : ReplayWay::stopped;
  }
}

/// Calls that `ordain eval` decided belong together as events do.
bool goes_by_place(const RecordView& record) { return record.kind == RecordKind::decision && record.trace.empty(); }

bool is_of_program(const RecordView& record, const Program& program) {
  const Digest& digest = program.digest();
  return record.program == std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size());
}

}  // namespace

std::optional<ReplayStep> step_of_record(const RecordedCall& reader, bool has_intent,
                                         const std::function<void(Context&)>& fill) {
  const RecordView& record = reader.record();
  const bool ends = record.kind == RecordKind::outcome && !record.decided && has_intent;
  if (record.kind == RecordKind::lost || (!record.decided && !ends)) return std::nullopt;
  return ReplayStep{way_of(record),       reader.event(),
                    reader.context_key(), fill,
                    reader.unknown(),     goes_by_place(record) ? std::string() : std::string(record.action),
                    reader.session(),     reader.approvers(),
                    record.decided};
}

bool folds_state(const Program& program, const Program* against) {
  return tells_stories(program) || (against != nullptr && tells_stories(*against));
}

ReplayFold::ReplayFold(const ReplayOptions& options, bool with_action)
    : options_(options),
      tally_(options.examples),
      reader_(with_action, true),
      order_([this](uint64_t id, const std::string& body, const std::string& intent) {
        judge_record(id, body, intent);
      }) {}

Result<std::unique_ptr<ReplayFold>> ReplayFold::make(const std::shared_ptr<const Program>& program,
                                                     const std::shared_ptr<const Program>& against,
                                                     const ReplayOptions& options) {
  const TimeParts start = options.now_ns ? timestamp_of_nanos(*options.now_ns) : TimeParts{};
  auto decided = ReplayWorld::make(program, options.decide, ReplayWorld::Follows::decisions, start);
  if (!decided.ok()) return decided.error();
  auto recorded = ReplayWorld::make(program, options.decide, ReplayWorld::Follows::records, start);
  if (!recorded.ok()) return recorded.error();
  std::unique_ptr<ReplayWorld> old;
  if (against != nullptr) {
    auto made = ReplayWorld::make(against, options.decide, ReplayWorld::Follows::decisions, start);
    if (!made.ok()) return made.error();
    old = std::move(*made);
  }
  const bool with_action = (*decided)->binder().reads_action() || (old != nullptr && old->binder().reads_action());
  std::unique_ptr<ReplayFold> out(new ReplayFold(options, with_action));
  out->new_ = std::move(*decided);
  out->recorded_ = std::move(*recorded);
  out->old_ = std::move(old);
  return out;
}

/// What a log that was pruned held before is not known.
void ReplayFold::note_past(int64_t now_ns) {
  if (begun_) return;
  begun_ = true;
  if (first_id_ == 1) return;
  for (ReplayWorld* world : {new_.get(), recorded_.get(), old_.get()}) {
    if (world != nullptr) world->doubt_past(now_ns);
  }
}

/// The key of what an operator reset may be a digest, so the whole state is in doubt until its window has passed.
void ReplayFold::forget(const RecordView& act) {
  if (act.type != "reset") return;
  for (ReplayWorld* world : {new_.get(), recorded_.get(), old_.get()}) {
    if (world != nullptr) world->doubt_state(act.target, act.time_ns);
  }
}

void ReplayFold::judge_record(uint64_t id, const std::string& body, const std::string& intent) {
  const std::string problem = reader_.read(body, intent);
  const RecordView& record = reader_.record();
  const ReplayCall call{id, record.stage, record.capability, record.agent, record.approval};
  note_past(record.time_ns);
  if (!problem.empty()) return tally_.indeterminate(call, "", "", problem);
  if (record.kind == RecordKind::act) forget(record);
  const std::function<void(Context&)> fill = [this](Context& context) { reader_.fill(context); };
  std::optional<ReplayStep> step = step_of_record(reader_, !intent.empty(), fill);
  if (!step) return tally_.skip();
  step->ends_late = late_.has(step->action);
  if (is_of_program(record, new_->program())) step->state = record.state;
  compare(call, *step, record.code == DecisionCode::invalid_input, &record);
}

void ReplayFold::judge_line(uint64_t number, std::string_view line) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  if (auto parsed = parser_.parse(line); !parsed) return tally_.malformed(number, parsed.error().message);
  EventFacts event = parser_.event();
  const std::span<const std::string_view> unknown = set_time(event, options_.now_ns);
  const ReplayCall call{number, event.stage, event.capability, story_id(event.agent), ""};
  const std::function<void(Context&)> fill = [this](Context& context) { parser_.fill(context, nullptr); };
  const ReplayWay way = event.stage == Stage::before ? ReplayWay::asked : ReplayWay::returned;
  const ReplayStep step{way, event, parser_.context_key(), fill, unknown, "", std::string(story_id(event.session))};
  compare(call, step, false, nullptr);
}

/// Counts a call as indeterminate if it is. @returns false then
bool ReplayFold::settles(const ReplayWorld& world, const ReplayCall& call, ReplayAnswer& answer, bool misfit,
                         std::span<const std::string_view> unknown) {
  UnknownFacts::Answer& known = answer.answer;
  // Perhaps the value that the record does not hold was what did not fit.
  if (known.known && misfit && !unknown.empty() && known.decision.effect != Effect::deny)
    known = {{}, false, "", unknown.front()};
  if (known.known) return true;
  tally_.indeterminate(call, known.rule, known.path,
                       explain_unknown(world.program(), world.binder().call().capability().id, known));
  return false;
}

/// Every world plays every step, so that each remembers what its own verdicts leave.
void ReplayFold::compare(const ReplayCall& call, const ReplayStep& step, bool misfit, const RecordView* record) {
  ReplayAnswer now = new_->play(step), before;
  ReplayAnswer as_recorded;
  if (record != nullptr) as_recorded = recorded_->play(step);
  if (old_ != nullptr) before = old_->play(step);
  if (!step.decides) return tally_.skip();
  if (as_recorded.difference.any()) {
    const StateDifference& difference = as_recorded.difference;
    return tally_.state_differs(call, difference.state, difference.member, difference.why);
  }
  if (now.absent || before.absent) return tally_.not_reached();
  if (!settles(*new_, call, now, misfit, step.unknown)) return;
  if (old_ != nullptr && !settles(*old_, call, before, misfit, step.unknown)) return;
  const UnknownFacts::Answer& alone = as_recorded.answer;
  const bool comparable = record != nullptr && alone.known && !as_recorded.absent;
  if (comparable && alone.decision.effect != now.answer.decision.effect) tally_.knock_on();
  set_decided(new_verdict_, new_->program(), now.answer.decision);
  if (old_ != nullptr) {
    set_decided(old_verdict_, old_->program(), before.answer.decision);
  } else {
    set_recorded(old_verdict_, *record);
  }
  tally_.compare(call, old_verdict_, new_verdict_);
}

ReplayReport ReplayFold::finish() {
  order_.finish();
  ReplayReport out = tally_.finish();
  out.folds_state = true;
  out.state_reads = recorded_->compared_reads();
  return out;
}

}  // namespace ordain::detail
