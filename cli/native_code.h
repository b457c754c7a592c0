// Native code before the first decision, for commands with `--engine jit`.
#pragma once

#include <string>

#include "ordain/program.h"

namespace ordain::cli {

/// Makes every predicate native. False, after complaining, if that cannot be.
/// @param cache the directory where native code is kept for the next run, or ""
bool make_native(const Program& program, uint32_t threads = 1, const std::string& cache = "");

}  // namespace ordain::cli
