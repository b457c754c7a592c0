// These tests check the examples of README.md and docs/*.md: ```policy blocks compile (or give the
// diagnostics that they name) and decide their events as stated, ```story blocks hold; every line of a ```cpp or ```c
// block occurs in a program under examples/ or tests/docs/, which is built and run.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "ordain/compile.h"
#include "ordain/run_tests.h"
#include "ordain/stdlib.h"
#include "tests/support/annotations.h"
#include "tests/support/evaluators.h"

namespace ordain {
namespace {

const std::filesystem::path kRoot = ORDAIN_SOURCE_DIR;

struct Block {
  std::string language, text;
  int line = 0;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Block> blocks(const std::filesystem::path& path) {
  std::vector<Block> out;
  std::istringstream in(read(path));
  std::string line;
  bool inside = false;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.rfind("```", 0) == 0) {
      inside = !inside;
      if (inside) out.push_back({line.substr(3), "", number + 1});
    } else if (inside) {
      out.back().text += line + "\n";
    }
  }
  return out;
}

std::vector<std::string> documents() {
  std::vector<std::string> out = {(kRoot / "README.md").string()};
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "docs")) {
    if (entry.path().extension() == ".md") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Document : public testing::TestWithParam<std::string> {};

TEST_P(Document, PolicyExamplesDoWhatTheySay) {
  for (const Block& block : blocks(GetParam())) {
    if (block.language != "policy") continue;
    SCOPED_TRACE(GetParam() + ":" + std::to_string(block.line));
    const AnnotatedFile file = parse_annotated(GetParam(), block.text);
    auto compiled = compile_everywhere({std::make_shared<Source>(Source{"example.policy", block.text})});
    if (file.diagnostics.empty()) {
      EXPECT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
    } else {
      EXPECT_EQ(codes(compiled->diagnostics), file.diagnostics) << render(compiled->diagnostics);
    }
    if (compiled->interpreted == nullptr) continue;
    for (const Expectation& expectation : file.expectations) {
      EXPECT_TRUE(expectation.has_verdict) << "an event without `//=`: " << expectation.event;
      EXPECT_EQ(decide_everywhere(*compiled, expectation.event), expectation.verdict) << expectation.event;
    }
  }
}

TEST_P(Document, TestsInExamplesPass) {
  for (const Block& block : blocks(GetParam())) {
    if (block.language != "policy" || block.text.find("\ntest \"") == std::string::npos) continue;
    SCOPED_TRACE(GetParam() + ":" + std::to_string(block.line));
    const Compilation compilation =
        compile({std::make_shared<Source>(Source{"example.policy", block.text})}, standard_library());
    ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
    EXPECT_FALSE(compilation.tests.empty());
    for (const TestReport& report : run_tests(compilation)) {
      for (const TestVerdict& verdict : report.verdicts) {
        EXPECT_TRUE(verdict.met) << report.test->name << ": " << verdict.decided;
      }
    }
  }
}

// A ```story block tells of the policies in the ```policy block before it.
TEST_P(Document, StoriesInExamplesPass) {
  std::string policies;
  for (const Block& block : blocks(GetParam())) {
    if (block.language == "policy") policies = block.text;
    if (block.language != "story") continue;
    SCOPED_TRACE(GetParam() + ":" + std::to_string(block.line));
    const Compilation compilation =
        compile({std::make_shared<Source>(Source{"example.policy", policies + block.text})}, standard_library());
    ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
    EXPECT_FALSE(compilation.tests.empty());
    for (const TestReport& report : run_tests(compilation)) {
      EXPECT_FALSE(report.verdicts.empty());
      for (const TestVerdict& verdict : report.verdicts) {
        EXPECT_TRUE(verdict.met) << report.test->name << ": expected " << verdict.expectation->effect << ", decided "
                                 << verdict.decided;
      }
    }
  }
}

// @returns the lines of all programs that are built, without indentation
std::set<std::string> compiled_lines() {
  std::set<std::string> out;
  for (const char* folder : {"examples", "tests/docs"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot / folder)) {
      if (entry.path().extension() != ".cc" && entry.path().extension() != ".c") continue;
      std::istringstream in(read(entry.path()));
      for (std::string line; std::getline(in, line);) {
        out.insert(line.substr(std::min(line.find_first_not_of(' '), line.size())));
      }
    }
  }
  return out;
}

TEST_P(Document, CppExamplesAreCompiled) {
  static const std::set<std::string> kCompiled = compiled_lines();
  for (const Block& block : blocks(GetParam())) {
    if (block.language != "cpp" && block.language != "c") continue;
    std::istringstream in(block.text);
    for (std::string line; std::getline(in, line);) {
      line = line.substr(std::min(line.find_first_not_of(' '), line.size()));
      line = line.substr(0, line.find("  //"));  // a remark beside the code
      line = line.substr(0, line.find_last_not_of(' ') + 1);
      if (line.empty() || line.rfind("//", 0) == 0) continue;
      bool found = false;
      for (const std::string& known : kCompiled) found |= known.rfind(line, 0) == 0;
      EXPECT_TRUE(found) << GetParam() << ":" << block.line << ": in no program: " << line;
    }
  }
}

// @returns the names of all tests, "Suite.Name", and of the methods of the Python tests
std::set<std::string> known_tests() {
  std::set<std::string> out;
  const std::regex gtest(R"(TEST(?:_F|_P)?\((\w+),\s*(\w+)\))"), python(R"(def (test_\w+)\()"),
      node(R"(test\("([^"]+)\")");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot / "tests")) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".cc" && extension != ".py" && extension != ".js") continue;
    const std::string text = read(entry.path());
    const std::regex& pattern = extension == ".cc" ? gtest : extension == ".py" ? python : node;
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
      out.insert(extension == ".cc" ? (*at)[1].str() + "." + (*at)[2].str() : (*at)[1].str());
    }
  }
  return out;
}

TEST(Features, EveryTestThatIsNamedExists) {
  const std::set<std::string> known = known_tests();
  std::istringstream in(read(kRoot / "docs" / "features.md"));
  const std::regex code(R"(`([^`]+)`)");
  size_t named = 0;
  for (std::string line; std::getline(in, line);) {
    // Find the last column of a table's row.
    if (line.rfind("| ", 0) != 0 || line.size() < 4) continue;
    const size_t start = line.rfind('|', line.size() - 2);
    const std::string column = line.substr(start);
    for (std::sregex_iterator at(column.begin(), column.end(), code), end; at != end; ++at) {
      EXPECT_TRUE(known.count((*at)[1].str()) == 1) << "there is no test " << (*at)[1].str();
      ++named;
    }
  }
  EXPECT_GT(named, 50U);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem().string();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Docs, Document, testing::ValuesIn(documents()), test_name);

}  // namespace
}  // namespace ordain
