// The static libraries of a build with LLVM link the code generator.
#include "embed/start_native_code.h"
#include "ordain/jit.h"

namespace ordain::detail {

void start_native_code(const Program& program) { compile_native_in_background(program); }

}  // namespace ordain::detail
