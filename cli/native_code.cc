#include "cli/native_code.h"

#include "cli/terminal.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::cli {

bool make_native(const Program& program, uint32_t threads, const std::string& cache) {
#ifdef ORDAIN_HAS_JIT
  Result<NativeReport> report =
      compile_native(program, {.threads = threads, .standalone = true, .cache_directory = cache});
  if (!report) {
    complain(report.error().message);
    return false;
  }
  if (!program.fully_native()) {
    complain("not every rule could be compiled to native code");
    return false;
  }
  return true;
#else
  (void)program, (void)threads, (void)cache;
  complain("this build has no native code; use --engine interpreter");
  return false;
#endif
}

}  // namespace ordain::cli
