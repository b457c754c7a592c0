// A build without LLVM makes no native code.
#include "embed/start_native_code.h"

namespace ordain::detail {

void start_native_code(const Program&) {}

}  // namespace ordain::detail
