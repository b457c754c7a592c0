// state_members.h says what can be read of histories, rates and budgets.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "lsp/symbols.h"

namespace ordain::lsp {

/// What rules read of a state, as `spend.left`.
struct StateMemberHelp {
  StateKind kind = StateKind::history;
  std::string_view name;
  std::string_view type;
  std::string_view text;
  bool is_called = false;  ///< it takes an argument
};

std::span<const StateMemberHelp> state_members();
const StateMemberHelp* find_state_member(StateKind kind, std::string_view name);

/// The kind of the state that is named right before `end`, with or without an index: `spend`, `approved[input.id]`.
/// @param package of the file
/// @returns nullopt if none is
std::optional<StateKind> state_before(const SymbolIndex& symbols, std::string_view package, std::string_view text,
                                      size_t end);

}  // namespace ordain::lsp
