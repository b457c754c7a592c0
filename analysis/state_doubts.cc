// state_doubts.cc finds which states depend on what is not known, and for how long.
#include "analysis/state_doubts.h"

#include <algorithm>
#include <limits>

#include "runtime/state/call_values.h"
#include "vm/program/linked_program.h"

namespace ordain::detail {
namespace {

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
constexpr int64_t kDoubtSecond = 1'000'000'000;
constexpr size_t kMostDoubtedKeys = 100'000;  ///< of one state; then all of its keys are doubted

/// The longest that a period may be, in hours.
int64_t longest_hours(BudgetPeriod period) {
  switch (period) {
    case BudgetPeriod::hour:
      return 1;
    case BudgetPeriod::day:
      return 26;
    case BudgetPeriod::week:
      return 7 * 24 + 2;
    case BudgetPeriod::month:
      return 31 * 24 + 2;
    default:
      return 0;
  }
}

}  // namespace

StateDoubts::StateDoubts(const Program& program, const UnknownFacts& unknown)
    : program_(program),
      tables_(history_tables(program)),
      unknown_(unknown),
      doubted_(history_tables(program).states.size()) {}

bool StateDoubts::applies(const StateEffect& effect, const CapabilityRef& capability) const {
  return effect.target_set == kNone || (data_of(program_).target_sets[effect.target_set] & capability.globs).any();
}

bool StateDoubts::hides_key(TableRange keys, std::span<const std::string_view> unknown) const {
  for (uint32_t i = 0; i < keys.count; ++i) {
    const KeyPart& part = tables_.key_parts[keys.first + i];
    if (part.source == KeySource::path && unknown_.depends_on_slot(part.slot, unknown)) return true;
  }
  return false;
}

/// @returns nothing if the call lacks a part of the key
std::optional<std::string> StateDoubts::key_of(const state::CallFacts& facts, StateId state, TableRange keys) const {
  std::string key;
  const KeyPart* missing = state::build_key(facts, tables_.states[state], keys, false, &key);
  return missing == nullptr ? std::optional(std::move(key)) : std::nullopt;
}

std::vector<StateDoubt> StateDoubts::find(const state::CallFacts& facts, Stage stage, bool denials,
                                          std::span<const std::string_view> unknown) const {
  std::vector<StateDoubt> out;
  const CapabilityState* state = find_capability_state(tables_, facts.call.capability().id);
  if (state == nullptr || unknown.empty()) return out;
  for (uint32_t i = 0; i < state->effects.count; ++i) {
    const StateEffect& effect = tables_.effects[state->effects.first + i];
    const bool counts_denials = tables_.states[effect.state].verb == StateVerb::denied;
    if (counts_denials != denials || !applies(effect, facts.call.capability())) continue;
    const bool hidden = hides_key(effect.keys, unknown);
    const bool open =
        effect.stage == stage && (unknown_.depends(effect.when, unknown) || unknown_.depends(effect.amount, unknown));
    const bool settles = stage == Stage::after && unknown_.depends(effect.settle, unknown);
    if (!hidden && !open && !settles) continue;
    out.push_back({effect.state, hidden ? std::nullopt : key_of(facts, effect.state, effect.keys)});
  }
  return out;
}

/// What has no end of its own is forgotten with its session, or never.
int64_t StateDoubts::end_of(StateId state, int64_t now_ns) const {
  const StateDecl& declared = tables_.states[state];
  if (declared.kind == StateKind::budget) {
    const int64_t hours = longest_hours(declared.period);
    return hours == 0 ? kForever : state::add_times(now_ns, hours * 3600 * kDoubtSecond);
  }
  const int64_t window = state::define_state(declared).window_ns;
  if (declared.kind == StateKind::rate) {
    const auto seconds = static_cast<int64_t>(std::min<uint64_t>(declared.window_seconds, UINT32_MAX));
    return state::add_times(now_ns, (seconds + 1) * kDoubtSecond);
  }
  return window == 0 ? kForever : state::add_times(now_ns, window);
}

void StateDoubts::keep(const std::vector<StateDoubt>& doubts, int64_t now_ns) {
  for (const StateDoubt& doubt : doubts) {
    Doubted& in = doubted_[doubt.state];
    in.last = std::max(in.last.value_or(now_ns), now_ns);
    const int64_t end = end_of(doubt.state, now_ns);
    if (doubt.key && in.until.size() < kMostDoubtedKeys) {
      int64_t& until = in.until.try_emplace(*doubt.key, end).first->second;
      until = std::max(until, end);
    } else {
      in.all_until = std::max(in.all_until, end);
    }
  }
}

void StateDoubts::keep_all(int64_t now_ns) {
  for (StateId state = 0; state < doubted_.size(); ++state) keep({{state, std::nullopt}}, now_ns);
}

void StateDoubts::keep_state(std::string_view name, int64_t now_ns) {
  for (StateId state = 0; state < doubted_.size(); ++state) {
    if (tables_.states[state].name == name) keep({{state, std::nullopt}}, now_ns);
  }
}

bool StateDoubts::has(StateId state, const std::string& key, int64_t now_ns) const {
  const Doubted& in = doubted_[state];
  if (in.all_until >= now_ns) return true;
  const auto found = in.until.find(key);
  return found != in.until.end() && found->second >= now_ns;
}

std::vector<std::string_view> StateDoubts::slots(const state::CallFacts& facts, const std::vector<StateDoubt>& own,
                                                 std::span<const std::string_view> unknown, int64_t now_ns) const {
  std::vector<std::string_view> out;
  const std::vector<Slot>& all = program_.schema().slots;
  const CapabilityState* capability = find_capability_state(tables_, facts.call.capability().id);
  const std::string session(facts.session);
  const auto is_doubtful = [&](StateId state, const std::string& key) {
    if (has(state, key, now_ns)) return true;
    return std::any_of(own.begin(), own.end(), [&](const StateDoubt& doubt) {
      return doubt.state == state && (!doubt.key || *doubt.key == key);
    });
  };
  const auto stage = static_cast<size_t>(facts.call.stage());
  const TableRange reads = capability != nullptr ? capability->reads[stage] : TableRange{};
  for (uint32_t i = 0; i < reads.count; ++i) {
    const StateRead& read = tables_.reads[tables_.read_list[reads.first + i]];
    const bool hidden = hides_key(read.keys, unknown);
    const auto key = key_of(facts, read.state, read.keys);  // a key that the call lacks is known to be missing
    if (hidden || (key && (is_doubtful(read.state, *key) || (read.other != kNone && is_doubtful(read.other, *key)))))
      out.push_back(all[read.slot].path);
  }
  const TableRange texts = capability != nullptr ? capability->texts[stage] : TableRange{};
  for (uint32_t i = 0; i < texts.count; ++i) {
    const TextRead& text = tables_.texts[tables_.text_list[texts.first + i]];
    const bool forgets =
        text.what == TextRead::carries && (in_session(words_, session) || in_session(labels_, session));
    if (forgets || unknown_.depends(text.text, unknown)) out.push_back(all[text.slot].path);
  }
  if (tables_.session_labels != kNone && has_labels(session)) out.push_back(all[tables_.session_labels].path);
  return out;
}

void StateDoubts::add_session(Sessions& to, const std::string& session) {
  if (to.some.size() < kMostDoubtedKeys) {
    to.some.insert(session);
  } else {
    to.all = true;
  }
}

bool StateDoubts::in_session(const Sessions& in, std::string_view session) {
  return in.all || in.some.contains(session);
}

}  // namespace ordain::detail
