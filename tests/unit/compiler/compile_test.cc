// These tests cover compile and read_sources: from texts and files to a Program, or to all mistakes
// in them.
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "compiler/parse/token_scan.h"
#include "ordain/call.h"
#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "vm/program/linked_program.h"

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

// Gives each test a directory of its own, which is removed afterwards.
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

TEST_F(ReadSources, LinkedDirectoriesAreFollowedOnce) {
  write("set/a.policy", "");
  write("set/sub/b.policy", "");
  write("elsewhere/c.policy", "");
  write("elsewhere/deep/d.policy", "");
  fs::create_directory_symlink("../elsewhere", root_ / "set" / "linked");
  fs::create_directory_symlink("../elsewhere", root_ / "set" / "linked_again");
  fs::create_directory_symlink("sub", root_ / "set" / "a_name_before_sub");
  fs::create_directory_symlink("..", root_ / "set" / "sub" / "circle");
  fs::create_directory_symlink(".", root_ / "elsewhere" / "itself");
  Diagnostics read = read_sources({(root_ / "set").string()});
  EXPECT_TRUE(read.items.empty()) << render(read);
  EXPECT_EQ(names(read), (std::vector<std::string>{"set/a.policy", "set/linked/c.policy", "set/linked/deep/d.policy",
                                                   "set/sub/b.policy"}));
}

TEST_F(ReadSources, ALinkThatCannotBeFollowedIsNamed) {
  write("a.policy", "");
  fs::create_symlink("endless", root_ / "endless");
  Diagnostics read = read_sources({root_.string()});
  EXPECT_EQ(codes(read), Codes{"unreadable"});
  EXPECT_NE(render(read).find("endless"), std::string::npos) << render(read);
  fs::remove(root_ / "endless");
  fs::create_symlink("nowhere", root_ / "note");
  EXPECT_TRUE(read_sources({root_.string()}).items.empty()) << "nothing is there, a policy neither";
  fs::create_symlink("nowhere", root_ / "gone.policy");
  EXPECT_EQ(codes(read_sources({root_.string()})), Codes{"unreadable"});
}

TEST_F(ReadSources, AnUnreadableSubdirectoryIsNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  write("a.policy", "");
  write("secret/b.policy", "");
  fs::permissions(root_ / "secret", fs::perms::none);
  Diagnostics read = read_sources({root_.string()});
  const std::string message = render(read);
  fs::permissions(root_ / "secret", fs::perms::owner_all);
  EXPECT_EQ(codes(read), Codes{"unreadable"});
  EXPECT_NE(message.find("/secret: Permission denied"), std::string::npos) << message;
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

// @returns the text at a span of a test block, as `file:line:column` of its source
std::string place(const Compilation& compilation, Span span) {
  const Source& source = *compilation.diagnostics.sources[span.file];
  const LineColumn at = line_column(source, span.begin);
  return source.path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

constexpr const char* kPay = R"(
context { agent { team: string, home: optional({ city: string, floor: int }) } }
capability pay {
  input { to: string, amount: double, at: optional(timestamp), lines: list({ cents: int }), tags: map(string, bytes) }
  output open { id: string }
}
let friends = ["ann", "bob"];
policy p on before pay { deny a when input.amount > 1.0; allow b; }
)";

TEST(CompileTests, CallsAreEventsWithTheirValuesComputed) {
  Compilation compilation = compile({source("p.policy", std::string(kPay) + R"(test "t \"1\"" {
  call pay { to: friends[1], amount: 2 + 3, at: timestamp("2024-05-01T12:00:00Z"), lines: [1, 2].map(n, { "cents": n }),
             tags: { a: b"xyz" } }
    with agent = { team: "x" + "y", home: { city: "u", floor: 1 } }, agent.home.floor = 2, environment = "prod",
         metadata.trace = [true, null], action.risk = "high", now = timestamp("2024-01-01T00:00:00Z") + duration("1s");
  expect deny by p.a;
  expect default;
  call "pay" { to: "a", amount: 1.5, at: null, lines: [], tags: {} } returns { id: "i", more: { b: 1, a: {} } };
}
)")},
                                    standard_library());
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  ASSERT_EQ(compilation.tests.size(), 1u);
  const PolicyTest& test = compilation.tests[0];
  EXPECT_EQ(test.name, "t \"1\"");
  EXPECT_EQ(place(compilation, test.span), "p.policy:9:6");
  ASSERT_EQ(test.calls.size(), 2u);
  EXPECT_EQ(test.calls[0].event,
            R"({"capability": "pay", "action": {"risk": "high"}, )"
            R"("agent": {"home": {"city": "u", "floor": 2}, "team": "xy"}, "environment": {"id": "prod"}, )"
            R"("input": {"amount": 5, "at": "2024-05-01T12:00:00Z", "lines": [{"cents":1},{"cents":2}], )"
            R"("tags": {"a": "eHl6"}, "to": "bob"}, )"
            R"("metadata": {"trace": [true,null]}, "now": "2024-01-01T00:00:01Z"})");
  EXPECT_EQ(test.calls[1].event,
            R"({"capability": "pay", "stage": "after", "input": {"amount": 1.5, "at": null, "lines": [], )"
            R"("tags": {}, "to": "a"}, "output": {"id": "i", "more": {"a": {}, "b": 1}}})");
  ASSERT_EQ(test.calls[0].expectations.size(), 2u);
  EXPECT_EQ(test.calls[0].expectations[0].effect, "deny");
  EXPECT_EQ(test.calls[0].expectations[0].rule, "p.a");
  EXPECT_EQ(place(compilation, test.calls[0].expectations[1].span), "p.policy:15:3");
  EXPECT_EQ(test.calls[0].expectations[1].rule, "");
  EXPECT_TRUE(test.calls[1].expectations.empty());
}

TEST(CompileTests, FixturesAndTablesAreWrittenOut) {
  Compilation compilation = compile({source("p.policy", std::string(kPay) + R"(let house = {"city": "u", "floor": 1};
test "t" {
  let ann = { team: "x", home: house };
  let order = { to: "ann", amount: 1.5, lines: [], tags: {} };
  rows amount, who {
    2 + 3, ann expect default;
    0.5, { team: "y" };
  }
  let small = { id: "i", cents: amount };
  call pay { amount: amount } like order with agent = who, metadata = small;
  expect allow;
  call pay like order returns small;
}
)")},
                                    standard_library());
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  ASSERT_EQ(compilation.tests.size(), 1u);
  const std::vector<TestCall>& calls = compilation.tests[0].calls;
  ASSERT_EQ(calls.size(), 4u);
  EXPECT_EQ(calls[0].event,
            R"({"capability": "pay", "agent": {"home": {"city": "u", "floor": 1}, "team": "x"}, )"
            R"("input": {"amount": 5, "lines": [], "tags": {}, "to": "ann"}, "metadata": {"cents": 5, "id": "i"}})");
  EXPECT_EQ(calls[1].event, R"({"capability": "pay", "stage": "after", "input": {"amount": 1.5, "lines": [], )"
                            R"("tags": {}, "to": "ann"}, "output": {"cents": 5, "id": "i"}})");
  EXPECT_EQ(calls[2].event, R"({"capability": "pay", "agent": {"team": "y"}, "input": {"amount": 0.5, "lines": [], )"
                            R"("tags": {}, "to": "ann"}, "metadata": {"cents": 0.5, "id": "i"}})");
  const auto expectations = [](const TestCall& call) {
    std::string out;
    for (const TestExpectation& each : call.expectations) out += each.effect + " " + each.rule + "|";
    return out;
  };
  EXPECT_EQ(expectations(calls[0]), "allow |");
  EXPECT_EQ(expectations(calls[1]), "default |") << "a row's `expect` is about the last call";
  EXPECT_EQ(expectations(calls[2]), "allow |");
  EXPECT_EQ(expectations(calls[3]), "");
  ASSERT_TRUE(calls[0].row && calls[3].row);
  EXPECT_EQ(place(compilation, *calls[0].row), "p.policy:14:5");
  EXPECT_EQ(place(compilation, *calls[1].row), "p.policy:14:5");
  EXPECT_EQ(place(compilation, *calls[3].row), "p.policy:15:5");
  EXPECT_EQ(place(compilation, calls[1].expectations[0].span), "p.policy:14:16");
}

TEST(CompileTests, ABrokenLetOfATestIsReportedOnce) {
  Compilation compilation = compile({source("p.policy", std::string(kPay) + R"(test "t" {
  let order = { to: ;
  call pay like order;
  expect allow;
})")},
                                    standard_library());
  EXPECT_EQ(codes(compilation.diagnostics), Codes{"syntax"}) << render(compilation.diagnostics);
}

TEST(CompileTests, AValueThatFaultsIsAnError) {
  Compilation compilation = compile(
      {source("p.policy", std::string(kPay) + "test \"t\" { call pay { to: friends[9], amount: [1, 2].map(n, 1 / (n - "
                                              "1))[0], lines: [], tags: {} }; expect allow; }")},
      standard_library());
  EXPECT_EQ(compilation.program, nullptr);
  EXPECT_TRUE(compilation.tests.empty());
  EXPECT_EQ(codes(compilation.diagnostics), (Codes{"test-no-value", "test-no-value"}))
      << render(compilation.diagnostics);
}

TEST(CompileTests, AValueThatIsEndlessWhenWrittenOutIsAnError) {
  std::string twice = "[a59, a59]";
  for (int i = 59; i > 0; --i) {
    const std::string before = std::to_string(i - 1);
    twice = "cel.bind(a" + std::to_string(i) + ", [a" + before + ", a" + before + "], " + twice + ")";
  }
  Compilation compilation = compile({source("p.policy",
                                            "capability pay { }\ntest \"t\" { call pay with metadata.x = "
                                            "cel.bind(a0, \"x\", " +
                                                twice + "); expect deny; }")},
                                    standard_library());
  EXPECT_EQ(codes(compilation.diagnostics), Codes{"test-no-value"}) << render(compilation.diagnostics);
}

TEST(CompileTests, ChangeNothingInTheProgram) {
  const std::string tests = "test \"t\" { call pay { to: \"zed\", amount: 1, lines: [], tags: {} }; expect allow; }";
  Compilation without = compile({source("p.policy", kPay)}, standard_library());
  Compilation with = compile({source("p.policy", kPay + tests)}, standard_library());
  ASSERT_NE(with.program, nullptr) << render(with.diagnostics);
  EXPECT_EQ(with.program->digest(), without.program->digest());
}

TEST(CompileParts, AreInTheProgramOnlyWhereAskedFor) {
  const std::string text = std::string(kPay) +
                           "policy q on before pay { deny c when input.to == \"x\" &&\n"
                           "  (input.amount > 2.0 && agent.id != \"\"); }";
  Compilation plain = compile({source("p.policy", text)}, standard_library());
  EXPECT_TRUE(vm::data_of(*plain.program).condition_parts.empty());
  Compilation compilation = compile({source("p.policy", text)}, standard_library(), {.parts = true});
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  const ProgramData& data = vm::data_of(*compilation.program);
  std::vector<std::string> parts;
  for (const ConditionPart& part : data.condition_parts) {
    const Location& at = data.locations[part.location];
    parts.push_back(data.rules[data.rule_codes[part.code].rule].name + " " +
                    text.substr(part.begin, part.end - part.begin) + " " + std::to_string(at.line));
  }
  const std::string line = std::to_string(1 + std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts.back(), "q.c agent.id != \"\" " + line);
  EXPECT_EQ(parts[0].substr(0, 22), "p.a input.amount > 1.0");
  // A condition with one part does not get a second predicate.
  EXPECT_EQ(data.predicates.size(), vm::data_of(*plain.program).predicates.size() + 3);
  EXPECT_EQ(data.condition_parts[0].predicate, data.rule_codes[data.condition_parts[0].code].condition);
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
