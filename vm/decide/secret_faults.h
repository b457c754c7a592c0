// secret_faults keeps the values of secret fields out of faults: a fault may show the value that it is about.
#pragma once

#include "ordain/fault.h"
#include "ordain/schema.h"

namespace ordain::vm {

/// Removes from a fault of a call what may show a value, if the capability has secret fields. Names remain: of the
/// attribute that the host did not supply, and of functions.
inline void conceal_values(const Schema& schema, CapabilityId capability, Fault* fault) {
  if (capability == kNone || schema.capabilities[capability].secrets.empty()) return;
  const bool names = fault->code == FaultCode::missing_context || fault->code == FaultCode::no_such_overload ||
                     fault->code == FaultCode::undeclared_reference;
  if (!names) fault->detail = Value();
}

}  // namespace ordain::vm
