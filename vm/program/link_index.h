// prepare_index makes the decision DAG ready to be walked: it builds hash tables of edges, masks
// of members, and one literal index for each text test.
#pragma once

#include "vm/program/link_tables.h"

namespace ordain::vm {

/// `data` must be verified and must outlive the tables. The places of slots must be filled in.
void prepare_index(const ProgramData& data, LinkTables* tables);

}  // namespace ordain::vm
