// Names the fault codes.
#include "ordain/fault.h"

namespace ordain {
std::string_view fault_name(FaultCode code) {
  switch (code) {
    case FaultCode::none:
      return "none";
    case FaultCode::division_by_zero:
      return "division_by_zero";
    case FaultCode::modulus_by_zero:
      return "modulus_by_zero";
    case FaultCode::overflow:
      return "overflow";
    case FaultCode::no_such_key:
      return "no_such_key";
    case FaultCode::index_out_of_bounds:
      return "index_out_of_bounds";
    case FaultCode::no_such_field:
      return "no_such_field";
    case FaultCode::missing_context:
      return "missing_context";
    case FaultCode::no_such_overload:
      return "no_such_overload";
    case FaultCode::undeclared_reference:
      return "undeclared_reference";
    case FaultCode::conversion:
      return "conversion";
    case FaultCode::invalid_argument:
      return "invalid_argument";
    case FaultCode::invalid_regex:
      return "invalid_regex";
    case FaultCode::duplicate_key:
      return "duplicate_key";
    case FaultCode::unsupported_key:
      return "unsupported_key";
    case FaultCode::empty_optional:
      return "empty_optional";
    case FaultCode::cost_budget:
      return "cost_budget";
    case FaultCode::memory_budget:
      return "memory_budget";
    case FaultCode::host_error:
      return "host_error";
  }
  return "unknown";
}

}  // namespace ordain
