// add_dag puts a DAG into the Program's tables: names become symbols, bits and literals.
#pragma once

#include "compiler/emit/tables.h"
#include "compiler/index/dag.h"

namespace ordain::emission {

/// @param first_entry the first of the rules' entries in ProgramData::rule_list. @returns the range
/// of the nodes.
Range add_dag(Tables& tables, ProgramData& data, const indexing::Dag& dag, uint32_t first_entry);

}  // namespace ordain::emission
