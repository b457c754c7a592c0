// These tests cover data files: what is read from CSV, JSON and JSON Lines, which mistakes are reported and where, and
// that nothing outside of a policy's directory is read.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ordain/call.h"
#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/format.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;

// A policy that allows what a data file lists.
std::string policy_with(const std::string& data, const std::string& type = "string") {
  return "capability pay { input { to: " + type + " } }\nlet known = " + data +
         ";\npolicy p on before pay { allow listed when input.to in known; }\n";
}

Compilation compiled(const std::string& policy, const std::string& path, const std::string& text) {
  return compile({std::make_shared<Source>(Source{"d/" + path, text, true}),
                  std::make_shared<Source>(Source{"d/p.policy", policy})},
                 standard_library());
}

bool allows(const std::shared_ptr<const Program>& program, const std::string& json) {
  Call call(program);
  call.begin(program->resolve("pay"), Stage::before);
  call.bind_json("{\"to\": " + json + "}");
  EXPECT_FALSE(call.error().failed) << call.error().message;
  Scratch scratch;
  return decide(call, Context(program), scratch).effect == Effect::allow;
}

struct Good {
  const char* file;
  const char* text;
  const char* data;
  const char* type;
  std::vector<std::string> in, out;  ///< as JSON
};

TEST(DataFiles, ValuesAreThoseOfTheirColumn) {
  for (const Good& good : std::vector<Good>{
           {"a.csv",
            "name,iban\nann,DE1\nbob,GB2\n",
            "data \"a.csv\" column \"iban\" of string",
            "string",
            {"\"DE1\"", "\"GB2\""},
            {"\"iban\"", "\"ann\"", "\"\""}},
           {"a.csv",
            "\xEF\xBB\xBFname\r\n\"a, \"\"b\"\"\"\r\n\r\n\"c\nd\"\r\n",
            "data \"a.csv\" column \"name\" of string",
            "string",
            {"\"a, \\\"b\\\"\"", "\"c\\nd\""},
            {"\"\""}},
           {"a.csv", "x\ny", "data \"a.csv\" of string", "string", {"\"x\"", "\"y\""}, {"\"z\""}},
           {"a.csv", "id\n7\n-8\n", "data \"a.csv\" column \"id\" of int", "int", {"7", "-8"}, {"8"}},
           {"a.csv", "id\n7\n7\n", "data \"a.csv\" column \"id\" of list(int)", "int", {"7"}, {"8"}},
           {"a.csv", "id\n1.5\n2\n", "data \"a.csv\" column \"id\" of double", "double", {"1.5", "2"}, {"1"}},
           {"a.csv", "", "data \"a.csv\" of string", "string", {}, {"\"\""}},
           {"a.json", "[\"x\", \"y\"]", "data \"a.json\" of string", "string", {"\"x\"", "\"y\""}, {"\"z\""}},
           {"a.json",
            "[{\"k\": 1, \"n\": [2]}, {\"k\": 3.0}]",
            "data \"a.json\" column \"k\" of int",
            "int",
            {"1", "3"},
            {"2"}},
           {"a.jsonl", "\"x\"\n\n\"y\"\n", "data \"a.jsonl\" of string", "string", {"\"x\"", "\"y\""}, {"\"z\""}},
           {"a.jsonl",
            "{\"k\": \"x\"}\n{\"k\": \"y\"}",
            "data \"a.jsonl\" column \"k\" of string",
            "string",
            {"\"x\"", "\"y\""},
            {"\"k\""}},
           {"sub/a.csv", "x\n", "data \"sub/../sub/a.csv\" of string", "string", {"\"x\""}, {"\"y\""}},
       }) {
    const Compilation of = compiled(policy_with(good.data, good.type), good.file, good.text);
    ASSERT_NE(of.program, nullptr) << good.text << "\n" << render(of.diagnostics);
    for (const std::string& value : good.in) EXPECT_TRUE(allows(of.program, value)) << good.text << ": " << value;
    for (const std::string& value : good.out) EXPECT_FALSE(allows(of.program, value)) << good.text << ": " << value;
  }
}

struct Bad {
  const char* file;
  const char* text;
  const char* data;
  const char* place;  ///< "FILE:LINE code"
  const char* message;
};

TEST(DataFiles, MistakesAreReportedAtTheirRow) {
  for (const Bad& bad : std::vector<Bad>{
           {"a.csv", "name,iban\nann,DE1\nbob\n", "data \"a.csv\" column \"iban\" of string", "d/a.csv:3 data-value",
            "this row has 1 value, and every row should have 2"},
           {"a.csv", "name,iban\nann,DE1,x\n", "data \"a.csv\" column \"iban\" of string", "d/a.csv:2 data-value",
            "this row has 3 values"},
           {"a.csv", "iban\nDE1\nGB2\nDE1\n", "data \"a.csv\" column \"iban\" of string", "d/a.csv:4 data-value",
            "this value stands twice"},
           {"a.csv", "iban\nDE1\n", "data \"a.csv\" column \"ibn\" of string", "d/a.csv:1 data-value",
            "has no column `ibn`"},
           {"a.csv", "id\n7\nx\n", "data \"a.csv\" column \"id\" of int", "d/a.csv:3 data-value",
            "not a value of type int"},
           {"a.csv", "id\n\"7\n", "data \"a.csv\" column \"id\" of int", "d/a.csv:2 data-value", "a value in quotes"},
           {"a.csv", "id\n\xFF\n", "data \"a.csv\" column \"id\" of string", "d/a.csv:1 data-value", "not UTF-8"},
           {"a.json", "[1,\n \"x\"]", "data \"a.json\" of int", "d/a.json:2 data-value", "expected int, got string"},
           {"a.json", "[{\"k\": \"a]\\\"\"},\n {\"k\": \"b\"},\n {}]", "data \"a.json\" column \"k\" of string",
            "d/a.json:3 data-value", "this row has no `k`"},
           {"a.json", "[\"x\",\n\"x\"]", "data \"a.json\" of string", "d/a.json:2 data-value", "stands twice"},
           {"a.json", "{}", "data \"a.json\" of string", "d/a.json:1 data-value", "should hold one list"},
           {"a.json", "[1", "data \"a.json\" of int", "d/a.json:1 data-value", "this is not JSON"},
           {"a.jsonl", "1\n2\n{\n", "data \"a.jsonl\" of int", "d/a.jsonl:3 data-value", "this line is not JSON"},
           {"a.csv", "x\n", "data \"b.csv\" of string", "d/p.policy:2 data-file", "there is no data file `d/b.csv`"},
           {"a.txt", "x\n", "data \"a.txt\" of string", "d/p.policy:2 data-file", "*.csv, *.json or *.jsonl"},
           {"a.csv", "x\n", "data \"../a.csv\" of string", "d/p.policy:2 data-file", "leads out of the directory"},
           {"a.csv", "x\n", "data \"x/../../d/a.csv\" of string", "d/p.policy:2 data-file",
            "leads out of the directory"},
           {"a.csv", "x\n", "data \"/d/a.csv\" of string", "d/p.policy:2 data-file", "leads out of the directory"},
           {"a.csv", "x\n", "data \"a.csv\" of dyn", "d/p.policy:2 data-file", "string, int, uint, double or bool"},
           {"a.csv", "x\n", "date \"a.csv\" of string", "d/p.policy:2 syntax", "expected an expression or `data`"},
           {"a.csv", "x\n", "data \"a.csv\" col \"x\" of string", "d/p.policy:2 syntax", "expected `column` or `of`"},
       }) {
    const Compilation of = compiled(policy_with(bad.data), bad.file, bad.text);
    EXPECT_EQ(of.program, nullptr) << bad.data;
    const auto& sources = of.diagnostics.sources;
    const bool found =
        std::any_of(of.diagnostics.items.begin(), of.diagnostics.items.end(), [&](const Diagnostic& item) {
          const Source& source = *sources[item.span.file];
          const std::string place =
              source.path + ":" + std::to_string(line_column(source, item.span.begin).line) + " " + item.code;
          return place == bad.place && item.message.find(bad.message) != std::string::npos;
        });
    EXPECT_TRUE(found) << bad.place << ": " << bad.message << "\n" << render(of.diagnostics);
  }
}

TEST(DataFiles, MayBeLong) {
  std::string text = "iban\n";
  for (int i = 0; i < 120'000; ++i) text += "DE" + std::to_string(i) + "\n";
  for (const char* condition : {"input.to in known", "!!(input.to in known)"}) {
    const Compilation of = compiled(
        "capability pay { input { to: string } }\nlet known = data \"a.csv\" column \"iban\" of "
        "string;\npolicy p on before pay { allow listed when " +
            std::string(condition) + "; }\n",
        "a.csv", text);
    ASSERT_NE(of.program, nullptr) << render(of.diagnostics);
    EXPECT_TRUE(allows(of.program, "\"DE0\""));
    EXPECT_TRUE(allows(of.program, "\"DE119999\""));
    EXPECT_FALSE(allows(of.program, "\"DE120000\""));
  }
}

TEST(DataFiles, ManyMistakesAreCutShort) {
  std::string text = "id\n";
  for (int i = 0; i < 1000; ++i) text += "x\n";
  const Compilation of = compiled(policy_with("data \"a.csv\" column \"id\" of int", "int"), "a.csv", text);
  EXPECT_EQ(of.diagnostics.items.size(), 20u);
}

TEST(DataFiles, AreNotReadByTests) {
  const Compilation of = compiled("test \"t\" { let known = data \"a.csv\" of string; }\n", "a.csv", "x\n");
  EXPECT_EQ(of.program, nullptr);
  EXPECT_NE(render(of.diagnostics).find("a test cannot read a data file"), std::string::npos);
}

TEST(DataFiles, ArePartOfTheDigests) {
  const std::string policy = policy_with("data \"a.csv\" of string");
  const Compilation one = compiled(policy, "a.csv", "x\n"), same = compiled(policy, "a.csv", "x\n"),
                    other = compiled(policy, "a.csv", "x\ny\n"), spelt = compiled(policy, "a.csv", "x");
  ASSERT_TRUE(one.program && same.program && other.program && spelt.program);
  EXPECT_EQ(one.program->digest(), same.program->digest());
  EXPECT_EQ(one.program->rules()[0].digest, same.program->rules()[0].digest);
  EXPECT_NE(one.program->digest(), other.program->digest());
  EXPECT_NE(one.program->rules()[0].digest, other.program->rules()[0].digest);
  EXPECT_NE(one.program->rules()[0].digest, spelt.program->rules()[0].digest) << "the digest is of the file's bytes";
}

TEST(DataFiles, AreFormatted) {
  const auto formatted = format_policy("let a=data   \"a.csv\"  column \"x\" of list( string );");
  ASSERT_TRUE(formatted.ok());
  EXPECT_EQ(*formatted, "let a = data \"a.csv\" column \"x\" of list(string);\n");
}

class DataFilesOnDisk : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("ordain-data-" + std::to_string(getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_ / "policies" / "lists");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  Compilation compile_policies() const { return compile({(root_ / "policies").string()}, standard_library()); }

  fs::path root_;
};

TEST_F(DataFilesOnDisk, AreFoundBesideTheirPolicy) {
  write("policies/p.policy", policy_with("data \"lists/a.csv\" of string"));
  write("policies/lists/a.csv", "x\n");
  const Compilation of = compile_policies();
  ASSERT_NE(of.program, nullptr) << render(of.diagnostics);
  EXPECT_TRUE(allows(of.program, "\"x\""));
  const auto files = of.program->files();
  const bool watched =
      std::any_of(files.begin(), files.end(), [](const auto& file) { return file.ends_with("lists/a.csv"); });
  EXPECT_TRUE(watched) << "PolicyWatcher watches the files of a program";
}

TEST_F(DataFilesOnDisk, OutsideOfTheDirectoryAreNotRead) {
  write("secret.csv", "x\n");
  fs::create_symlink(root_ / "secret.csv", root_ / "policies" / "a.csv");
  fs::create_directory_symlink(root_, root_ / "policies" / "up");
  for (const char* path : {"a.csv", "up/secret.csv", "../secret.csv"}) {
    write("policies/p.policy", policy_with(std::string("data \"") + path + "\" of string"));
    const Compilation of = compile_policies();
    EXPECT_EQ(of.program, nullptr) << path;
    EXPECT_NE(render(of.diagnostics).find("out of the directory of the policy"), std::string::npos)
        << render(of.diagnostics);
  }
}

TEST_F(DataFilesOnDisk, MissingOnesAreMistakes) {
  write("policies/p.policy", policy_with("data \"gone.csv\" of string"));
  const Compilation of = compile_policies();
  EXPECT_EQ(of.program, nullptr);
  EXPECT_NE(render(of.diagnostics).find("cannot read"), std::string::npos) << render(of.diagnostics);
}

TEST_F(DataFilesOnDisk, MissingOnesBesideARelativePathDoNotLeadOut) {
  write("policies/p.policy", policy_with("data \"gone.csv\" of string"));
  const fs::path before = fs::current_path();
  fs::current_path(root_ / "policies");
  const Compilation of = compile({std::string("p.policy")}, standard_library());
  fs::current_path(before);
  const std::string text = render(of.diagnostics);
  EXPECT_NE(text.find("cannot read `gone.csv`: No such file or directory"), std::string::npos) << text;
}

}  // namespace
}  // namespace ordain
