// A Fault says why an expression has no value. It is data, not an exception: it travels in the
// Decision.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/export.h"
#include "ordain/value.h"

namespace ordain {

/// The numbers are part of the C ABI and of audit records; append only.
enum class FaultCode : uint16_t {
  none = 0,
  division_by_zero,
  modulus_by_zero,
  overflow,              ///< of int, uint, timestamp or duration arithmetic
  no_such_key,           ///< detail: the key
  index_out_of_bounds,   ///< detail: the index
  no_such_field,         ///< detail: the field's name
  missing_context,       ///< a declared host attribute that the host did not supply; detail: its path
  no_such_overload,      ///< dyn operands that the function does not take; detail: the function's name
  undeclared_reference,  ///< unchecked expressions only; detail: the name
  conversion,            ///< a conversion whose value does not fit; detail: the message
  invalid_argument,      ///< detail: the message
  invalid_regex,         ///< detail: RE2's message
  duplicate_key,         ///< of a map literal; detail: the key
  unsupported_key,       ///< of a map literal: not bool, int, uint or string
  empty_optional,        ///< value() of optional.none()
  cost_budget,           ///< the evaluation cost more than its budget
  memory_budget,         ///< the evaluation's values took more memory than its budget
  host_error,            ///< a function of the host failed; detail: the message
};

/// A fault and where it happened. `detail` lives in the Scratch of the evaluation, or in the
/// Program.
struct Fault {
  FaultCode code = FaultCode::none;
  uint32_t location = UINT32_MAX;  ///< index into Program::locations(); UINT32_MAX: unknown
  Value detail;

  explicit operator bool() const { return code != FaultCode::none; }
};

/// The stable name of a code, such as "division_by_zero".
ORDAIN_API std::string_view fault_name(FaultCode code);

/// The fault as text for people: `no such key "x"`, `division by zero`.
ORDAIN_API std::string fault_message(const Fault& fault);

}  // namespace ordain
