// What `ordain diff` says without events: which rules differ.
#pragma once

#include "ordain/program.h"

namespace ordain::cli {

/// Prints how the rules of two sets of policies differ. @returns the exit code: kFindings if they do
int show_rule_diff(const Program& older, const Program& newer, bool json);

}  // namespace ordain::cli
