// Operations that both engines run with the tables of a program: reading absent slots, and
// calling prepared functions.
#pragma once

#include "vm/program/link_tables.h"
#include "vm/value/private_api.h"

namespace ordain::ops {

// Each returns false after setting eval.fault. Native code calls them by address.
ORDAIN_PRIVATE_API bool load_absent(Eval& eval, const ProgramData& data, SlotId slot,
                                    Value* out);  ///< fault, or the built-in default

/// Charges the cost, then calls the prepared function. `args` are all arguments, including the
/// prepared one.
ORDAIN_PRIVATE_API bool call_prepared(Eval& eval, const LinkedPrepared& prepared, const Value* args, Value* out);

}  // namespace ordain::ops
