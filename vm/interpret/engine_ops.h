// What both engines do for an instruction with the tables of a program: absent slots, and calls of prepared functions.
#pragma once

#include "vm/program/link_tables.h"

namespace ordain::ops {

// Each returns false after setting eval.fault. Native code calls them by address.
bool load_absent(Eval& eval, const ProgramData& data, SlotId slot, Value* out);  ///< fault, or the built-in default

/// Cost, then the prepared function. `args` are all arguments, the prepared one too.
bool call_prepared(Eval& eval, const LinkedPrepared& prepared, const Value* args, Value* out);

}  // namespace ordain::ops
