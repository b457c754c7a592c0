// Writes the messages of faults. They lie in this room because they show values as JSON.
#include "ordain/fault.h"
#include "ordain/json.h"

namespace ordain {
namespace {

// A container may be small to make but large to write, so its type is shown instead.
bool is_container(const Value& detail) {
  return detail.kind == Kind::list || detail.kind == Kind::map || detail.kind == Kind::optional;
}

std::string text_of(const Value& detail) {
  if (is_container(detail)) return std::string(type_name(detail.kind));
  return detail.is(Kind::string) ? std::string(detail.as_text()) : to_json(detail);
}

std::string quoted(const Value& detail) {
  return is_container(detail) ? "of type " + std::string(type_name(detail.kind)) : to_json(detail);
}

// Writes "what: detail", or "what" alone if an exhausted arena lost the detail.
std::string with_detail(std::string_view what, const Value& detail) {
  std::string out(what);
  if (detail.present()) out += ": " + text_of(detail);
  return out;
}

std::string with_quoted(std::string_view what, const Value& detail) {
  std::string out(what);
  if (detail.present()) out += " " + quoted(detail);
  return out;
}

}  // namespace

std::string fault_message(const Fault& fault) {
  const Value& detail = fault.detail;
  switch (fault.code) {
    case FaultCode::none:
      return "no fault";
    case FaultCode::division_by_zero:
      return "division by zero";
    case FaultCode::modulus_by_zero:
      return "modulus by zero";
    case FaultCode::overflow:
      return with_detail("overflow", detail);
    case FaultCode::no_such_key:
      return with_quoted("no such key", detail);
    case FaultCode::index_out_of_bounds:
      return with_quoted("index out of bounds", detail);
    case FaultCode::no_such_field:
      return with_quoted("no such field", detail);
    case FaultCode::missing_context:
      return with_detail("the host did not supply a declared attribute", detail);
    case FaultCode::no_such_overload:
      return with_detail("no such overload", detail);
    case FaultCode::undeclared_reference:
      return with_detail("undeclared reference", detail);
    case FaultCode::conversion:
      return with_detail("conversion failed", detail);
    case FaultCode::invalid_argument:
      return with_detail("invalid argument", detail);
    case FaultCode::invalid_regex:
      return with_detail("invalid regular expression", detail);
    case FaultCode::duplicate_key:
      return with_quoted("duplicate key", detail);
    case FaultCode::unsupported_key:
      return with_detail("a map key must be bool, int, uint or string", detail);
    case FaultCode::empty_optional:
      return "value() of an empty optional";
    case FaultCode::cost_budget:
      return "the evaluation cost more than its budget";
    case FaultCode::memory_budget:
      return "the evaluation took more memory than its budget";
    case FaultCode::host_error:
      return with_detail("a function of the host failed", detail);
  }
  return "unknown fault";
}

}  // namespace ordain
