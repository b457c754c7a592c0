// emit: typed trees to a Program's tables and bytecode.
#pragma once

#include "compiler/check/expression/typed.h"
#include "compiler/emit/condition_parts.h"
#include "compiler/index/index.h"
#include "ordain/diagnostic.h"
#include "vm/program/program_data.h"

namespace ordain {

/// @param index of `set`
/// @param diagnostics gives the sources that spans point into
/// @param parts of the conditions of `set`, for ProgramData::condition_parts; may be empty
ProgramData emit(const typed::PolicySet& set, const indexing::Index& index, const Diagnostics& diagnostics,
                 const ConditionParts& parts = {});

/// A program of one predicate (number 0) and no rules.
ProgramData emit(const typed::Expression& expression, const Schema& schema, const Diagnostics& diagnostics);

}  // namespace ordain
