// plan_call turns an action of a plan into a governed call.
#pragma once

#include "ordain/plan.h"

namespace ordain::detail {

/// @returns options that view `action` and `rules`
CallOptions call_options(const Action& action, const std::vector<HostRule>* rules);

}  // namespace ordain::detail
