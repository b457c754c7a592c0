// A LocalState is a store in memory with the meter of one program: what is remembered where no runtime runs.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "runtime/state/metering.h"

namespace ordain::detail {

struct LocalState {
  std::unique_ptr<state::Store> store;
  std::optional<state::Meter> meter;  ///< views the store; always there once it is made

  /// @param options without their time zones, which follow from the program
  /// @param snapshot what the store remembers at first; "": nothing
  static Result<LocalState> make(std::shared_ptr<const Program> program, state::StoreOptions options,
                                 std::string_view snapshot = {});
};

}  // namespace ordain::detail
