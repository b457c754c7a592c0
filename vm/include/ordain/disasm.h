// disassemble: a Program as text for people.
#pragma once

#include <string>

#include "ordain/program.h"

namespace ordain {

/// The predicates, with rule names, symbolic operands, labels and places in policy text, and the plan of each
/// capability. The form is for reading and may change; docs/bytecode.md explains the instructions.
std::string disassemble(const Program& program);

}  // namespace ordain
