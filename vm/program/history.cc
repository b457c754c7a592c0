// Look-ups in what a Program declares about history, and the names of its parts.
#include "ordain/history.h"

#include <iterator>

#include "vm/program/linked_program.h"

namespace ordain {
namespace {

constexpr std::string_view kStateKindNames[] = {"history", "rate", "budget"};
constexpr std::string_view kStateVerbNames[] = {"begun", "done", "failed", "denied"};
constexpr std::string_view kBudgetPeriodNames[] = {"none", "at once", "hour", "day", "week", "month"};
constexpr std::string_view kKeySourceNames[] = {"session",     "agent", "principal", "tenant",
                                                "environment", "path",  "literal"};
constexpr std::string_view kStateMemberNames[] = {"seen",  "count", "running", "sum",  "last", "first",
                                                  "after", "ok",    "wait",    "left", "used"};
static_assert(std::size(kStateMemberNames) == kStateMembers);

template <typename Enum, size_t N>
std::string_view name_in(const std::string_view (&names)[N], Enum value) {
  const auto i = static_cast<size_t>(value);
  return i < N ? names[i] : std::string_view("?");
}

}  // namespace

std::string_view to_string(StateKind kind) { return name_in(kStateKindNames, kind); }
std::string_view to_string(StateVerb verb) { return name_in(kStateVerbNames, verb); }
std::string_view to_string(BudgetPeriod period) { return name_in(kBudgetPeriodNames, period); }
std::string_view to_string(KeySource source) { return name_in(kKeySourceNames, source); }
std::string_view to_string(StateMember member) { return name_in(kStateMemberNames, member); }

std::optional<StateMember> find_state_member(std::string_view name) {
  for (uint32_t i = 0; i < kStateMembers; ++i) {
    if (kStateMemberNames[i] == name) return static_cast<StateMember>(i);
  }
  return std::nullopt;
}

const HistoryTables& history_tables(const Program& program) { return vm::data_of(program).history; }

const CapabilityState* find_capability_state(const HistoryTables& tables, CapabilityId id) {
  if (tables.capabilities.empty()) return nullptr;
  const CapabilityState& state = id < tables.capabilities.size() ? tables.capabilities[id] : tables.capabilities.back();
  return state.any() ? &state : nullptr;
}

}  // namespace ordain
