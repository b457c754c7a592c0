// state_members.cc lists the members of docs/history.md and finds what they are read of.
#include "lsp/state_members.h"

#include <string>

#include "lsp/place.h"

namespace ordain::lsp {
namespace {

constexpr std::string_view kAsItsAmount = "the type of its amount";
constexpr StateMemberHelp kMembers[] = {
    {StateKind::history, "seen", "bool", "Whether there is such a call in the window, without this one."},
    {StateKind::history, "count", "int", "How many such calls are in the window, with this one."},
    {StateKind::history, "running", "int", "How many have begun and have no outcome yet, with this one."},
    {StateKind::history, "sum", kAsItsAmount, "The sum of their amounts in the window, with this call."},
    {StateKind::history, "last", "timestamp", "When the latest was; absent if there was none. Guard it with `.seen`."},
    {StateKind::history, "first", "timestamp", "When the first was; absent if there was none. Guard it with `.seen`."},
    {StateKind::history, "after", "bool",
     "Whether there was one, and later than the last of the other history, or that has none.", true},
    {StateKind::rate, "ok", "bool", "Whether this call is within the rate."},
    {StateKind::rate, "wait", "duration", "How long until a call is; nothing if `.ok`."},
    {StateKind::budget, "left", kAsItsAmount,
     "What is left in the period, with this call; below zero if it is too much."},
    {StateKind::budget, "used", kAsItsAmount, "What is used in the period, with this call."},
};

// Where the `[` is whose `]` ends the text; npos if there is none. Indexes hold no brackets but of their own.
size_t start_of_index(std::string_view text) {
  int depth = 0;
  for (size_t at = text.size(); at-- > 0;) {
    if (text[at] == ']') ++depth;
    if (text[at] == '[' && --depth == 0) return at;
    if (text[at] == ';' || text[at] == '{' || text[at] == '}') break;
  }
  return std::string_view::npos;
}

}  // namespace

std::span<const StateMemberHelp> state_members() { return kMembers; }

const StateMemberHelp* find_state_member(StateKind kind, std::string_view name) {
  for (const StateMemberHelp& each : kMembers) {
    if (each.kind == kind && each.name == name) return &each;
  }
  return nullptr;
}

std::optional<StateKind> state_before(const SymbolIndex& symbols, std::string_view package, std::string_view text,
                                      size_t end) {
  if (end > 0 && text.substr(0, end).ends_with(']')) {
    const size_t start = start_of_index(text.substr(0, end));
    if (start == std::string_view::npos) return std::nullopt;
    end = start;
  }
  std::string name;
  for (const std::string_view segment : dotted_word_at(text, end).segments) {
    name += (name.empty() ? "" : ".") + std::string(segment);
  }
  const uint32_t found = name.empty() ? UINT32_MAX : symbols.find_value(package, name);
  if (found == UINT32_MAX || symbols.symbols()[found].kind != SymbolKind::state) return std::nullopt;
  return symbols.symbols()[found].state;
}

}  // namespace ordain::lsp
