// The native tier: a Program's predicates as machine code. Optional: a build without LLVM has no such header's library.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain {

struct NativeOptions {
  int optimisation = 1;  ///< 0, 1 or 2, as -O of a compiler
  uint32_t predicates_per_module = 32;
  uint32_t threads = 1;                       ///< to compile on, the calling one included
  const std::atomic<bool>* cancel = nullptr;  ///< set by another thread: stop after the module under way
};

struct NativeReport {
  uint32_t predicates = 0;  ///< compiled
  size_t code_bytes = 0;
  double milliseconds = 0;
};

/// Compiles every predicate of `program` to native code and publishes each as it is ready; decisions under way are not
/// disturbed. The code lives as long as the program. May be called from any thread; costs milliseconds to seconds.
/// @returns error code "native_unavailable", "native_failed" or "cancelled"; then the interpreter goes on serving.
Result<NativeReport> compile_native(const Program& program, const NativeOptions& options = {});

/// The same on a thread of its own; a large program is compiled at level 0 first. The program's end stops and awaits that thread.
void compile_native_in_background(const Program& program, const NativeOptions& options = {});

}  // namespace ordain
