#include "cli/native_code.h"

#include "cli/terminal.h"
#include "embed/code_generator.h"

namespace ordain::cli {

std::string choose_engine(const std::string& wanted) {
  if (wanted != "jit") return wanted;
  const auto generator = detail::open_code_generator();
  if (generator) return wanted;
  complain("warning: the interpreter decides, because there is no native code: " + generator.error().message);
  return "interpreter";
}

bool make_native(const Program& program, uint32_t threads, const std::string& cache) {
  const auto generator = detail::open_code_generator();
  if (!generator) {
    complain(generator.error().message);
    return false;
  }
  Result<NativeReport> report =
      (*generator)->compile(program, {.threads = threads, .standalone = true, .cache_directory = cache});
  if (!report) {
    complain(report.error().message);
    return false;
  }
  if (!program.fully_native()) {
    complain("not every rule could be compiled to native code");
    return false;
  }
  return true;
}

}  // namespace ordain::cli
