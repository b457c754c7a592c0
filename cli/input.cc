#include "cli/input.h"

#include <filesystem>
#include <iostream>

#include "analysis/byte_order_mark.h"

namespace ordain::cli {

Result<Input> Input::open(const std::string& name) {
  Input out;
  out.name_ = name;
  std::error_code ignored;
  if (name != "-" && std::filesystem::is_directory(name, ignored)) {
    return Error{"unreadable", "cannot read " + name + ": it is a directory"};
  }
  if (name != "-") {
    out.file_.open(name, std::ios::binary);
    if (!out.file_) return Error{"unreadable", "cannot read " + name};
  }
  return out;
}

std::istream& Input::stream() { return file_.is_open() ? file_ : std::cin; }

bool Input::next_line(std::string* line) {
  if (!std::getline(stream(), *line)) return false;
  if (first_) detail::remove_byte_order_mark(*line);
  first_ = false;
  return true;
}

Result<void> Input::check_read() {
  if (!stream().bad()) return {};
  return Error{"unreadable", "cannot read " + name_ + " to its end"};
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace ordain::cli
