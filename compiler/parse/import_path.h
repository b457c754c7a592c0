// import_path: which files an import may mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ordain {

/// "a/../b.policy" -> "b.policy"; with '/' on every system.
std::string normal_path(std::string_view path);

/// Where the file that an import names may lie, best first: beside the importing file, then under each of `roots`.
/// `text` is a path if `quoted`, else a dotted package name.
std::vector<std::string> import_candidates(std::string_view importing_file, std::string_view text, bool quoted,
                                           const std::vector<std::string>& roots = {});

}  // namespace ordain
