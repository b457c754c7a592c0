// The native tier: a Program's predicates as machine code. Optional: a build without LLVM has no such header's library.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain {

struct NativeOptions {
  /// 0, 1 or 2, as -O of a compiler, for predicates whose code a decision's time depends on: what is tried along with
  /// many others, and, where they are not too many, all that decisions try or that loops. The others get level 0.
  int optimisation = 1;
  uint32_t predicates_per_module = 32;        ///< of optimised code; four times as many of simple code
  uint32_t threads = 1;                       ///< to compile on, the calling one included
  bool standalone = false;                    ///< never goes on in the interpreter: handles faults too, and is larger
  const std::atomic<bool>* cancel = nullptr;  ///< set by another thread: stop after the module under way
  /// Where optimised code is wanted for many predicates: first simple code for all, in a tenth of the time.
  bool simple_first = false;
  std::vector<std::string> first;  ///< capabilities whose predicates come before all others: those that are called most
  /// A directory for what was compiled, by content, or "" for none. It must belong to the process's user, who alone may
  /// have access; made if it is not there. See docs/embedding.md.
  std::string cache_directory;
  uint64_t cache_bytes = uint64_t{256} << 20;  ///< what the cache may hold; then the files used longest ago go
};

struct NativeReport {
  uint32_t predicates = 0;  ///< compiled
  uint32_t optimised = 0;   ///< those of them with more than simple code
  size_t code_bytes = 0;
  double milliseconds = 0;
  bool from_cache = false;  ///< nothing had to be compiled
};

/// Compiles every predicate of `program` to native code and publishes each as it is ready; decisions under way are not
/// disturbed. The code lives as long as the program. May be called from any thread; costs milliseconds to seconds.
/// @returns error code "native_unavailable", "native_failed", "cancelled", or "unsafe_cache" where the cache directory
/// is not fit to keep code in (then nothing was compiled); then the interpreter goes on serving.
Result<NativeReport> compile_native(const Program& program, const NativeOptions& options = {});

/// The same on a thread of its own, simple code first; without a cache where its directory is not fit. The program's end
/// stops and awaits that thread.
void compile_native_in_background(const Program& program, const NativeOptions& options = {});

/// Makes the cache directory if it is not there, and says whether it is fit: for a host that compiles in the background,
/// where nobody is told.
/// @returns error code "unsafe_cache" naming what is wrong.
Result<void> check_native_cache(const std::string& directory);

/// The version of LLVM that this library was built with, such as "19.1.7".
std::string llvm_version();

}  // namespace ordain
