// finish is the last step of every import: it compiles the text before it is handed out.
#pragma once

#include <string>
#include <string_view>

#include "import/policy_text.h"
#include "ordain/import.h"

namespace ordain::importer {

/// Renders and compiles. If the text does not compile, that is an error at the start of the YAML,
/// and there is no text.
void finish(Imported& imported, const FileText& file);

/// Does the same with text that is rendered already.
void finish(Imported& imported, std::string text);

/// Reads and parses `path` into a new source of the diagnostics. @returns its index, or nothing
/// after reporting the failure at `from` (the place that names the file).
std::optional<uint32_t> load(Diagnostics& diagnostics, const std::string& path, const ReadFile& read, Span from);

/// Reads a file, but at most one byte more than `most`.
Result<std::string> read_file_up_to(const std::string& path, size_t most);

/// @returns a place such as "baseline.yaml:12", for comments and reasons
std::string place(const Diagnostics& diagnostics, Span span);

/// @returns the file's name without folders and extension
std::string stem(std::string_view path);

}  // namespace ordain::importer
