// emit turns typed trees into a Program's tables and bytecode.
#pragma once

#include "compiler/check/expression/typed.h"
#include "compiler/emit/condition_parts.h"
#include "compiler/index/index.h"
#include "ordain/diagnostic.h"
#include "vm/program/program_data.h"

namespace ordain {

/// Emits a set of policies.
/// @param index the index of `set`.
/// @param diagnostics holds the sources that spans refer to.
/// @param parts the parts of the conditions of `set`, for ProgramData::condition_parts; may be
/// empty.
ProgramData emit(const typed::PolicySet& set, const indexing::Index& index, const Diagnostics& diagnostics,
                 const ConditionParts& parts = {});

/// Emits a program of one predicate (number 0) and no rules.
ProgramData emit(const typed::Expression& expression, const Schema& schema, const Diagnostics& diagnostics);

}  // namespace ordain
