// story.cc plays the calls of a test: they are decided, answered, run and ended in one store.
#include "analysis/story.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "ordain/history.h"
#include "runtime/state/zones.h"
#include "vm/json/redact.h"

namespace ordain::detail {
namespace {

constexpr int64_t kSecondInNanos = 1'000'000'000;
constexpr int64_t kLatestNanos = std::numeric_limits<int64_t>::max() / 2;

/// Gives each group an approver of its own, as far as possible: a matching, found by augmenting paths.
bool find_approver(size_t group, const std::vector<std::vector<size_t>>& able, std::vector<size_t>& taken_by,
                   std::set<size_t>& tried) {
  for (size_t approver : able[group]) {
    if (!tried.insert(approver).second) continue;
    if (taken_by[approver] == kNone || find_approver(taken_by[approver], able, taken_by, tried)) {
      taken_by[approver] = group;
      return true;
    }
  }
  return false;
}

uint32_t groups_with_own_approver(const ApprovalNeed& need, const std::vector<StoryApproval>& approvals) {
  // Approvals by one name are one approver; one without a name is somebody else each time and in each group.
  std::vector<std::string> names;
  std::vector<std::vector<size_t>> able(need.from.size());
  for (size_t group = 0; group < need.from.size(); ++group) {
    for (const StoryApproval& approval : approvals) {
      if (!approval.group.empty() && approval.group != need.from[group]) continue;
      const auto found = std::find(names.begin(), names.end(), approval.approver);
      const bool known = !approval.approver.empty() && found != names.end();
      able[group].push_back(known ? static_cast<size_t>(found - names.begin()) : names.size());
      if (!known) names.push_back(approval.approver);
    }
  }
  std::vector<size_t> taken_by(names.size(), kNone);
  uint32_t out = 0;
  for (size_t group = 0; group < need.from.size(); ++group) {
    std::set<size_t> tried;
    if (find_approver(group, able, taken_by, tried)) ++out;
  }
  return out;
}

uint32_t groups_that_approved(const ApprovalNeed& need, const std::vector<StoryApproval>& approvals) {
  return static_cast<uint32_t>(std::count_if(need.from.begin(), need.from.end(), [&](std::string_view group) {
    return std::any_of(approvals.begin(), approvals.end(), [&](const StoryApproval& approval) {
      return approval.group.empty() || approval.group == group;
    });
  }));
}

/// The groups by which a call that was approved is approved.
std::vector<std::string> approving_groups(const Decision& decision, const std::vector<StoryApproval>& approvals) {
  std::vector<std::string> out;
  for (std::string_view group : decision.from) {
    const bool approved = std::any_of(approvals.begin(), approvals.end(), [&](const StoryApproval& approval) {
      return approval.group.empty() || approval.group == group;
    });
    if (approved) out.emplace_back(group);
  }
  return out;
}

}  // namespace

int64_t story_nanos(int64_t seconds, int32_t nanos) {
  const int64_t most = kLatestNanos / kSecondInNanos - 1;
  return std::clamp(seconds, -most, most) * kSecondInNanos + nanos;
}

std::string story_id(const Value* who) {
  if (who == nullptr) return "";
  if (who->is(Kind::string)) return std::string(who->as_text());
  if (!who->is(Kind::map)) return "";
  for (const MapEntry& entry : who->map->all()) {
    const bool is_id = entry.key.is(Kind::string) && entry.key.as_text() == "id";
    if (is_id && entry.value.is(Kind::string)) return std::string(entry.value.as_text());
  }
  return "";
}

Decision story_denial(const std::string& reason, DecisionCode code) {
  Decision out;
  out.effect = Effect::deny;
  out.code = code;
  out.reason = reason;
  return out;
}

DecisionCode story_code(const Error& error) {
  return error.code == "missing_context" ? DecisionCode::missing_context : DecisionCode::evaluation_error;
}

Value story_output(EventReader& reader, const Decision& decision) {
  Value output = *reader.event().output;
  for (const Obligation& obligation : decision.obligations) {
    if (obligation.kind != RuleKind::redact) continue;
    Value redacted;
    if (redact(reader.call().arena(), output, "output", obligation.path, obligation.with, &redacted)) output = redacted;
  }
  return output;
}

bool tells_stories(const Program& program) { return history_tables(program).any(); }

bool is_approved(const Decision& decision, const std::vector<StoryApproval>& approvals) {
  if (approvals.empty()) return false;
  return std::all_of(decision.approvals.begin(), decision.approvals.end(), [&](const ApprovalNeed& need) {
    if (need.from.empty()) return true;  // anyone may approve
    const uint32_t have =
        need.distinct ? groups_with_own_approver(need, approvals) : groups_that_approved(need, approvals);
    return have >= need.need;
  });
}

struct Story::Played {
  state::MeteredCall metered;
  std::string session;
  std::vector<std::string> approved_by;
};

Story::Story(std::shared_ptr<const Program> program, const DecideOptions& options, TimeParts start)
    : program_(std::move(program)),
      options_(options),
      start_(start),
      clock_(std::make_shared<state::ClockReading>(
          state::ClockReading{{1}, kSecondInNanos, story_nanos(start.seconds, start.nanos)})) {}

Result<std::unique_ptr<Story>> Story::make(std::shared_ptr<const Program> program, const DecideOptions& options,
                                           TimeParts start) {
  std::unique_ptr<Story> out(new Story(std::move(program), options, start));
  state::StoreOptions store_options;
  store_options.clock = [clock = out->clock_] { return *clock; };
  store_options.zone_offset = state::zones_of(*out->program_);
  // Nothing holds a call of a story but the story, so no lease may end one while time passes.
  store_options.limits.lease_ns = kLatestNanos;
  auto store = state::Store::make_local(std::move(store_options));
  if (!store.ok()) return store.error();
  out->store_ = std::move(*store);
  auto meter = state::Meter::make(out->program_, *out->store_);
  if (!meter.ok()) return meter.error();
  out->meter_.emplace(std::move(*meter));
  return out;
}

void Story::pass(const TestCall& call) {
  const int64_t ns = story_nanos(call.wait_seconds, call.wait_nanos);
  clock_->boot_ns = state::add_times(clock_->boot_ns, ns);
  clock_->wall_ns = state::add_times(clock_->wall_ns, ns);
}

/// Reads an event at the story's time. A time that it names moves the clock forward, never back.
Result<void> Story::read(const std::string& event, EventReader& reader) {
  if (auto parsed = reader.read(event); !parsed.ok()) return parsed;
  const TimeParts named = reader.event().now.value_or(start_);
  if (named.seconds != start_.seconds || named.nanos != start_.nanos) {
    const int64_t at = story_nanos(named.seconds, named.nanos);
    if (!begun_) clock_->wall_ns = at;
    const int64_t ahead = state::subtract_times(at, clock_->wall_ns);
    if (ahead > 0) {
      clock_->boot_ns = state::add_times(clock_->boot_ns, ahead);
      clock_->wall_ns = at;
    }
  }
  begun_ = true;
  const TimeParts now = timestamp_of_nanos(clock_->wall_ns);
  if (!reader.call().error().failed) reader.call().set_now(now.seconds, now.nanos);
  return {};
}

state::CallFacts Story::facts(EventReader& reader, const Played& played) {
  return {reader.call(), reader.context(), metering_, played.session, options_};
}

Result<void> Story::play(const TestCall& call, EventReader& reader, const See& see) {
  pass(call);
  if (auto parsed = read(call.returns ? call.other_event : call.event, reader); !parsed.ok()) return parsed;
  Played played{{*meter_, *store_, Id128::random()}, story_id(reader.event().session), {}};
  const auto verdict = decide_before(call, reader, played, see);
  return verdict == state::Verdict::proceed ? run(call, reader, played, see) : Result<void>();
}

/// Decides until the call may run, is denied, or waits for an answer that the test does not give.
/// @returns nothing if it was denied without the rules
std::optional<state::Verdict> Story::decide_before(const TestCall& call, EventReader& reader, Played& played,
                                                   const See& see) {
  std::vector<StoryApproval> approvals;
  for (size_t next = 0;; ++next) {
    Decision decision;
    bool approved = false;
    auto started = played.metered.start(facts(reader, played), [&] {
      decision = decide(reader.call(), reader.context(), deciding_, options_);
      if (decision.effect == Effect::deny) return state::Verdict::deny;
      approved = decision.effect == Effect::require_approval && is_approved(decision, approvals);
      return approved || decision.effect == Effect::allow ? state::Verdict::proceed : state::Verdict::leave;
    });
    if (!started.ok()) {
      played.metered.deny(facts(reader, played));
      see(story_denial(started.error().message, story_code(started.error())), false);
      return std::nullopt;
    }
    if (approved) {
      played.approved_by = approving_groups(decision, approvals);
      decision.effect = Effect::allow;
    }
    see(decision, !approved);
    if (*started != state::Verdict::leave || next >= call.answers.size()) return *started;
    const TestAnswer& answer = call.answers[next];
    if (!answer.approves) {
      played.metered.deny(facts(reader, played));
      decision.effect = Effect::deny;
      see(decision, false);
      return std::nullopt;
    }
    approvals.push_back({answer.group, answer.approver});
  }
}

Result<void> Story::run(const TestCall& call, EventReader& reader, Played& played, const See& see) {
  if (call.fails) return played.metered.end(state::Ending::failed, nullptr);
  if (auto parsed = read(call.returns ? call.event : call.other_event, reader); !parsed.ok()) return parsed;
  if (!call.returns) return release(reader, played, {}, see);
  if (auto asked = played.metered.read_after(facts(reader, played)); !asked.ok()) {
    see(story_denial(asked.error().message, story_code(asked.error())), false);
    const state::CallFacts after = facts(reader, played);
    return played.metered.end(state::Ending::executed, &after);
  }
  const Decision decision = decide(reader.call(), reader.context(), deciding_, options_);
  see(decision, true);
  if (decision.effect == Effect::allow) return release(reader, played, decision, see);
  const state::CallFacts after = facts(reader, played);
  return played.metered.end(state::Ending::executed, &after);
}

/// Ends a call whose output is released, as its rules redact it. What cannot be remembered of it withholds it.
Result<void> Story::release(EventReader& reader, Played& played, const Decision& decision, const See& see) {
  state::Released released;
  released.approved_by = played.approved_by;
  Value output;
  if (reader.event().output != nullptr) {
    output = story_output(reader, decision);
    released.output = &output;
  }
  const state::CallFacts after = facts(reader, played);
  auto done = played.metered.release(after, released);
  if (done.ok()) return done;
  see(story_denial(done.error().message, story_code(done.error())), false);
  return played.metered.end(state::Ending::executed, &after);
}

}  // namespace ordain::detail
