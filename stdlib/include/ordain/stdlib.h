// The standard library: the functions and operators that expressions may call.
#pragma once

#include <string>

#include "ordain/function.h"

namespace ordain {

/// All functions of the expression language and its extensions. Made on first use, lives for ever, thread-safe.
const FunctionTable& standard_library();

/// Adds the same rows to a host's own table.
void add_standard_library(FunctionTable& table);

/// A reference of every function in `table`, one Markdown table, sorted by name. docs/functions.md is that of
/// standard_library().
std::string functions_markdown(const FunctionTable& table);

}  // namespace ordain
