// Emits what a policy set remembers between calls.
#pragma once

#include "compiler/check/expression/typed.h"
#include "compiler/emit/tables.h"
#include "vm/program/program_data.h"

namespace ordain::emission {

/// Fills ProgramData::history. Everything that decides is emitted before, so that it is numbered as it would be without
/// state.
void add_histories(const typed::PolicySet& set, Tables& tables, ProgramData& data);

}  // namespace ordain::emission
