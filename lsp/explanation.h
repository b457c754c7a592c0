// explanation.h says what the rules came to for the last call of a test.
#pragma once

#include <string>

#include "ordain/compile.h"

namespace ordain::lsp {

/// @param compilation has a program, compiled with CompileOptions::parts
/// @param test one of its tests
/// @returns the decision of the test's last call, and for each rule that is about it what it came to and why, in lines
std::string explain_last_call(const Compilation& compilation, const PolicyTest& test);

}  // namespace ordain::lsp
