// freeze_act says in the words of the audit log who froze calls, and who lifted that.
#pragma once

#include "ordain/freeze.h"
#include "runtime/audit/act.h"

namespace ordain::state {

/// The results view their arguments.
inline detail::Act act_of(const Freeze& freeze) {
  detail::Act out;
  out.what = "freeze";
  out.by = freeze.by;
  out.capability = freeze.capability;
  out.agent = freeze.agent;
  out.because = freeze.because;
  out.time_ns = freeze.since_ns;
  return out;
}
inline detail::Act act_of(const Thaw& thaw, int64_t now_ns) {
  detail::Act out;
  out.what = "thaw";
  out.by = thaw.by;
  out.capability = thaw.capability;
  out.agent = thaw.agent;
  out.because = thaw.because;
  out.time_ns = now_ns;
  return out;
}

}  // namespace ordain::state
