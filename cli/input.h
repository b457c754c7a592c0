// Input that a command reads: a file, or standard input where the name is `-`.
#pragma once

#include <fstream>
#include <istream>
#include <string>
#include <string_view>

#include "ordain/result.h"

namespace ordain::cli {

class Input {
 public:
  /// @returns error "unreadable"
  static Result<Input> open(const std::string& name);

  std::istream& stream();

 private:
  std::ifstream file_;  // closed: standard input
};

/// Whether a line holds nothing to read.
bool is_blank(std::string_view line);

}  // namespace ordain::cli
