// emit: typed trees to a Program's tables and bytecode.
#pragma once

#include "compiler/check/expression/typed.h"
#include "ordain/diagnostic.h"
#include "vm/program/program_data.h"

namespace ordain {

/// Each list of rules is planned (compiler/index/index.h) as it is emitted. `diagnostics` gives the sources that spans
/// point into.
/// @param plan_milliseconds if given, what planning took of the time
ProgramData emit(const typed::PolicySet& set, const Diagnostics& diagnostics, double* plan_milliseconds = nullptr);

/// A program of one predicate (number 0) and no rules.
ProgramData emit(const typed::Expression& expression, const Schema& schema, const Diagnostics& diagnostics);

}  // namespace ordain
