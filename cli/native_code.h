// Native code before the first decision, for commands with `--engine jit`.
#pragma once

#include <string>

#include "ordain/program.h"

namespace ordain::cli {

/// Compiles every predicate to native code. False, after complaining, if that fails.
/// @param cache the directory where native code is kept for the next run, or ""
bool make_native(const Program& program, uint32_t threads = 1, const std::string& cache = "");

}  // namespace ordain::cli
