// The static libraries of a build with LLVM link the code generator.
#include "embed/code_generator.h"

namespace ordain::detail {

Result<const vm::CodeGenerator*> open_code_generator() { return &vm::code_generator(); }

}  // namespace ordain::detail
