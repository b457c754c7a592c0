// Accepts a serialised program where policy text is expected.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/compile.h"

namespace ordain::detail {

/// Whether a file begins as a serialised program does. Policy text never does.
bool looks_compiled(std::string_view bytes);

/// The bytes of the file, if `paths` name one file alone and it looks compiled.
std::optional<std::string> read_compiled_file(const std::vector<std::string>& paths);

/// Loads the program. Diagnostics have the code `bad-program`, and no place in a text.
Compilation load_compiled(const std::string& path, std::string_view bytes, const FunctionTable& functions);

/// Says that only policy text will do here.
void report_compiled(Diagnostics& diagnostics, Span span, const std::string& path);

}  // namespace ordain::detail
