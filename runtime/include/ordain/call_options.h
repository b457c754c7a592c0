// CallOptions holds what a caller can add to one call besides its input.
#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "ordain/export.h"
#include "ordain/identity.h"
#include "ordain/schema.h"
#include "ordain/value.h"

namespace ordain {

struct HostRule;
struct DetachedDecision;

/// The risk of an action: none, low, medium, high, critical (0 to 4), or a number of the host's
/// own. A call with any other name, a negative number or NaN is refused (invalid_input).
struct ActionRisk {
  double value = 0;

  constexpr ActionRisk(double number) : value(number) {}                          // NOLINT(google-explicit-constructor)
  constexpr ActionRisk(Risk level) : value(static_cast<double>(level)) {}         // NOLINT(google-explicit-constructor)
  constexpr ActionRisk(const char* name) : ActionRisk(std::string_view(name)) {}  // NOLINT(google-explicit-constructor)
  constexpr ActionRisk(std::string_view name)                                     // NOLINT(google-explicit-constructor)
      : value(std::numeric_limits<double>::quiet_NaN()) {
    if (const std::optional<Risk> risk = find_risk(name)) value = static_cast<double>(*risk);
  }
  /// @returns 0.2, 0.5, 0.8 and 1.0 for low, medium, high and critical, linear between them,
  /// starting at 0 for none
  constexpr double confidence() const {
    constexpr double kAt[] = {0.0, 0.2, 0.5, 0.8, 1.0};
    if (!(value > 0)) return 0;
    if (value >= 4) return 1;
    auto below = static_cast<size_t>(value);
    return kAt[below] + (value - static_cast<double>(below)) * (kAt[below + 1] - kAt[below]);
  }
};

/// The options of one call. All are optional; views must live until the call returns.
struct ORDAIN_API CallOptions {
  const Identity* identity = nullptr;  ///< the runtime's own if nullptr
  std::string_view trace = {};         ///< generated if empty
  std::string_view parent = {};        ///< id of the action that led to this one
  std::string_view type = {}, target = {}, description = {};
  std::optional<ActionRisk> risk = {};  ///< of this action; if empty, the capability's
  Value resource = Value::null();       ///< a map, or a string, which is its id
  Value metadata = Value::null();       ///< a map; it comes from the agent and is never trusted
  /// Host rules for this call alone, which are asked after the runtime's own.
  const std::vector<HostRule>* rules = nullptr;
  /// What is known to be wrong with the call's facts, such as EventReader::flaw. If it is not empty,
  /// the call is denied with code invalid_input, and recorded.
  std::string_view flaw = {};
  /// Receive the rules' own decisions of a governed call, if they are not nullptr: `before` is set
  /// before the tool runs, and `after` once the output is decided. A call that takes its before
  /// decision again, because an approval was given, sets it again.
  DetachedDecision* before = nullptr;
  DetachedDecision* after = nullptr;
};

}  // namespace ordain
