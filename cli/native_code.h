// Native code before the first decision, for commands with `--engine jit`. The code generator is opened here, when it
// is first needed.
#pragma once

#include <string>

#include "ordain/program.h"

namespace ordain::cli {

/// The engine that decides where `wanted` is asked for. Without a code generator that is always the interpreter, and
/// if `wanted` is "jit", a complaint says so.
std::string choose_engine(const std::string& wanted);

/// Compiles every predicate to native code. False, after complaining, if that fails.
/// @param cache the directory where native code is kept for the next run, or ""
bool make_native(const Program& program, uint32_t threads = 1, const std::string& cache = "");

}  // namespace ordain::cli
