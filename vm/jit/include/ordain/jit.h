// Compiles the predicates of a Program to native code. This is optional: without LLVM this
// library is not built.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ordain/export.h"
#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain {

struct NativeOptions {
  /// 0, 1 or 2, like -O of a compiler, for the predicates that determine the time of a decision:
  /// those that are evaluated together with many others, and, unless there are too many, all that
  /// decisions evaluate or that loop. The others get level 0.
  int optimisation = 1;
  uint32_t predicates_per_module = 32;        ///< of optimised code; four times as many of simple code
  uint32_t threads = 1;                       ///< to compile on, including the calling one
  bool standalone = false;                    ///< handles faults itself, without the interpreter; is larger
  const std::atomic<bool>* cancel = nullptr;  ///< another thread may set it: stop after this module
  /// If many predicates are to be optimised, first make simple code for all of them, which takes a
  /// tenth of the time.
  bool simple_first = false;
  std::vector<std::string> first;  ///< capabilities to compile before all others: those called most
  /// A directory that caches compiled code by content, or "" for none. It must belong to the
  /// process's user, who alone may have access; it is created if missing. See docs/embedding.md.
  std::string cache_directory;
  uint64_t cache_bytes = uint64_t{256} << 20;  ///< size limit; the least recently used files go first
};

struct NativeReport {
  uint32_t predicates = 0;  ///< number that were compiled
  uint32_t optimised = 0;   ///< number among them with more than simple code
  size_t code_bytes = 0;
  double milliseconds = 0;
  bool from_cache = false;  ///< nothing had to be compiled
};

/// Compiles every predicate of `program` to native code and publishes each when it is ready,
/// without disturbing decisions in progress. The code lives as long as the program. May be called
/// from any thread; takes milliseconds to seconds.
/// @returns error code "native_unavailable", "native_failed", "cancelled", or "unsafe_cache" if the
/// cache directory is not safe to keep code in (then nothing was compiled). After an error the
/// interpreter continues to serve.
ORDAIN_API Result<NativeReport> compile_native(const Program& program, const NativeOptions& options = {});

/// Does the same on a thread of its own, simple code first, and without a cache if its directory is
/// not safe. When the program ends, it stops that thread and waits for it.
ORDAIN_API void compile_native_in_background(const Program& program, const NativeOptions& options = {});

/// Creates the cache directory if it is missing, and checks that it is safe. It is for hosts that
/// compile in the background, where nothing reports an unsafe directory.
/// @returns error code "unsafe_cache" with the reason
ORDAIN_API Result<void> check_native_cache(const std::string& directory);

/// The version of LLVM that this library was built with, such as "19.1.7".
ORDAIN_API std::string llvm_version();

}  // namespace ordain
