// Opens the code generator, if there is one. The code_generator_*.cc file that is linked decides
// where it comes from.
#pragma once

#include "ordain/program.h"
#include "ordain/result.h"
#include "vm/jit/code_generator.h"

namespace ordain::detail {

/// The code generator, which is opened when it is first asked for and stays open until the process
/// ends. Thread-safe.
/// @returns error code "native_unavailable" with the reason: this build has none, or its library is
/// missing, or belongs to another build
Result<const vm::CodeGenerator*> open_code_generator();

/// Makes native code for the program in the background. If there is no code generator, it does
/// nothing, and the interpreter decides.
void start_native_code(const Program& program);

}  // namespace ordain::detail
