// These tests cover types as text, in both directions, and when two types are equal.
#include "ordain/type.h"

#include <gtest/gtest.h>

#include "ordain/arena.h"

namespace ordain {
namespace {

TEST(Types, RoundTrip) {
  Arena arena;
  for (const char* text : {"dyn",
                           "null_type",
                           "bool",
                           "int",
                           "uint",
                           "double",
                           "string",
                           "bytes",
                           "timestamp",
                           "duration",
                           "type",
                           "net.IP",
                           "net.CIDR",
                           "list(int)",
                           "map(string, dyn)",
                           "optional_type(int)",
                           "list(optional_type(map(A, list(B))))",
                           "type(int)",
                           "acme.Token",
                           "acme.Box(int, A)"}) {
    const Type* type = parse_type(arena, text);
    ASSERT_NE(type, nullptr) << text;
    EXPECT_EQ(to_string(*type), text);
  }
}

TEST(Types, OtherSpellings) {
  Arena arena;
  EXPECT_EQ(parse_type(arena, "google.protobuf.Timestamp")->kind, TypeKind::timestamp);
  EXPECT_EQ(parse_type(arena, "google.protobuf.Duration")->kind, TypeKind::duration);
  EXPECT_EQ(to_string(*parse_type(arena, " map( string ,int ) ")), "map(string, int)");
  EXPECT_EQ(to_string(*parse_type(arena, "list")), "list(dyn)");
  EXPECT_EQ(to_string(*parse_type(arena, "map")), "map(dyn, dyn)");
}

TEST(Types, MalformedTextsAreRefused) {
  Arena arena;
  std::string deep;
  for (int n = 0; n < 10000; ++n) deep += "list(";
  for (const std::string& text :
       {std::string(), std::string("strin"), std::string("list("), std::string("list()"), std::string("list(int"),
        std::string("list(int))"), std::string("list(int, int)"), std::string("map(int)"), std::string("int int"),
        std::string("int(int)"), std::string("AB"), std::string("a"), std::string(".x"), std::string("x."),
        std::string("optional_type"), std::string("net.IP(int)"), deep}) {
    EXPECT_EQ(parse_type(arena, text), nullptr) << text.substr(0, 40);
  }
}

TEST(Types, SameByStructure) {
  Arena arena;
  auto same = [&](const char* a, const char* b) { return same_type(*parse_type(arena, a), *parse_type(arena, b)); };
  EXPECT_TRUE(same("list(map(string, A))", "list(map(string, A))"));
  EXPECT_FALSE(same("list(A)", "list(B)"));
  EXPECT_FALSE(same("list(int)", "list(uint)"));
  EXPECT_FALSE(same("type", "type(int)"));
  EXPECT_FALSE(same("acme.A", "acme.B"));
  EXPECT_TRUE(same_type(types::kListDyn, *types::list_of(arena, &types::kDyn)));
}

TEST(Types, RecordsAreSameByFields) {
  RecordField ab[] = {{"a", &types::kInt, false}, {"b", &types::kString, true}};
  RecordField ba[] = {{"b", &types::kString, true}, {"a", &types::kInt, false}};
  RecordField strict[] = {{"a", &types::kInt, false}, {"b", &types::kString, false}};
  RecordType one{"one", false, ab}, two{"two", false, ba}, three{"three", false, strict}, open{"open", true, ab};
  auto type = [](const RecordType& record) { return Type{TypeKind::record, {}, {}, &record}; };
  EXPECT_TRUE(same_type(type(one), type(two)));
  EXPECT_FALSE(same_type(type(one), type(three)));
  EXPECT_FALSE(same_type(type(one), type(open)));
  EXPECT_EQ(to_string(type(one)), "one");
  EXPECT_EQ(one.find("b")->type, &types::kString);
  EXPECT_EQ(one.find("c"), nullptr);
}

TEST(Types, LimitsCountUnlessShapesAreCompared) {
  Arena arena;
  const Value values[] = {Value::string("a"), Value::string("b")};
  TypeLimits listed, small, range;
  listed.values = values;
  small.max_size = 3;
  range.least = Value::integer(1);
  range.most = Value::integer(9);
  const Type either{TypeKind::string, {}, {}, nullptr, &listed}, short_text{TypeKind::string, {}, {}, nullptr, &small},
      digit{TypeKind::integer, {}, {}, nullptr, &range};
  const Type* const options[] = {&either, &digit};
  const Type joined{TypeKind::dyn, {}, options, nullptr};
  const Type* const digits_of[] = {&digit};
  const Type digits{TypeKind::list, {}, digits_of, nullptr};

  EXPECT_EQ(to_string(either), "\"a\" | \"b\"");
  EXPECT_EQ(to_string(short_text), "string(max 3)");
  EXPECT_EQ(to_string(digits), "list(int(1, 9))");
  EXPECT_EQ(to_string(joined), "\"a\" | \"b\" | int(1, 9)");

  EXPECT_FALSE(same_type(either, types::kString));
  EXPECT_FALSE(same_type(either, short_text));
  EXPECT_FALSE(same_type(joined, types::kDyn));
  EXPECT_TRUE(same_shape(either, short_text));
  EXPECT_TRUE(same_shape(joined, types::kDyn));
  EXPECT_FALSE(same_shape(digits, types::kListString));

  EXPECT_EQ(unlimited(arena, &types::kString), &types::kString);
  EXPECT_TRUE(same_type(*unlimited(arena, &digits), *parse_type(arena, "list(int)")));
  EXPECT_EQ(unlimited(arena, &joined), &types::kDyn);

  EXPECT_TRUE(meets_limits(either, Value::string("b")));
  EXPECT_FALSE(meets_limits(either, Value::string("c")));
  EXPECT_TRUE(meets_limits(short_text, Value::string("\u00E4\u00F6\u00FC")));
  EXPECT_FALSE(meets_limits(short_text, Value::string("four")));
  EXPECT_TRUE(meets_limits(digit, Value::integer(9)));
  EXPECT_FALSE(meets_limits(digit, Value::integer(0)));
}

TEST(Types, KindsOfTypes) {
  Arena arena;
  EXPECT_EQ(kind_of(types::kInt), Kind::integer);
  EXPECT_EQ(kind_of(types::kMapDyn), Kind::map);
  EXPECT_EQ(kind_of(types::kDyn), Kind::absent);
  EXPECT_EQ(kind_of(*parse_type(arena, "A")), Kind::absent);
  EXPECT_EQ(kind_of(*parse_type(arena, "acme.X")), Kind::absent);
  EXPECT_EQ(kind_of(*parse_type(arena, "optional_type(int)")), Kind::optional);
}

}  // namespace
}  // namespace ordain
