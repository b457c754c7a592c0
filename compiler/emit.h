// emit: typed trees to a Program's tables and bytecode.
#pragma once

#include "compiler/typed.h"
#include "ordain/diagnostic.h"
#include "vm/program_data.h"

namespace ordain {

/// `diagnostics` gives the sources that spans point into.
ProgramData emit(const typed::PolicySet& set, const Diagnostics& diagnostics);

/// A program of one predicate (number 0) and no rules.
ProgramData emit(const typed::Expression& expression, const Schema& schema, const Diagnostics& diagnostics);

}  // namespace ordain
