// From a planned DAG to the Program's tables: names become symbols, bits and literals.
#pragma once

#include "compiler/emit/tables.h"
#include "compiler/index/index.h"

namespace ordain::emission {

/// @param first_entry of the rules' entries in ProgramData::plan. @returns the nodes' range.
Range add_plan(Tables& tables, ProgramData& data, const planning::Dag& dag, uint32_t first_entry);

}  // namespace ordain::emission
