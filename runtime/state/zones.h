// Time zones, for budgets that are filled again by local time. The functions of the expression
// language know them, so that a budget's day is the day that rules see.
#pragma once

#include "ordain/function.h"
#include "ordain/program.h"
#include "runtime/state/period.h"

namespace ordain::state {

/// @returns the time zones of a table of functions, which must outlive the result. Not thread-safe: a store calls it in
/// its turns, which exclude each other.
ZoneOffset zones_of(const FunctionTable& functions);
/// @returns those of the table that a program was linked with
ZoneOffset zones_of(const Program& program);

}  // namespace ordain::state
