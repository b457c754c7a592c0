// This test checks that docs/diagnostics.md lists exactly the diagnostics that the compiler can
// report.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/lint/lint.h"

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream out;
  out << stream.rdbuf();
  return out.str();
}

std::set<std::string> all_matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> out;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) out.insert((*at)[1]);
  return out;
}

// Most codes are arguments of error(...), warning(...) and add(...); a few helpers (syntax, misfit)
// contain theirs.
std::set<std::string> emitted_codes() {
  std::set<std::string> out;
  const std::regex pattern(
      R"re((?:error|warning|report|complain)\(\s*"([a-z][a-z0-9-]*)"|Severity::[a-z]+,\s*"([a-z][a-z0-9-]*)")re");
  std::vector<fs::path> files{fs::path(ORDAIN_SOURCE_DIR) / "analysis/lint.cc"};
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(ORDAIN_SOURCE_DIR) / "compiler")) {
    if (entry.path().extension() == ".cc" || entry.path().extension() == ".h") files.push_back(entry.path());
  }
  for (const fs::path& file : files) {
    std::string text = read(file);
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
      out.insert((*at)[1].matched ? (*at)[1].str() : (*at)[2].str());
    }
    // error(regex ? "invalid-regex" : "invalid-literal", ...
    const std::regex choice(R"re((?:error|warning)\([a-z_ ]+\? "([a-z-]+)" : "([a-z-]+)")re");
    for (std::sregex_iterator at(text.begin(), text.end(), choice), end; at != end; ++at) {
      out.insert((*at)[1]);
      out.insert((*at)[2]);
    }
  }
  return out;
}

TEST(DiagnosticsDoc, ListsEveryCodeAndNoOther) {
  std::set<std::string> emitted = emitted_codes();
  std::set<std::string> documented = all_matches(read(fs::path(ORDAIN_SOURCE_DIR) / "docs/diagnostics.md"),
                                                 std::regex(R"re(\n\| `([a-z0-9-]+)` \|)re"));
  ASSERT_GT(emitted.size(), 50u);
  for (const std::string& code : emitted) EXPECT_TRUE(documented.contains(code)) << code << " is not documented";
  for (const std::string& code : documented)
    EXPECT_TRUE(emitted.contains(code)) << code << " is not reported by anything";
}

TEST(DiagnosticsDoc, TellsWhichCodesAreOfLintAlone) {
  const std::string page = read(fs::path(ORDAIN_SOURCE_DIR) / "docs/diagnostics.md");
  const size_t begin = page.find("\n## Lint\n"), end = page.find("\n## Defects\n");
  ASSERT_LT(begin, end);
  const std::regex row(R"re(\n\| `([a-z0-9-]+)` \|)re");
  const std::set<std::string> of_lint = all_matches(page.substr(begin, end - begin), row);
  EXPECT_GT(of_lint.size(), 15u);
  for (const std::string& code : all_matches(page, row))
    EXPECT_EQ(ordain::lint::is_style(code), of_lint.contains(code)) << code;
}

}  // namespace
