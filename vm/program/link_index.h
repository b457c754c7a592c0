// The decision DAG, made ready to be walked: hash tables of edges, masks of members, one index for the literals of a
// text.
#pragma once

#include "vm/program/link_tables.h"

namespace ordain::vm {

/// `data` is verified and outlives the tables; slots are placed.
void prepare_index(const ProgramData& data, LinkTables* tables);

}  // namespace ordain::vm
