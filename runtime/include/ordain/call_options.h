// CallOptions: what one call may bring besides its input.
#pragma once

#include <optional>
#include <string_view>

#include "ordain/identity.h"
#include "ordain/value.h"

namespace ordain {

/// What one call may bring besides its input. Everything is optional; views must live until the call returns.
struct CallOptions {
  const Identity* identity = nullptr;  ///< nullptr: the runtime's own
  std::string_view trace = {};         ///< made where empty
  std::string_view parent = {};        ///< id of the action that led to this one
  std::string_view type = {}, target = {}, description = {};
  std::optional<double> risk = {};  ///< of this action; the capability's otherwise
  Value resource = Value::null();   ///< a map, or a string: its id
  Value metadata = Value::null();   ///< a map; from the agent, so never trusted
};

}  // namespace ordain
