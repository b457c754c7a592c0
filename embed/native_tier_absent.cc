// A build without LLVM makes no native code.
#include "embed/native_tier.h"

namespace ordain::detail {

void start_native_code(const Program&) {}

}  // namespace ordain::detail
