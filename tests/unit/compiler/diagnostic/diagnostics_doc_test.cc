// docs/diagnostics.md lists every diagnostic that the compiler can report, and nothing else.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

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

// Codes reach the report through error(...), warning(...) and add(...); a few helpers (syntax, misfit) have theirs
// inside.
std::set<std::string> emitted_codes() {
  std::set<std::string> out;
  const std::regex pattern(
      R"re((?:error|warning|report|complain)\(\s*"([a-z][a-z0-9-]*)"|Severity::[a-z]+,\s*"([a-z][a-z0-9-]*)")re");
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(ORDAIN_SOURCE_DIR) / "compiler")) {
    if (entry.path().extension() != ".cc" && entry.path().extension() != ".h") continue;
    std::string text = read(entry.path());
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

}  // namespace
