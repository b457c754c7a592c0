// lint_policies compiles policies and reports also what is only bad style or a smell.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/compile.h"
#include "ordain/export.h"

namespace ordain {

/// Compiles as compile() does, with further warnings: docs/diagnostics.md lists them as lint. If the set
/// has tests, they are decided, and rules that match none of their calls are among the warnings.
/// Comments accept these warnings as they accept others.
ORDAIN_API Compilation lint_policies(const std::vector<std::string>& paths, const FunctionTable& functions);
ORDAIN_API Compilation lint_policies(std::vector<std::shared_ptr<const Source>> sources,
                                     const FunctionTable& functions);

/// Writes diagnostics as a SARIF 2.1.0 log of one run.
/// @param version of Ordain, as semantic version
ORDAIN_API std::string render_sarif(const Diagnostics& diagnostics, std::string_view version);

}  // namespace ordain
