// disassemble writes a Program as text for people.
#pragma once

#include <string>

#include "ordain/export.h"
#include "ordain/program.h"

namespace ordain {

/// Writes the predicates, with rule names, symbolic operands, labels and places in policy text, and
/// then the rules of each capability. The form is for reading and may change; docs/bytecode.md
/// explains the instructions. Thread-safe.
ORDAIN_API std::string disassemble(const Program& program);

}  // namespace ordain
