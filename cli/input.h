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
  /// Reads the next line; the first one without a byte order mark. @returns false at the end
  bool next_line(std::string* line);
  /// Whether reading stopped before the end. @returns error "unreadable"
  Result<void> check_read();

 private:
  std::string name_;
  std::ifstream file_;  // closed: standard input
  bool first_ = true;
};

/// Whether a line holds nothing to read.
bool is_blank(std::string_view line);

}  // namespace ordain::cli
