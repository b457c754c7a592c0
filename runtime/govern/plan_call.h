// plan_call: an action of a plan as a governed call.
#pragma once

#include "ordain/plan.h"

namespace ordain::detail {

/// Views of `action` and `rules`.
CallOptions call_options(const Action& action, const std::vector<HostRule>* rules);

}  // namespace ordain::detail
