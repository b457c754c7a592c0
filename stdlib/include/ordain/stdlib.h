// The standard library holds the functions and operators that expressions may call.
#pragma once

#include <string>

#include "ordain/export.h"
#include "ordain/function.h"

namespace ordain {

/// @returns all functions of the expression language and its extensions. The table is built on
/// first use and never destroyed; thread-safe.
ORDAIN_API const FunctionTable& standard_library();

/// Adds the functions of standard_library() to a host's own table.
ORDAIN_API void add_standard_library(FunctionTable& table);

/// Writes a reference of every function in `table` as one Markdown table, sorted by name.
/// docs/functions.md is the reference of standard_library().
ORDAIN_API std::string functions_markdown(const FunctionTable& table);

}  // namespace ordain
