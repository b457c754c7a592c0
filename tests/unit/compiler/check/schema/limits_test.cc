// These tests cover enumerations, bounds and unions in declarations: how they are read and written, which of them are
// mistakes, and that every way into a call checks them.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ordain/call.h"
#include "ordain/compile.h"
#include "ordain/program.h"
#include "ordain/stdlib.h"
#include "ordain/struct_binding.h"

namespace ordain {
namespace {

Compilation compiled(const std::string& text) {
  return compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
}

Compilation with_type(const std::string& type, const std::string& condition = "") {
  return compiled("capability c { input { f: " + type + " } }\npolicy p on before c { " +
                  (condition.empty() ? "" : "deny d when " + condition + "; ") + "allow a; }\n");
}

// @returns the type of `input.f` as it is written in messages
std::string shown(const std::string& type) {
  const Compilation of = with_type(type);
  EXPECT_NE(of.program, nullptr) << type << "\n" << render(of.diagnostics);
  if (of.program == nullptr) return "";
  const Schema& schema = of.program->schema();
  return to_string(*schema.records[schema.capabilities[0].input].type->fields[0].type);
}

TEST(Limits, AreShownAsTheyAreWritten) {
  for (const char* type : {"int(1, 100)",
                           "int(-5, -1)",
                           "int(min 1)",
                           "int(max 100)",
                           "uint(1u, 9u)",
                           "uint(min 2u)",
                           "double(0.0, 1.0)",
                           "double(min -0.5)",
                           "string(max 64)",
                           "string(min 1, max 64)",
                           "bytes(min 2)",
                           "list(int, max 20)",
                           "list(string(max 3), min 1, max 2)",
                           "map(string, int(1, 2), max 3)",
                           "\"open\" | \"closed\"",
                           "\"one\"",
                           "1 | 2 | -3",
                           "true",
                           "1u | 2u",
                           "string | int",
                           "string(max 8) | int(0, 9)",
                           "\"auto\" | \"off\" | int(min 1)",
                           "timestamp | null_type",
                           "list(\"a\" | \"b\", max 2)",
                           "\"\\\"\\n\""}) {
    EXPECT_EQ(shown(type), type);
  }
  EXPECT_EQ(shown("double(0, 1)"), "double(0.0, 1.0)");
  EXPECT_EQ(shown("uint(1, 9)"), "uint(1u, 9u)");
  EXPECT_EQ(shown("int(min 1, max 9)"), "int(1, 9)");
  EXPECT_EQ(shown("string(min 0)"), "string");
  EXPECT_EQ(shown("\"a\" | int | \"b\""), "\"a\" | \"b\" | int");
}

TEST(Limits, MistakesAreReported) {
  struct Case {
    const char* type;
    const char* code;
    const char* message;
  };
  for (const Case& c : std::vector<Case>{
           {"int(9, 1)", "bad-limit", "no number is within these bounds"},
           {"int(1)", "bad-limit", "takes two bounds"},
           {"int(1, 2, 3)", "bad-limit", "takes two bounds"},
           {"int(1, max 2)", "bad-limit", "takes two bounds"},
           {"int(1.5, 2.5)", "bad-limit", "must be a number of that type"},
           {"uint(-1, 5)", "bad-limit", "must be a number of that type"},
           {"int(most 5)", "bad-limit", "no bound is called `most`"},
           {"int(max 5, max 6)", "bad-limit", "`max` stands twice"},
           {"string(64)", "bad-limit", "takes `min` and `max`"},
           {"string(max 1.5)", "bad-limit", "a size must be a whole number"},
           {"string(max -1)", "bad-limit", "a size must be a whole number"},
           {"string(min 2, max 1)", "bad-limit", "no size is within these bounds"},
           {"list(int, max -1)", "bad-limit", "a size must be a whole number"},
           {"\"a\" | \"a\"", "bad-limit", "this value stands twice"},
           {"1.5 | 2.5", "bad-limit", "an enumeration holds texts"},
           {"string | \"a\"", "bad-limit", "includes another option"},
           {"int | int", "bad-limit", "includes another option"},
           {"string | list(int)", "bad-limit", "a union joins types of single values"},
           {"string | { x: int }", "bad-limit", "a union joins types of single values"},
           {"string | dyn", "bad-limit", "a union joins types of single values"},
           {"string | strng", "unknown-type", "no type is called `strng`"},
           {"bool(1, 2)", "unknown-type", "takes no parameters"},
           {"map(string | int, int)", "unknown-type", "a map's keys"},
           {"optional(int, max 2)", "unknown-type", "`optional` has one parameter"},
           {"secret \"a\"", "bad-secret", "cannot be secret"},
           {"secret string | int", "bad-secret", "cannot be secret"},
       }) {
    const Compilation of = with_type(c.type);
    EXPECT_EQ(of.program, nullptr) << c.type;
    const auto& items = of.diagnostics.items;
    const bool found = std::any_of(items.begin(), items.end(), [&](const Diagnostic& item) {
      return item.code == c.code && item.message.find(c.message) != std::string::npos;
    });
    EXPECT_TRUE(found) << c.type << "\n" << render(of.diagnostics);
  }
}

TEST(Limits, ComparisonsThatADeclarationExcludesAreReported) {
  struct Case {
    const char* type;
    const char* condition;
    const char* code;  ///< "": no warning
    const char* help;
  };
  for (const Case& c : std::vector<Case>{
           {"\"open\" | \"closed\"", "input.f == \"opne\"", "never-matches", "did you mean \"open\"?"},
           {"\"open\" | \"closed\"", "input.f in [\"opne\", \"x\"]", "never-matches", "did you mean \"open\"?"},
           {"\"open\" | \"closed\"", "input.f != \"opne\"", "always-true", "did you mean \"open\"?"},
           {"\"open\" | \"closed\"", "input.f == \"opne\" || agent.id == \"x\"", "never-matches",
            "did you mean \"open\"?"},
           {"\"open\" | \"closed\"", "input.f.startsWith(\"x\")", "never-matches", ""},
           {"\"open\" | \"closed\"", "input.f != \"open\" && input.f != \"closed\"", "never-matches", ""},
           {"\"open\" | \"closed\"", "input.f == \"open\"", "", ""},
           {"\"open\" | \"closed\"", "(agent.id == \"\" ? input.f : \"x\") == \"x\"", "", ""},
           {"1 | 2", "input.f == 3", "never-matches", "`input.f` is declared as 1 | 2"},
           {"int(1, 100)", "input.f > 500", "never-matches", "`input.f` is declared as int(1, 100)"},
           {"int(1, 100)", "input.f > 99", "", ""},
           {"int(1, 100)", "input.f >= 1", "always-true", ""},
           {"double(0.0, 1.0)", "input.f < 0.0", "never-matches", ""},
           {"string(max 3)", "size(input.f) > 3", "never-matches", ""},
           {"string(min 1)", "input.f == \"\"", "never-matches", ""},
           {"list(int, max 2)", "input.f.size() == 3", "never-matches", ""},
           {"list(int, max 2)", "input.f.size() == 2", "", ""},
           {"string | int", "input.f == \"a\"", "", ""},
       }) {
    const Compilation of = with_type(c.type, c.condition);
    ASSERT_NE(of.program, nullptr) << c.type << " " << c.condition << "\n" << render(of.diagnostics);
    const auto& items = of.diagnostics.items;
    const std::string code = c.code;
    EXPECT_EQ(items.size(), code.empty() ? 0u : 1u) << c.condition << "\n" << render(of.diagnostics);
    if (items.empty() || code.empty()) continue;
    EXPECT_EQ(items[0].code, code) << c.condition;
    EXPECT_NE(items[0].help.find(c.help), std::string::npos) << c.condition << "\n" << items[0].help;
  }
}

TEST(Limits, AreJudgedForEachCapability) {
  const Compilation of = compiled(
      "capability a.x { input { f: \"open\" } }\ncapability a.y { input { f: \"shut\" } }\n"
      "policy p on before a.* { deny d when input.f == \"shut\"; allow a; }\n");
  ASSERT_NE(of.program, nullptr) << render(of.diagnostics);
  EXPECT_TRUE(of.diagnostics.items.empty()) << render(of.diagnostics);
}

TEST(Limits, OfTestsAreChecked) {
  for (const auto& [value, good] : std::vector<std::pair<std::string, bool>>{
           {"\"open\"", true}, {"\"opne\"", false}, {"3", true}, {"30", false}, {"true", false}}) {
    const Compilation of = compiled(
        "capability c { input { f: \"open\" | int(1, 9) } }\npolicy p on before c { allow a; }\n"
        "test \"t\" { call c { f: " +
        value + " }; expect allow; }\n");
    EXPECT_EQ(of.program != nullptr, good) << value << "\n" << render(of.diagnostics);
  }
}

constexpr const char* kLimited =
    "capability c { input { state: \"open\" | \"closed\", n: int(1, 9), tags: list(string, max 1), unread: int(max 5) "
    "} "
    "}\ncapability d { input { state: string, n: int, tags: list(string), unread: int } }\n"
    "policy p on before c, d { deny d when input.state == \"closed\" || input.n == 9 || \"x\" in input.tags; allow a; "
    "}\n";

TEST(Limits, SurviveSerialisation) {
  const Compilation of = compiled(kLimited);
  ASSERT_NE(of.program, nullptr) << render(of.diagnostics);
  const std::string bytes = of.program->serialise();
  const auto loaded = Program::load(bytes, standard_library());
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ((*loaded)->serialise(), bytes);
  Call call(*loaded);
  call.begin((*loaded)->resolve("c"), Stage::before);
  call.bind_json(R"({"state": "opne", "n": 1, "tags": [], "unread": 1})");
  EXPECT_EQ(call.error().message, "input.state: expected \"open\" | \"closed\", got \"opne\"");
  EXPECT_EQ(call.error().path, "input.state");
  EXPECT_EQ(call.error().expected, "\"open\" | \"closed\"");
  EXPECT_EQ(call.error().got, "\"opne\"");
}

// The capabilities share slots, because they differ in limits alone.
TEST(Limits, HoldForValuesThatAreSetOneByOne) {
  const Compilation of = compiled(kLimited);
  ASSERT_NE(of.program, nullptr) << render(of.diagnostics);
  const auto message = [&](const char* capability, const char* path, const Value& value) {
    Call call(of.program);
    const CapabilityRef ref = of.program->resolve(capability);
    call.begin(ref, Stage::before);
    call.set(of.program->slot(&of.program->schema().capabilities[ref.id], path), value);
    return call.error().message;
  };
  EXPECT_EQ(message("c", "input.n", Value::integer(9)), "");
  EXPECT_EQ(message("c", "input.n", Value::integer(10)), "input.n: expected int(1, 9), got 10");
  EXPECT_EQ(message("d", "input.n", Value::integer(10)), "");
  EXPECT_EQ(message("c", "input.state", Value::string("closed")), "");
  EXPECT_EQ(message("c", "input.state", Value::string("shut")),
            "input.state: expected \"open\" | \"closed\", got \"shut\"");
  EXPECT_EQ(message("d", "input.state", Value::string("shut")), "");
  const Value two[] = {Value::string("x"), Value::string("y")};
  EXPECT_EQ(message("c", "input.tags", Value::list(two)), "input.tags: expected list(string, max 1), got list of 2");
  EXPECT_EQ(message("d", "input.tags", Value::list(two)), "");
}

struct Limited {
  std::string state = "open";
  int64_t n = 1;
  std::vector<std::string> tags;
  int64_t unread = 1;
};

TEST(Limits, HoldForStructs) {
  const Compilation of = compiled(kLimited);
  ASSERT_NE(of.program, nullptr) << render(of.diagnostics);
  auto binding = StructBinder<Limited>(of.program, "c")
                     .bind("input.state", &Limited::state)
                     .bind("input.n", &Limited::n)
                     .bind("input.tags", &Limited::tags)
                     .bind("input.unread", &Limited::unread)
                     .finish();
  ASSERT_TRUE(binding.ok()) << binding.error().message;
  const auto message = [&](const Limited& value) {
    Call call(of.program);
    call.begin(binding->capability(), Stage::before);
    binding->fill(call, value);
    return call.error().message;
  };
  EXPECT_EQ(message({}), "");
  EXPECT_EQ(message({.state = "shut"}), "input.state: expected \"open\" | \"closed\", got \"shut\"");
  EXPECT_EQ(message({.n = 10}), "input.n: expected int(1, 9), got 10");
  EXPECT_EQ(message({.tags = {"a", "b"}}), "input.tags: expected list(string, max 1), got list of 2");
  EXPECT_EQ(message({.unread = 6}), "input.unread: expected int(max 5), got 6") << "no rule reads it";
}

}  // namespace
}  // namespace ordain
