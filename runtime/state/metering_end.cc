// metering_end.cc ends metered calls: it changes the session's labels, settles what was held, and
// counts outcomes.
#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "runtime/state/call_values.h"
#include "runtime/state/metering.h"
#include "runtime/state/words.h"

namespace ordain::state {
namespace {

bool share_group(std::span<const std::string> approved_by, const std::vector<std::string>& groups) {
  return std::any_of(approved_by.begin(), approved_by.end(), [&](const std::string& group) {
    return std::find(groups.begin(), groups.end(), group) != groups.end();
  });
}

/// @returns the words of an output, each once. There may be one more than a session keeps: it then knows that it lacks
/// some.
std::vector<uint64_t> words_of_output(const Value& output) {
  const size_t most = Limits().words + 1;
  std::unordered_set<uint64_t> found;
  for (std::string_view text : texts_in(output)) {
    for (const std::string& word : split_words(text)) {
      if (found.size() < most) found.insert(hash_word(word));
    }
  }
  std::vector<uint64_t> out(found.begin(), found.end());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

/// A rule whose condition faults raises its label, and clears nothing. What the same output raises is not cleared.
LabelChanges MeteredCall::changes_of(const CallFacts& after, const Released& released) const {
  LabelChanges out;
  const CapabilityState* state = state_of(after.call);
  if (state == nullptr) return out;
  out.raised = state->labels;
  for (uint32_t i = 0; i < state->label_rules.count; ++i) {
    const LabelRule& rule = tables_.label_rules[state->label_rules.first + i];
    if (!applies(rule.target_set, after.call)) continue;
    const auto bit = static_cast<LabelSet>(1u << rule.label);
    const auto when = test_condition(after, rule.when);
    if (rule.what == LabelRule::raise) {
      if (when.value_or(true)) out.raised |= bit;
    } else if (when.value_or(false) && share_group(released.approved_by, rule.groups)) {
      out.cleared |= bit;
    }
  }
  out.cleared &= static_cast<LabelSet>(~out.raised);
  return out;
}

Result<void> MeteredCall::change_labels(const CallFacts& after, const Released& released) {
  const LabelChanges changes = changes_of(after, released);
  if (changes.raised == 0 && changes.cleared == 0) return {};
  const std::string session(after.session);
  if (session.empty()) return Error{"missing_context", "the host names no session whose labels could change"};
  if (changes.raised != 0) {
    std::vector<uint64_t> words;
    if (released.output != nullptr && (changes.raised & meter_.carried()) != 0)
      words = words_of_output(*released.output);
    if (auto raised = store_.raise(session, changes.raised, std::move(words)); !raised.ok()) return raised;
    changes_.raised = changes.raised;
  }
  if (changes.cleared != 0) {
    if (auto cleared = store_.clear(session, changes.cleared); !cleared.ok()) return cleared;
    changes_.cleared = changes.cleared;
  }
  return {};
}

std::vector<Settlement> MeteredCall::settle_all(Ending ending, const CallFacts* after) const {
  std::vector<Settlement> out;
  for (const HeldBudget& held : held_) {
    std::optional<Amount> actual;
    if (after != nullptr && held.effect->settle != kNone) {
      auto settled = evaluate_amount(*after, held.effect->settle, tables_.states[held.effect->state]);
      if (settled.ok()) actual = *settled;
    }
    out.push_back(settle(held.hold, ending, irreversible_, actual));
  }
  return out;
}

/// A call whose lease ended while it ran has released what it held; its outcome is counted all the same.
Result<void> MeteredCall::finish(Ending ending, const CallFacts* after, const std::vector<Stamp>& stamps) {
  if (open_) {
    auto finished = store_.finish(start_.call, settle_all(ending, after), stamps);
    if (finished.ok()) {
      sequence_ = *finished;
      open_ = false;
      return {};
    }
    if (finished.error().code != "unknown_call") return finished.error();
    open_ = false;
  }
  if (stamps.empty()) return {};
  auto noted = store_.note(stamps);
  if (!noted.ok()) return noted.error();
  sequence_ = *noted;
  return {};
}

Result<void> MeteredCall::release(const CallFacts& after, const Released& released) {
  const std::vector<Stamp> stamps = done_stamps(after, released.output != nullptr);
  if (auto changed = change_labels(after, released); !changed.ok()) return changed;
  return finish(Ending::executed, &after, stamps);
}

Result<void> MeteredCall::end(Ending ending, const CallFacts* after) {
  return finish(ending, after, ending == Ending::failed ? failed_ : std::vector<Stamp>());
}

}  // namespace ordain::state
