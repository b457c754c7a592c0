// These tests compare bind_json, which skips everything that no rule reads, with bind_input of the
// whole tree: both must fill the same slots or report the same error.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

constexpr const char* kPolicy = R"(
capability open_one  { input open { a: int, b: optional(string), inner: optional({ x: double, y: optional(bool) }) } }
capability shut      { input { a: int, b: optional(string), inner: optional({ x: double, y: optional(bool) }) } }
capability whole     { input open { a: int, b: optional(string) } }
capability listed    { input open { a: optional(list(string)), b: optional(timestamp) } }
capability empty_one { input open { } }
policy p on before open_one {
  deny one   when input.a == 1;
  deny two   when has(input.extra) && input.extra == "two";
  deny three when has(input.deep) && has(input.deep.er) && input.deep.er == 3;
  deny four  when has(input.inner) && input.inner.x > 1.0;
}
policy s on before shut { deny one when input.a == 1; deny x when has(input.inner) && has(input.inner.y) && input.inner.y; }
policy w on before whole { deny text when texts(input).exists(t, t == "two"); }
policy l on before listed { deny tag when has(input.a) && "two" in input.a; }
policy e on before empty_one { deny a when has(input.a) && input.a == 1; }
policy d on before undeclared { deny a when has(input.a) && input.a == 1; deny er when has(input.deep) && has(input.deep.er) && input.deep.er == 3; }
)";

class JsonWriter {
 public:
  explicit JsonWriter(uint64_t seed) : random_(seed) {}

  std::string object(int depth) {
    static constexpr const char* kNames[] = {"a", "b", "inner",   "x",   "y",          "extra",   "deep", "er",
                                             "f", "g", "deep.er", "ext", "extra.more", "\\u0061", "",     "\xc3\xa9"};
    std::string out = "{";
    const size_t fields = random_() % (depth == 0 ? 12 : 5);
    for (size_t n = 0; n < fields; ++n) {
      // Mostly each name occurs once.
      const size_t name = random_() % 20 == 0 ? random_() % std::size(kNames) : (n * 5 + depth) % std::size(kNames);
      out += fmt::format("{}\"{}\"{}:{}", n == 0 ? "" : ", ", kNames[name], random_() % 9 == 0 ? " " : "",
                         value(depth + 1));
    }
    return out + "}";
  }

  std::string value(int depth) {
    static constexpr const char* kLeaves[] = {"1",
                                              "2.5",
                                              "true",
                                              "null",
                                              "\"two\"",
                                              "3",
                                              "18446744073709551615",
                                              "5.0",
                                              "\"\"",
                                              "-0.0",
                                              "1e300",
                                              "\"2026-01-01T00:00:00Z\"",
                                              "[]",
                                              "{}",
                                              "\"\\ud83d\\ude00\"",
                                              "[\"two\", \"one\"]",
                                              "9007199254740993",
                                              "\"1h\""};
    if (random_() % 400 == 0) return broken();
    if (random_() % 300 == 0) return deep(40 + random_() % 30);
    if (depth > 4 || random_() % 3 != 0) return kLeaves[random_() % std::size(kLeaves)];
    if (random_() % 2 == 0) return object(depth);
    std::string out = "[";
    for (size_t n = random_() % 4; n > 0; --n) out += value(depth + 1) + (n > 1 ? "," : "");
    return out + "]";
  }

 private:
  std::string broken() {
    static constexpr const char* kBroken[] = {"\"\xff\"", "tru",       "1e400", "\"\\ud800\"",          "01",
                                              "[1,]",     "{\"a\" 1}", "nan",   "18446744073709551616", "\"\x01\""};
    return kBroken[random_() % std::size(kBroken)];
  }
  static std::string deep(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

  std::mt19937_64 random_;
};

// @returns everything that engines read of a call
std::string describe(const Call& call) {
  if (call.error().failed) return "refused: " + call.error().message;
  std::string out;
  for (const Value& value : call.slots().values) out += value.present() ? to_json(value) + ";" : "-;";
  for (SymbolId symbol : call.slots().symbols) out += fmt::format(" {}", symbol);
  for (uint64_t bits : call.slots().bits) out += fmt::format(" {:x}", bits);
  return out;
}

std::string by_tree(Call& call, const CapabilityRef& capability, const std::string& json) {
  call.begin(capability, Stage::before);
  Result<Value> value = parse_json(call.arena(), json);
  if (value) {
    call.bind_input(*value);
  } else {
    call.reject("input: " + value.error().message);
  }
  return describe(call);
}

std::string directly(Call& call, const CapabilityRef& capability, const std::string& json) {
  call.begin(capability, Stage::before);
  call.bind_json(json);
  return describe(call);
}

constexpr const char* kCapabilities[] = {"open_one",  "shut",       "whole",     "listed",
                                         "empty_one", "undeclared", "unheard_of"};

TEST(BindJson, BindsAsTheWholeTreeDoes) {
  auto program = testing::compile_text(kPolicy);
  Call tree(program), direct(program);
  JsonWriter writer(20260101);
  int refused = 0, bound = 0;
  for (int n = 0; n < 40000; ++n) {
    const std::string json = n % 50 == 0 ? writer.value(0) : writer.object(0);
    const CapabilityRef capability = program->resolve(kCapabilities[static_cast<size_t>(n) % std::size(kCapabilities)]);
    const std::string expected = by_tree(tree, capability, json);
    ASSERT_EQ(directly(direct, capability, json), expected) << capability.name << ": " << json;
    (expected.starts_with("refused") ? refused : bound)++;
  }
  EXPECT_GT(refused, 4000);
  EXPECT_GT(bound, 4000);
}

TEST(BindJson, SaysTheSameOfWhatNoRuleReads) {
  auto program = testing::compile_text(kPolicy);
  Call tree(program), direct(program);
  const CapabilityRef open_one = program->resolve("open_one"), shut = program->resolve("shut");
  auto bind_both = [&](const CapabilityRef& capability, const std::string& json) {
    const std::string out = directly(direct, capability, json);
    EXPECT_EQ(out, by_tree(tree, capability, json)) << json;
    return out;
  };
  const std::string many = R"("f1": 1, "f2": [2], "f3": {"x": {}}, "f4": "")";
  EXPECT_EQ(bind_both(open_one, R"({"a": 7, )" + many + "}").substr(0, 7).find("refused"), std::string::npos);
  EXPECT_NE(bind_both(shut, R"({"a": 7, )" + many + "}").find("input.f1: shut.input has no such field"),
            std::string::npos);
  EXPECT_NE(bind_both(open_one, R"({"a": 7, "f1": 0, )" + many + "}").find("duplicate key \"f1\""), std::string::npos);
  EXPECT_NE(bind_both(open_one, R"({"a": 7, )" + many + R"(, "g": [{"k": 1, "k": 2}]})").find("duplicate key \"k\""),
            std::string::npos);
  EXPECT_NE(
      bind_both(open_one, R"({"a": 7, )" + many + R"(, "g": )" + std::string(64, '[') + std::string(64, ']') + "}")
          .find("nested deeper than 64"),
      std::string::npos);
  EXPECT_NE(bind_both(open_one, "{" + many + "}").find("input.a: required, but missing"), std::string::npos);
  EXPECT_NE(bind_both(open_one, R"({"a": 7, )" + many + ", \"g\": \"\xff\"}").find("invalid UTF-8"), std::string::npos);
  // The undeclared field that a rule reads is present, and the fields around it are skipped.
  Context context(program);
  Scratch scratch;
  bind_both(open_one, R"({"a": 7, )" + many + R"(, "deep": {"er": 3, "f": 1}})");
  EXPECT_EQ(decide(direct, context, scratch).reason, "p.three");
}

TEST(BindJson, ATextNeedNotOutliveTheCall) {
  auto program = testing::compile_text(kPolicy);
  Call call(program);
  call.begin(program->resolve("open_one"), Stage::before);
  {
    std::string json = R"({"a": 7, "b": "kept", "extra": "two", "f": 1, "g": 2})";
    call.bind_json(json);
    json.assign(json.size(), 'x');
    Arena other;
    ASSERT_TRUE(parse_json(other, R"({"another": "text in the thread's parser", "x": [1, 2, 3]})").ok());
  }
  Context context(program);
  Scratch scratch;
  EXPECT_EQ(decide(call, context, scratch).reason, "p.two");
}

}  // namespace
}  // namespace ordain
