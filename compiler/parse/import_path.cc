// import_path.cc computes the paths of the files that an import may mean.
#include "compiler/parse/import_path.h"

#include <algorithm>
#include <filesystem>

namespace ordain {

std::string normal_path(std::string_view path) {
  std::string out = std::filesystem::path(path).lexically_normal().generic_string();
  return out.starts_with("./") ? out.substr(2) : out;
}

std::vector<std::string> import_candidates(std::string_view importing_file, std::string_view text, bool quoted,
                                           const std::vector<std::string>& roots) {
  std::string relative(text);
  if (!quoted) {
    std::replace(relative.begin(), relative.end(), '.', '/');
    relative += ".policy";
  }
  std::vector<std::string> out;
  auto add = [&](const std::filesystem::path& directory) {
    std::string path = normal_path((directory / relative).generic_string());
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(path);
  };
  add(std::filesystem::path(importing_file).parent_path());
  for (const std::string& root : roots) add(root);
  return out;
}

}  // namespace ordain
