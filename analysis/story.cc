// story.cc plays the calls of a test: they are decided, answered, run and ended in one store.
#include "analysis/story.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ordain/history.h"

namespace ordain::detail {
namespace {

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

Story::Story(std::unique_ptr<StoryWorld> world) : world_(std::move(world)) {}

Result<std::unique_ptr<Story>> Story::make(std::shared_ptr<const Program> program, const DecideOptions& options,
                                           TimeParts start) {
  auto world = StoryWorld::make(std::move(program), options, start);
  if (!world.ok()) return world.error();
  return std::unique_ptr<Story>(new Story(std::move(*world)));
}

Result<void> Story::read(const std::string& event, EventReader& reader) {
  if (auto parsed = reader.read(event); !parsed.ok()) return parsed;
  world_->move_clock(reader);
  return {};
}

state::CallFacts Story::facts(EventReader& reader, const Played& played) {
  return world_->facts(reader, played.session);
}

Result<void> Story::play(const TestCall& call, EventReader& reader, const See& see) {
  world_->pass(story_nanos(call.wait_seconds, call.wait_nanos));
  if (auto parsed = read(call.returns ? call.other_event : call.event, reader); !parsed.ok()) return parsed;
  Played played{world_->new_call(), std::string(story_id(reader.event().session)), {}};
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
      decision = decide(reader.call(), reader.context(), deciding_, world_->options());
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
  const Decision decision = decide(reader.call(), reader.context(), deciding_, world_->options());
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
    output = story_output(reader.call().arena(), *reader.event().output, decision.obligations);
    released.output = &output;
  }
  const state::CallFacts after = facts(reader, played);
  auto done = played.metered.release(after, released);
  if (done.ok()) return done;
  see(story_denial(done.error().message, story_code(done.error())), false);
  return played.metered.end(state::Ending::executed, &after);
}

}  // namespace ordain::detail
