// Finds the policy files below a directory. The compiler reads what is found here, and the watcher
// watches it, so both must find the same.
#pragma once

#include <string>
#include <vector>

namespace ordain::detail {

struct PolicyFiles {
  struct Problem {
    std::string path, why;
  };
  std::vector<std::string> files;        ///< sorted by bytes
  std::vector<std::string> directories;  ///< all that were searched; the given one is the first
  std::vector<Problem> problems;         ///< what could not be searched
};

/// Links to directories are followed. A directory that several paths lead to is searched once, under a path
/// without links if there is one, so that links in a circle end.
PolicyFiles find_policy_files(const std::string& directory);

}  // namespace ordain::detail
