// passes.h runs the compiler for those who add findings of their own before accepted warnings are
// removed.
#pragma once

#include "ordain/compile.h"

namespace ordain::detail {

/// Does what compile() does, except that it leaves the warnings that comments accept.
/// @param read the sources, and what was wrong with reading them
/// @param style whether to report also what is only bad style or a smell
Compilation run_passes(Diagnostics read, const FunctionTable& functions, const CompileOptions& options, bool style);

}  // namespace ordain::detail
