// Starts native code, if there is any. The start_native_code_*.cc file that is linked decides where it
// comes from.
#pragma once

#include "ordain/program.h"

namespace ordain::detail {

/// Makes native code for the program in the background. If this build or this machine has no code
/// generator, it does nothing, and the interpreter decides.
void start_native_code(const Program& program);

}  // namespace ordain::detail
