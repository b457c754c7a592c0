// import_path lists the files that an import may mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ordain {

/// Normalizes a path: "a/../b.policy" -> "b.policy"; uses '/' on every system.
std::string normal_path(std::string_view path);

/// @returns where the file that an import names may be, best first: beside the importing file, then
/// under each of `roots`. `text` is a path if `quoted`, otherwise a dotted package name.
std::vector<std::string> import_candidates(std::string_view importing_file, std::string_view text, bool quoted,
                                           const std::vector<std::string>& roots = {});

}  // namespace ordain
