// These tests cover redact: the values that a path reaches, and those that it leaves alone.
#include "vm/json/redact.h"

#include <gtest/gtest.h>

#include "ordain/json.h"

namespace ordain {
namespace {

Document parsed(const std::string& text) {
  auto document = Document::parse(text);
  EXPECT_TRUE(document.ok()) << text;
  return *std::move(document);
}

std::string redact_json(const std::string& text, const std::string& path, const Value& with = Value::string("***")) {
  Arena arena;
  auto document = parsed(text);
  Value out;
  if (!detail::redact(arena, document.root(), "output", path, with, &out)) return "refused";
  EXPECT_EQ(document.json(), parsed(text).json()) << "the original is untouched";
  return to_json(out);
}

TEST(Redact, ReachesWhatThePathNames) {
  EXPECT_EQ(redact_json(R"({"a": 1, "b": 2})", "output.a"), R"({"a":"***","b":2})");
  EXPECT_EQ(redact_json(R"({"a": {"b": {"c": 1}, "d": 2}})", "output.a.b.c"), R"({"a":{"b":{"c":"***"},"d":2}})");
  EXPECT_EQ(redact_json(R"({"a": 1})", "output"), R"("***")");
  EXPECT_EQ(redact_json("[1, 2]", "output[*]"), R"(["***","***"])");
  EXPECT_EQ(redact_json(R"([[{"k": 1}], []])", "output[*][*].k"), R"([[{"k":"***"}],[]])");
  EXPECT_EQ(redact_json(R"({"x": {"a": 1, "b": {"c": 2}}})", "output.x[*]"), R"({"x":{"a":"***","b":"***"}})");
  EXPECT_EQ(redact_json(R"({"a": 1})", "output.a", Value::null()), R"({"a":null})");
}

TEST(Redact, LeavesWhatIsNotThere) {
  EXPECT_EQ(redact_json(R"({"a": 1})", "output.b"), R"({"a":1})");
  EXPECT_EQ(redact_json(R"({"a": 1})", "output.a.b"), R"({"a":1})");
  EXPECT_EQ(redact_json(R"({"a": [1]})", "output.a.b"), R"({"a":[1]})");
  EXPECT_EQ(redact_json(R"({"a": "text"})", "output.a[*]"), R"({"a":"text"})");
  EXPECT_EQ(redact_json("null", "output.a"), "null");
}

TEST(Redact, FitsOnlyWhatThePathDescribes) {
  auto fits = [](const std::string& text, const std::string& path) {
    auto document = parsed(text);
    return detail::fits_redaction(document.root(), "output", path);
  };
  for (const char* path : {"output", "output.a", "output.a.b", "output.b.c[*].d", "output.list[*].k"}) {
    EXPECT_TRUE(fits(R"({"a": {"b": 1}, "list": [{"k": 1}, {}, null, {"k": {"j": 2}}]})", path)) << path;
    EXPECT_TRUE(fits("null", path)) << path;
    EXPECT_TRUE(fits("{}", path)) << path;
  }
  EXPECT_TRUE(fits(R"({"a": null})", "output.a.b")) << "null is an absent object";
  EXPECT_TRUE(fits(R"({"a": {"x": 1}})", "output.a[*]")) << "every value of a map";
  EXPECT_TRUE(fits(R"({"a": [], "b": "text"})", "output.a[*].k"));
  EXPECT_FALSE(fits(R"({"a": "text"})", "output.a.b"));
  EXPECT_FALSE(fits(R"({"a": 1})", "output.a[*]"));
  EXPECT_FALSE(fits(R"({"a": [{"b": 1}]})", "output.a.b"));
  EXPECT_FALSE(fits(R"({"a": [{"b": 1}, "text"]})", "output.a[*].b"));
  EXPECT_FALSE(fits("[1]", "output.a"));
  EXPECT_FALSE(fits(R"("text")", "output.a"));
  EXPECT_FALSE(fits("{}", "output[0]")) << "a path that cannot be read";
}

TEST(Redact, RefusesPathsItCannotRead) {
  for (const char* path : {"input.a", "outputs.a", "output.", "output..a", "output[0]", "output.a[*", "output.a]"}) {
    EXPECT_EQ(redact_json(R"({"a": 1})", path), "refused") << path;
  }
}

}  // namespace
}  // namespace ordain
