// event_stories.cc keeps the calls of events open until other events end them.
#include "analysis/event_stories.h"

#include <cstdint>

#include "analysis/state_words.h"
#include "ordain/history.h"

namespace ordain::detail {
namespace {

/// Calls of one session and capability that wait for their outcome. An older one stays begun.
constexpr size_t kMostOpenEvents = 4096;

}  // namespace

EventStories::EventStories(std::unique_ptr<StoryWorld> world) : world_(std::move(world)) {}

Result<std::unique_ptr<EventStories>> EventStories::make(std::shared_ptr<const Program> program,
                                                         const DecideOptions& options, TimeParts start) {
  auto world = StoryWorld::make(std::move(program), options, start);
  if (!world.ok()) return world.error();
  return std::unique_ptr<EventStories>(new EventStories(std::move(*world)));
}

Decision EventStories::refuse(const Error& error) {
  refusal_ = error;
  return story_denial(refusal_.message, story_code(refusal_));
}

void EventStories::keep_notes(const state::MeteredCall& call) {
  notes_.assign(call.notes().begin(), call.notes().end());
  now_ = call.moment();
}

std::vector<std::string> EventStories::last_read() const {
  std::vector<std::string> out;
  for (const state::StateNote& note : notes_) {
    out.push_back(words_of_read(world_->tables().states[note.state], note, now_));
  }
  return out;
}

Decision EventStories::decide(EventReader& reader, Scratch& deciding) {
  notes_.clear();
  world_->move_clock(reader);
  const Place place{std::string(story_id(reader.event().session)), std::string(reader.event().capability)};
  return reader.call().stage() == Stage::before ? decide_before(reader, deciding, place)
                                                : decide_after(reader, deciding, place);
}

Decision EventStories::decide_before(EventReader& reader, Scratch& deciding, const Place& place) {
  std::unique_ptr<state::MeteredCall> call(new state::MeteredCall(world_->new_call()));
  Decision decision;
  auto started = call->start(world_->facts(reader, place.first), [&] {
    decision = decide_all(reader.call(), reader.context(), deciding, world_->options());
    return decision.effect == Effect::allow  ? state::Verdict::proceed
           : decision.effect == Effect::deny ? state::Verdict::deny
                                             : state::Verdict::leave;
  });
  if (!started.ok()) {
    call->deny(world_->facts(reader, place.first));
    return refuse(started.error());
  }
  keep_notes(*call);
  if (*started == state::Verdict::proceed) {
    auto& waiting = open_[place];
    waiting.push_back(std::move(call));
    if (waiting.size() > kMostOpenEvents) waiting.pop_front();
  }
  return decision;
}

std::unique_ptr<state::MeteredCall> EventStories::take_open(const Place& place) {
  const auto found = open_.find(place);
  if (found == open_.end()) return nullptr;
  std::unique_ptr<state::MeteredCall> out = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) open_.erase(found);
  return out;
}

Decision EventStories::decide_after(EventReader& reader, Scratch& deciding, const Place& place) {
  const state::CallFacts after = world_->facts(reader, place.first);
  const std::unique_ptr<state::MeteredCall> call = take_open(place);
  if (call == nullptr) {
    state::MeteredCall alone = world_->new_call();
    if (auto seen = alone.preview(after); !seen.ok()) return refuse(seen.error());
    keep_notes(alone);
    return decide_all(reader.call(), reader.context(), deciding, world_->options());
  }
  auto read = call->read_after(after);
  if (!read.ok()) {
    (void)call->end(state::Ending::executed, &after);
    return refuse(read.error());
  }
  keep_notes(*call);
  const Decision decision = decide_all(reader.call(), reader.context(), deciding, world_->options());
  if (decision.effect != Effect::allow) {
    (void)call->end(state::Ending::executed, &after);
    return decision;
  }
  state::Released released;
  Value output;
  if (reader.event().output != nullptr) {
    output = story_output(reader.call().arena(), *reader.event().output, decision.obligations);
    released.output = &output;
  }
  if (auto done = call->release(after, released); !done.ok()) {
    (void)call->end(state::Ending::executed, &after);
    return refuse(done.error());
  }
  return decision;
}

}  // namespace ordain::detail
