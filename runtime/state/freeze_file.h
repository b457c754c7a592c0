// The freezes of a database directory lie in its `frozen.json`: a small file that is replaced as a
// whole, so that a runtime sees by one look at its properties whether it changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/freeze.h"

namespace ordain::state {

inline constexpr int64_t kFreezeVersion = 1;
inline constexpr size_t kMostFreezes = 1000;

/// @returns "" if the freeze can be kept, and otherwise what is wrong with it
std::string freeze_problem(const Freeze& freeze);
std::string thaw_problem(const Thaw& thaw);

/// @returns whether the freeze stops calls of the agent
bool freezes(const Freeze& freeze, std::string_view capability, std::string_view agent);

/// Adds a freeze, or replaces the one that has the same capability and agent. @returns error "too_many"
Result<void> put_freeze(std::vector<Freeze>& all, Freeze freeze);
/// @returns error "not_frozen" if there is none to lift
Result<void> take_freeze(std::vector<Freeze>& all, const Thaw& thaw);

/// What tells one version of the file from another.
struct FreezeMark {
  uint64_t device = 0, file = 0;
  int64_t size = 0, modified_ns = 0, changed_ns = 0;
  bool operator==(const FreezeMark&) const = default;
};
/// @returns nothing if there is no file; error "database_unreadable"
Result<std::optional<FreezeMark>> mark_of_freezes(const std::string& directory);

/// @returns the freezes; none if there is no file. Error "database_unreadable" or "database_damaged"
Result<std::vector<Freeze>> read_freezes(const std::string& directory);

/// Changes the freezes while no other process does. The file is replaced only if `change` succeeds, and is on disk when
/// this returns. @returns an error of `change`, or a "database_..." error
Result<void> change_freezes(const std::string& directory,
                            const std::function<Result<void>(std::vector<Freeze>&)>& change);

}  // namespace ordain::state
