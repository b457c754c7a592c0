// A build without LLVM makes no native code.
#include "embed/code_generator.h"

namespace ordain::detail {

Result<const vm::CodeGenerator*> open_code_generator() {
  return Error{"native_unavailable", "this build makes no native code"};
}

}  // namespace ordain::detail
