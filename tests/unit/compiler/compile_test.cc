// compile and read_sources: from texts and files to a Program, or to everything that is wrong with them.
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "compiler/token_scan.h"
#include "ordain/call.h"
#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Source> source(std::string path, std::string text) {
  return std::make_shared<Source>(Source{std::move(path), std::move(text)});
}

std::vector<std::string> codes(const Diagnostics& diagnostics) {
  std::vector<std::string> out;
  for (const Diagnostic& item : diagnostics.items) out.push_back(item.code);
  std::sort(out.begin(), out.end());
  return out;
}
using Codes = std::vector<std::string>;

// A directory of its own for each test, gone at its end.
class ReadSources : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "ordain-compile-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
    return (root_ / path).generic_string();
  }
  std::vector<std::string> names(const Diagnostics& diagnostics) const {
    std::vector<std::string> out;
    for (const auto& source : diagnostics.sources)
      out.push_back(fs::path(source->path).lexically_relative(root_).generic_string());
    return out;
  }

  fs::path root_;
};

TEST_F(ReadSources, DirectoriesAreReadRecursivelySortedByBytes) {
  write("b.policy", "");
  write("a/z.policy", "");
  write("B.policy", "");
  write("a.policy", "");
  write("a/notes.txt", "not a policy");
  Diagnostics read = read_sources({root_.string()});
  EXPECT_EQ(read.items.size(), 0u);
  EXPECT_EQ(names(read), (std::vector<std::string>{"B.policy", "a.policy", "a/z.policy", "b.policy"}));
}

TEST_F(ReadSources, TheOrderGivenIsKeptAndAFileIsReadOnce) {
  std::string a = write("a.policy", "let x = 1;");
  std::string b = write("b.policy", "");
  Diagnostics read = read_sources({b, root_.string(), a, (root_ / "." / "a.policy").string()});
  EXPECT_EQ(names(read), (std::vector<std::string>{"b.policy", "a.policy"}));
  EXPECT_EQ(read.sources[1]->text, "let x = 1;");
}

TEST_F(ReadSources, ImportsAreFollowedAfterWhatWasGiven) {
  std::string main = write("main.policy",
                           "package m; // import \"no.policy\";\nimport \"lib/one.policy\"; import shared.two;\n"
                           "let s = \"import \\\"no.policy\\\";\";");
  write("lib/one.policy", "import \"../main.policy\"; import \"deep.policy\";");
  write("lib/deep.policy", "");
  write("shared/two.policy", "package shared.two;");
  write("no.policy", "");
  Diagnostics read = read_sources({main});
  EXPECT_EQ(names(read),
            (std::vector<std::string>{"main.policy", "lib/one.policy", "shared/two.policy", "lib/deep.policy"}));
}

TEST_F(ReadSources, PackagesAreFoundUnderTheRootDirectory) {
  write("set/sub/main.policy", "import common.lists;");
  write("set/common/lists.policy", "package common.lists;");
  std::string main = write("other/main.policy", "import common.lists;");
  EXPECT_EQ(read_sources({main}).sources.size(), 1u);
  write("other/common/lists.policy", "package common.lists;");
  EXPECT_EQ(read_sources({main}).sources.size(), 2u);
  Compilation compilation = compile({(root_ / "set").string()}, standard_library());
  EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
}

TEST_F(ReadSources, WhatCannotBeReadIsADiagnostic) {
  EXPECT_EQ(codes(read_sources({(root_ / "absent.policy").string()})), Codes{"unreadable"});
  std::string pipe = (root_ / "pipe.policy").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(codes(read_sources({pipe})), Codes{"unreadable"});
  EXPECT_EQ(codes(read_sources({"/dev/zero"})), Codes{"unreadable"});
  fs::create_directory(root_ / "empty");
  EXPECT_EQ(codes(read_sources({(root_ / "empty").string()})), Codes{"no-policies"});
}

TEST_F(ReadSources, UnreadableFilesKeepTheirPathInTheMessage) {
  Compilation compilation = compile({(root_ / "absent.policy").string()}, standard_library());
  EXPECT_EQ(compilation.program, nullptr);
  EXPECT_NE(render(compilation.diagnostics).find("absent.policy"), std::string::npos);
}

TEST_F(ReadSources, LargeFilesAreRefusedUnread) {
  std::string path = write("large.policy", "");
  fs::resize_file(path, (16u << 20) + 1);
  Diagnostics read = read_sources({path});
  EXPECT_EQ(codes(read), Codes{"limit-source"});
  for (const auto& each : read.sources) EXPECT_TRUE(each->text.empty());
}

TEST_F(ReadSources, AnImportThatIsNotThereIsTheCheckersToReport) {
  std::string main = write("main.policy", "import \"gone.policy\";");
  EXPECT_TRUE(read_sources({main}).items.empty());
  Compilation compilation = compile({main}, standard_library());
  EXPECT_EQ(codes(compilation.diagnostics), Codes{"import-not-found"});
  EXPECT_EQ(compilation.program, nullptr);
}

TEST_F(ReadSources, AnImportCycleOnDiskEndsAndIsReported) {
  std::string a = write("a.policy", "import \"b.policy\";");
  write("b.policy", "import \"a.policy\";");
  EXPECT_EQ(codes(compile({a}, standard_library()).diagnostics), Codes{"import-cycle"});
}

TEST(Compile, MakesAProgramThatDecides) {
  Compilation compilation = compile({source("p.policy", R"(
capability pay { input { amount: double } }
let limit = 500.0;
policy p on before pay {
  deny large when input.amount > limit because "more than " + string(limit);
  allow;
}
)")},
                                    standard_library());
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  EXPECT_EQ(compilation.diagnostics.sources.size(), 1u);
  auto program = compilation.program;
  Context context(program);
  Call call(program);
  Scratch scratch;
  auto decide_amount = [&](const char* json) {
    call.begin(program->resolve("pay"), Stage::before);
    auto value = parse_json(call.arena(), json);
    EXPECT_TRUE(value.ok());
    call.bind_input(*value);
    return decide(call, context, scratch);
  };
  Decision denied = decide_amount(R"({"amount": 501})");
  EXPECT_EQ(denied.effect, Effect::deny);
  EXPECT_EQ(denied.reason, "more than 500");
  EXPECT_EQ(program->rules()[denied.rule].name, "p.large");
  EXPECT_EQ(decide_amount(R"({"amount": 499.5})").effect, Effect::allow);
  EXPECT_EQ(decide_amount(R"({"amount": "x"})").code, DecisionCode::invalid_input);
  EXPECT_EQ(decide_amount(R"({"amonut": 1})").code, DecisionCode::invalid_input);
}

TEST(Compile, TheSameTextsGiveTheSameProgram) {
  auto digest = [] {
    Compilation compilation = compile({source("p.policy",
                                              "capability a { input { x: int, y: { z: string } } }\n"
                                              "policy p on before * { deny when input.x > 3; warn; }")},
                                      standard_library());
    EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
    return compilation.program != nullptr ? to_hex(compilation.program->digest()) : "";
  };
  EXPECT_EQ(digest(), digest());
}

TEST(Compile, NothingIsAProgramWithoutRules) {
  Compilation compilation = compile(std::vector<std::shared_ptr<const Source>>{}, standard_library());
  ASSERT_NE(compilation.program, nullptr);
  EXPECT_TRUE(compilation.program->rules().empty());
}

TEST(Compile, WarningsDoNotKeepTheProgram) {
  Compilation compilation = compile({source("p.policy", "policy p on before nobody { allow; }")}, standard_library());
  EXPECT_NE(compilation.program, nullptr);
  EXPECT_EQ(codes(compilation.diagnostics), Codes{"undeclared-capability"});
}

TEST(Compile, ErrorsOfAllFilesAndPassesAreReported) {
  Compilation compilation = compile(
      {source("a.policy", "capability c { input { x: int } }\npolicy p on before c { deny when input.y == 1; }"),
       source("b.policy", "policy q on before c { deny when input.x == ; }"),
       source("c.policy", "import \"d.policy\"; policy r on before c { deny when input.x; }")},
      standard_library());
  EXPECT_EQ(compilation.program, nullptr);
  Codes found = codes(compilation.diagnostics);
  EXPECT_TRUE(std::count(found.begin(), found.end(), "unknown-field")) << render(compilation.diagnostics);
  EXPECT_TRUE(std::count(found.begin(), found.end(), "type-mismatch"));
  EXPECT_TRUE(std::count(found.begin(), found.end(), "import-not-found"));
  EXPECT_GE(found.size(), 4u);
}

TEST(Compile, ABrokenDeclarationHasNoConsequences) {
  Compilation compilation = compile({source("a.policy",
                                            "capability c { input { x int, y: int } }\n"
                                            "policy p on before c { deny when input.x == 1; }\n"
                                            "test \"t\" { call c { x: 1, y: 2 }; expect deny by p.deny; }")},
                                    standard_library());
  EXPECT_EQ(compilation.program, nullptr);
  for (const Diagnostic& item : compilation.diagnostics.items)
    EXPECT_EQ(item.span.begin / 40, 0u) << item.code << " " << item.message;
}

TEST(TokenScan, CanonicalTextKeepsTokensOnly) {
  EXPECT_EQ(canonical_text(" deny  a\nwhen x>1 // no\n ;"), "deny a when x>1;");
  EXPECT_EQ(canonical_text("a \"b  // c\" 'd\\' e' r\"\\\" f"), "a \"b  // c\" 'd\\' e' r\"\\\" f");
  EXPECT_EQ(canonical_text("\"\"\"two \" // lines\n\"\"\"  x"), "\"\"\"two \" // lines\n\"\"\" x");
  EXPECT_EQ(canonical_text("\"open"), "\"open");
  EXPECT_EQ(canonical_text("\"ends in \\"), "\"ends in \\");
  EXPECT_EQ(canonical_text(""), "");
}

}  // namespace
}  // namespace ordain
