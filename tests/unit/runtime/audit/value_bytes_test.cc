// These tests cover the canonical encoding of values: each value has one byte string, and any bytes
// can be read safely.
#include "runtime/audit/value_bytes.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using namespace detail;  // the encoding is tested from inside
using testing::json;

TEST(ValueBytes, OneValueHasOneEncoding) {
  auto encode = [](const std::string& text) {
    std::string out;
    const Document document = json(text);
    EXPECT_TRUE(append_value(out, document.root()));
    return out;
  };
  EXPECT_EQ(encode(R"({"a": 1, "b": 2})"), encode(R"({"b": 2, "a": 1})"));
  EXPECT_EQ(encode(R"({"prefixed_b": 1, "prefixed_a": 2, "pre": 3, "": 4, "prefixed": 5})"),
            encode(R"({"": 4, "pre": 3, "prefixed": 5, "prefixed_a": 2, "prefixed_b": 1})"));
  std::string up = "{", down = "{";
  for (int i = 0; i < 40; ++i) {
    up += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
    down += (i > 0 ? ",\"k" : "\"k") + std::to_string(39 - i) + "\":1";
  }
  EXPECT_EQ(encode(up + "}"), encode(down + "}"));
  EXPECT_NE(encode("1"), encode("1.0"));
  EXPECT_NE(encode(R"("1")"), encode("1"));
  EXPECT_NE(encode(R"(["ab", "c"])"), encode(R"(["a", "bc"])"));
  EXPECT_NE(encode("null"), encode("[]"));
  std::string text = R"({"a":[1,-2,2.5,"é",null,{"x":true}],"b":18446744073709551615})";
  std::string bytes = encode(text);
  std::string_view view = bytes;
  Arena arena;
  Value value;
  ASSERT_TRUE(take_value(view, arena, &value));
  EXPECT_TRUE(view.empty());
  EXPECT_EQ(to_json(value), text);
}

TEST(ValueBytes, NamesOfAnyLengthAscendByBytes) {
  std::vector<std::string> names = {"", "b", "z", "\xc3\xa9"};
  for (size_t size = 1; size <= 20; ++size) {
    const std::string same(size - 1, 'm');
    names.insert(names.end(), {same + "a", same + "m", same + "\xc3\xa9", same + std::string(1, '\0')});
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  // Counts that are sorted in place, and larger ones.
  for (size_t count : {size_t{2}, size_t{7}, size_t{32}, names.size()}) {
    for (size_t first = 0; first + count <= names.size(); ++first) {
      std::vector<MapEntry> entries;
      for (size_t i = 0; i < count; ++i) entries.push_back({Value::string(names[first + i]), Value::integer(1)});
      std::shuffle(entries.begin(), entries.end(), std::mt19937(static_cast<unsigned>(first)));
      MapRep map;
      map.entries = entries.data();
      map.count = static_cast<uint32_t>(count);
      std::string bytes;
      ASSERT_TRUE(append_value(bytes, Value::map_of(&map)));
      std::string_view at = std::string_view(bytes).substr(5);
      for (size_t i = 0; i < count; ++i) {
        std::string_view name, value;
        ASSERT_TRUE(take_bytes(at, 1, &name) && take_sized(at, &name) && take_bytes(at, 9, &value));
        ASSERT_EQ(name, names[first + i]);
      }
      EXPECT_TRUE(at.empty());
    }
  }
}

TEST(ValueBytes, TheSizeIsThatOfTheEncoding) {
  const Value inner = Value::string("inner"), none[] = {Value::null(), Value::optional(nullptr)};
  const MapEntry entries[] = {{Value::integer(-1), Value::bytes(std::string_view("\0\xff", 2))},
                              {Value::boolean(true), Value::optional(&inner)},
                              {Value::unsigned_integer(7), Value::list(none)}};
  MapRep map;
  map.entries = entries;
  map.count = static_cast<uint32_t>(std::size(entries));
  Value ip;
  ip.kind = Kind::ip;
  ip.aux = 4;
  ip.text = "\x0a\0\0\x01";
  const Value values[] = {Value(),
                          Value::null(),
                          Value::boolean(false),
                          Value::integer(INT64_MIN),
                          Value::unsigned_integer(UINT64_MAX),
                          Value::floating(std::nan("")),
                          inner,
                          Value::bytes("b"),
                          Value::timestamp(1, 2),
                          Value::duration(-1, -2),
                          Value::list(none),
                          Value::map_of(&map),
                          Value::type("int"),
                          Value::optional(&inner),
                          ip};
  for (const Value& value : values) {
    const auto size = value_size(value);
    ASSERT_TRUE(size.has_value());
    std::string bytes(*size + 1, '?');
    const char* end = write_value(bytes.data(), value);
    EXPECT_EQ(static_cast<size_t>(end - bytes.data()), *size) << to_json(value);
    EXPECT_EQ(bytes.back(), '?');
    std::string_view view(bytes.data(), *size);
    Arena arena;
    Value read;
    EXPECT_TRUE(take_value(view, arena, &read) && view.empty()) << to_json(value);
  }
}

TEST(ValueBytes, DamagedBytesAreRefusedAndDeepTreesNotWritten) {
  std::string bytes;
  const Document document = json(R"({"a": [1, "text", {"b": 2.0}], "c": "d"})");
  append_value(bytes, document.root());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      std::string_view view = changed;
      Arena arena;
      Value value;
      (void)take_value(view, arena, &value);
    }
  }
  std::string_view huge("\x0a\xff\xff\xff\xff", 5);  // a list claiming four billion elements
  Arena arena;
  Value value;
  EXPECT_FALSE(take_value(huge, arena, &value));
  Value deep = Value::integer(1);
  std::vector<Value> levels(1000);
  for (Value& level : levels) {
    level = deep;
    deep = Value::list({&level, 1});
  }
  std::string out = "kept";
  EXPECT_FALSE(append_value(out, deep));
  EXPECT_EQ(out, "kept");
}

}  // namespace
}  // namespace ordain
