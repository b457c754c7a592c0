// story_world.cc makes the store and moves the clock.
#include "analysis/story_world.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "vm/json/redact.h"

namespace ordain::detail {
namespace {

constexpr int64_t kSecondInNanos = 1'000'000'000;
constexpr int64_t kLatestNanos = std::numeric_limits<int64_t>::max() / 2;

}  // namespace

int64_t story_nanos(int64_t seconds, int32_t nanos) {
  const int64_t most = kLatestNanos / kSecondInNanos - 1;
  return std::clamp(seconds, -most, most) * kSecondInNanos + nanos;
}

std::string_view story_id(const Value* who) {
  if (who == nullptr) return "";
  if (who->is(Kind::string)) return who->as_text();
  if (!who->is(Kind::map)) return "";
  for (const MapEntry& entry : who->map->all()) {
    const bool is_id = entry.key.is(Kind::string) && entry.key.as_text() == "id";
    if (is_id && entry.value.is(Kind::string)) return entry.value.as_text();
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

Value story_output(Arena& arena, Value output, std::span<const Obligation> obligations) {
  for (const Obligation& obligation : obligations) {
    if (obligation.kind != RuleKind::redact) continue;
    Value redacted;
    if (redact(arena, output, "output", obligation.path, obligation.with, &redacted)) output = redacted;
  }
  return output;
}

StoryWorld::StoryWorld(const DecideOptions& options, TimeParts start)
    : options_(options),
      start_(start),
      clock_(std::make_shared<state::ClockReading>(
          state::ClockReading{{1}, kSecondInNanos, story_nanos(start.seconds, start.nanos)})) {}

Result<std::unique_ptr<StoryWorld>> StoryWorld::make(std::shared_ptr<const Program> program,
                                                     const DecideOptions& options, TimeParts start,
                                                     std::function<void(std::string_view)> observe) {
  std::unique_ptr<StoryWorld> out(new StoryWorld(options, start));
  state::StoreOptions store_options;
  store_options.clock = [clock = out->clock_] { return *clock; };
  store_options.observe = std::move(observe);
  // Nothing holds a call of a story but the story, so no lease may end one while time passes.
  store_options.limits.lease_ns = kLatestNanos;
  auto made = LocalState::make(std::move(program), std::move(store_options));
  if (!made.ok()) return made.error();
  out->state_ = std::move(*made);
  return out;
}

void StoryWorld::pass(int64_t nanos) {
  clock_->boot_ns = state::add_times(clock_->boot_ns, nanos);
  clock_->wall_ns = state::add_times(clock_->wall_ns, nanos);
}

void StoryWorld::move_clock_to(TimeParts named) {
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
}

void StoryWorld::move_clock(EventReader& reader) {
  move_clock_to(reader.event().now.value_or(start_));
  const TimeParts now = timestamp_of_nanos(clock_->wall_ns);
  if (!reader.call().error().failed) reader.call().set_now(now.seconds, now.nanos);
}

state::CallFacts StoryWorld::facts(EventReader& reader, const std::string& session) {
  return facts(reader.call(), reader.context(), session);
}

state::CallFacts StoryWorld::facts(Call& call, const Context& context, const std::string& session) {
  return {call, context, metering_, session, options_};
}

}  // namespace ordain::detail
