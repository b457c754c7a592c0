// The last step of every import: the text is compiled before anyone sees it.
#pragma once

#include <string>
#include <string_view>

#include "import/import.h"
#include "import/policy_text.h"

namespace ordain::importer {

/// Renders and compiles. What does not compile becomes an error at the start of the YAML, and no text.
void finish(Imported& imported, const FileText& file);

/// Reads and parses `path` into a new source of the diagnostics. @returns its index, or nothing after reporting at
/// `from` (the place that names the file).
std::optional<uint32_t> load(Diagnostics& diagnostics, const std::string& path, const ReadFile& read, Span from);

/// "baseline.yaml:12", for comments and reasons.
std::string place(const Diagnostics& diagnostics, Span span);

/// The file's name without folders and extension.
std::string stem(std::string_view path);

}  // namespace ordain::importer
