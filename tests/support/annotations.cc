// annotations.cc reads and rewrites the expectations inside policy files.
#include "tests/support/annotations.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ordain {
namespace {

// Finds the text after `mark`. @returns whether the line starts with `mark`.
bool after(const std::string& line, const char* mark, std::string* rest) {
  if (line.rfind(mark, 0) != 0) return false;
  *rest = line.substr(4);
  return true;
}

}  // namespace

std::string AnnotatedFile::text() const {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

AnnotatedFile read_annotated(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return parse_annotated(path, {std::istreambuf_iterator<char>(in), {}});
}

AnnotatedFile parse_annotated(const std::string& path, const std::string& text) {
  std::istringstream in(text);
  AnnotatedFile out;
  out.path = path;
  std::string line;
  while (std::getline(in, line)) {
    std::string rest;
    if (after(line, "//> ", &rest)) {
      out.expectations.push_back({.event_line = out.lines.size(), .event = rest, .verdict = "", .has_verdict = false});
    } else if (after(line, "//= ", &rest) && !out.expectations.empty()) {
      out.expectations.back().verdict = rest;
      out.expectations.back().has_verdict = true;
    } else if (after(line, "//! ", &rest)) {
      out.diagnostics.push_back(rest);
    }
    out.lines.push_back(line);
  }
  std::sort(out.diagnostics.begin(), out.diagnostics.end());
  return out;
}

void update(const AnnotatedFile& file, const std::vector<std::string>& verdicts,
            const std::vector<std::string>& diagnostics) {
  std::ofstream out(file.path, std::ios::binary | std::ios::trunc);
  size_t next = 0;
  for (size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (line.rfind("//= ", 0) == 0 || line.rfind("//! ", 0) == 0) continue;
    out << line << "\n";
    if (next < file.expectations.size() && file.expectations[next].event_line == i)
      out << "//= " << verdicts[next++] << "\n";
  }
  for (const std::string& diagnostic : diagnostics) out << "//! " << diagnostic << "\n";
}

std::vector<std::string> policy_files(const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".policy") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace ordain
