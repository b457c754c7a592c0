// CallOptions: what one call may bring besides its input.
#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "ordain/identity.h"
#include "ordain/schema.h"
#include "ordain/value.h"

namespace ordain {

struct HostRule;

/// The risk of an action: none, low, medium, high, critical (0 to 4), or a number of the host's own. A name that is
/// none of these, a negative number and NaN are refused with the call (invalid_input).
struct ActionRisk {
  double value = 0;

  constexpr ActionRisk(double number) : value(number) {}                          // NOLINT(google-explicit-constructor)
  constexpr ActionRisk(Risk level) : value(static_cast<double>(level)) {}         // NOLINT(google-explicit-constructor)
  constexpr ActionRisk(const char* name) : ActionRisk(std::string_view(name)) {}  // NOLINT(google-explicit-constructor)
  constexpr ActionRisk(std::string_view name)                                     // NOLINT(google-explicit-constructor)
      : value(std::numeric_limits<double>::quiet_NaN()) {
    if (const std::optional<Risk> risk = find_risk(name)) value = static_cast<double>(*risk);
  }
  /// 0.2, 0.5, 0.8 and 1.0 for low, medium, high and critical; straight lines between them, from 0 for none.
  constexpr double confidence() const {
    constexpr double kAt[] = {0.0, 0.2, 0.5, 0.8, 1.0};
    if (!(value > 0)) return 0;
    if (value >= 4) return 1;
    auto below = static_cast<size_t>(value);
    return kAt[below] + (value - static_cast<double>(below)) * (kAt[below + 1] - kAt[below]);
  }
};

/// What one call may bring besides its input. Everything is optional; views must live until the call returns.
struct CallOptions {
  const Identity* identity = nullptr;  ///< nullptr: the runtime's own
  std::string_view trace = {};         ///< made where empty
  std::string_view parent = {};        ///< id of the action that led to this one
  std::string_view type = {}, target = {}, description = {};
  std::optional<ActionRisk> risk = {};  ///< of this action; the capability's otherwise
  Value resource = Value::null();       ///< a map, or a string: its id
  Value metadata = Value::null();       ///< a map; from the agent, so never trusted
  /// Native rules for this call alone, after those of the runtime.
  const std::vector<HostRule>* rules = nullptr;
};

}  // namespace ordain
