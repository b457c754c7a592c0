#include "cli/input.h"

#include <iostream>

namespace ordain::cli {

Result<Input> Input::open(const std::string& name) {
  Input out;
  if (name != "-") {
    out.file_.open(name, std::ios::binary);
    if (!out.file_) return Error{"unreadable", "cannot read " + name};
  }
  return out;
}

std::istream& Input::stream() { return file_.is_open() ? file_ : std::cin; }

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace ordain::cli
