// hover.h says what stands at a place: names with their types and comments, functions, and the codes
// of diagnostics.
#pragma once

#include <string>
#include <string_view>

#include "lsp/model.h"
#include "ordain/diagnostic.h"

namespace ordain::lsp {

/// @returns Markdown; "" if there is nothing to say
std::string describe_place(SetModel& model, uint32_t file, size_t offset);

/// What docs/diagnostics.md says of a code, in Markdown; "" if there is no such code.
std::string describe_code(std::string_view code);

/// A function's signatures, and what they do, in Markdown; "" if there is no such function.
std::string describe_function(const FunctionTable& functions, std::string_view name);

}  // namespace ordain::lsp
