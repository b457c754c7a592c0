// Native code before the first decision, for commands with `--engine jit`.
#pragma once

#include "ordain/program.h"

namespace ordain::cli {

/// Makes every predicate native. False, after complaining, if that cannot be.
bool make_native(const Program& program);

}  // namespace ordain::cli
