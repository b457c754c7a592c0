// generate_values.cc has the literals and values that the generator chooses from.
#include "tests/fuzz/generate_values.h"

#include <limits>

namespace ordain::fuzz {
namespace {

const char* const kInts[] = {"0",
                             "1",
                             "-1",
                             "2",
                             "3",
                             "7",
                             "10",
                             "63",
                             "64",
                             "-2",
                             "100",
                             "1000000007",
                             "4294967296",
                             "9007199254740993",
                             "9223372036854775807",
                             "-9223372036854775808",
                             "0x7f"};
const char* const kUints[] = {
    "0u", "1u", "2u", "64u", "9007199254740993u", "9223372036854775808u", "18446744073709551615u"};
const char* const kDoubles[] = {"0.0",
                                "-0.0",
                                "1.0",
                                "0.5",
                                "-1.5",
                                "2.5",
                                "1e308",
                                "5e-324",
                                "1e19",
                                "1e-7",
                                "9007199254740992.0",
                                "double('NaN')",
                                "double('-Infinity')",
                                "double('Infinity')",
                                "9223372036854775808.0"};
const char* const kStrings[] = {"''",
                                "'a'",
                                "'b'",
                                "'k'",
                                "'ab'",
                                "'é'",
                                "'😀x'",
                                "'a\\u0301b'",
                                "' a\\t'",
                                "'12'",
                                "'-7'",
                                "'1.5'",
                                "'true'",
                                "'a,b,,c'",
                                "'%s'",
                                "'%d|%.2f'",
                                "'%x %%'",
                                "'(a+)+'",
                                "'a.b'",
                                "'['",
                                "'^(b|é)$'",
                                "'1h30m'",
                                "'-1.5s'",
                                "'P1D'",
                                "'10.0.0.1'",
                                "'::1'",
                                "'10.0.0.0/8'",
                                "'2001:db8::/32'",
                                "'+05:30'",
                                "'Europe/Paris'",
                                "'UTC'",
                                "'No/Where'",
                                "'2009-02-13T23:31:30Z'",
                                "'aGk='",
                                "'a/../b//c'",
                                "'rm -rf \"x y\" | wc'",
                                "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
                                "r'\\d+'",
                                "'''q\"'''",
                                "'\\\\1'"};
const char* const kBytes[] = {"b''", "b'a'", "b'\\xff\\x00'", "b'é'", "b'aGk'", "b'0123456789'"};
const char* const kTimestamps[] = {"timestamp(0)",
                                   "timestamp('0001-01-01T00:00:00Z')",
                                   "timestamp('9999-12-31T23:59:59.999999999Z')",
                                   "timestamp('2024-02-29T12:00:00.5+01:00')",
                                   "timestamp(-1)",
                                   "timestamp('2024-03-31T01:30:00Z')"};
const char* const kDurations[] = {"duration('0s')",         "duration('1h30m')", "duration('-1.5s')",
                                  "duration('1ns')",        "duration('-24h')",  "duration('315576000000s')",
                                  "duration('999999999ns')"};
const char* const kTypes[] = {"int", "string", "list", "type(1u)", "null_type", "bool", "map", "type(type(1))"};
const char* const kIps[] = {"ip('10.0.0.1')", "ip('::1')", "ip('255.255.255.255')", "ip('2001:db8::68')"};
const char* const kCidrs[] = {"cidr('10.0.0.0/8')", "cidr('0.0.0.0/0')", "cidr('2001:db8::/32')",
                              "cidr('10.1.2.3/24')"};

// Texts of variables: valid UTF-8, as binding guarantees.
const char* const kTexts[] = {"",
                              "a",
                              "k",
                              "id",
                              "12",
                              "é",
                              "😀é",
                              "a,b",
                              "(a+)+",
                              "10.0.0.1",
                              "1h",
                              "%s",
                              " x ",
                              "aaaaaaaaaaaaaaaaaaaa",
                              "2009-02-13T23:31:30Z",
                              "Asia/Kolkata"};
const std::string_view kByteTexts[] = {"", "a", std::string_view("\xff\x00\x80", 3), "\xc3\xa9", "aGk="};

int64_t any_int(Choices& choices) {
  static constexpr int64_t kEdges[] = {0,
                                       1,
                                       -1,
                                       2,
                                       3,
                                       -3,
                                       10,
                                       63,
                                       64,
                                       4294967296,
                                       9007199254740993,
                                       std::numeric_limits<int64_t>::max(),
                                       std::numeric_limits<int64_t>::min()};
  return choices.one_in(6) ? static_cast<int64_t>(choices.word()) : choices.of(kEdges);
}

uint64_t any_uint(Choices& choices) {
  static constexpr uint64_t kEdges[] = {0, 1, 2, 3, 10, 9007199254740993, uint64_t{1} << 63, UINT64_MAX};
  return choices.one_in(6) ? choices.word() : choices.of(kEdges);
}

// Variables cannot be NaN or infinite; literals can.
double any_double(Choices& choices) {
  using Limits = std::numeric_limits<double>;
  static constexpr double kEdges[] = {0.0,           -0.0,
                                      1.0,           2.0,
                                      0.5,           -1.5,
                                      1e308,         Limits::denorm_min(),
                                      9.3e18,        1e-7,
                                      1.85e19,       9007199254740993.0,
                                      Limits::max(), Limits::lowest()};
  return choices.of(kEdges);
}

Value any_list(Arena& arena, Choices& choices, const Type& element, int depth) {
  std::vector<Value> items(depth <= 0 ? 0 : choices.one_in(8) ? 12 : choices.pick(5));
  for (Value& item : items) item = any_value(arena, choices, element, depth - 1);
  return Value::list(arena.copy(items));
}

Value any_map(Arena& arena, Choices& choices, const Type& key, const Type& value, int depth) {
  std::vector<MapEntry> entries;
  const size_t count = depth <= 0 ? 0 : choices.one_in(8) ? 14 : choices.pick(5);
  for (size_t i = 0; i < count; ++i) {
    const bool named = key.kind == TypeKind::dyn || (key.kind == TypeKind::string && !choices.one_in(4));
    const Value name = named ? Value::string(choices.of(kNames)) : any_value(arena, choices, key, 0);
    const MapRep sofar{.entries = entries.data(), .count = static_cast<uint32_t>(entries.size())};
    if (map_find(sofar, name) == nullptr) entries.push_back({name, any_value(arena, choices, value, depth - 1)});
  }
  return Value::map_of(make_map(arena, arena.copy(entries)));
}

const Type& concrete(Choices& choices) {
  static const Type* const kTypesOfDyn[] = {&types::kInt,   &types::kString,    &types::kBool,     &types::kDouble,
                                            &types::kUint,  &types::kNull,      &types::kListDyn,  &types::kMapDyn,
                                            &types::kBytes, &types::kTimestamp, &types::kDuration, &types::kListString};
  return *choices.of(kTypesOfDyn);
}

}  // namespace

std::string scalar_literal(Choices& choices, TypeKind kind) {
  switch (kind) {
    case TypeKind::null_type:
      return "null";
    case TypeKind::boolean:
      return choices.pick(2) == 0 ? "true" : "false";
    case TypeKind::integer:
      return choices.of(kInts);
    case TypeKind::unsigned_integer:
      return choices.of(kUints);
    case TypeKind::floating:
      return choices.of(kDoubles);
    case TypeKind::bytes:
      return choices.of(kBytes);
    case TypeKind::timestamp:
      return choices.of(kTimestamps);
    case TypeKind::duration:
      return choices.of(kDurations);
    case TypeKind::type:
      return choices.of(kTypes);
    case TypeKind::ip:
      return choices.of(kIps);
    case TypeKind::cidr:
      return choices.of(kCidrs);
    default:
      return choices.of(kStrings);
  }
}

Value any_value(Arena& arena, Choices& choices, const Type& type, int depth) {
  switch (type.kind) {
    case TypeKind::null_type:
      return Value::null();
    case TypeKind::boolean:
      return Value::boolean(choices.pick(2) == 1);
    case TypeKind::integer:
      return Value::integer(any_int(choices));
    case TypeKind::unsigned_integer:
      return Value::unsigned_integer(any_uint(choices));
    case TypeKind::floating:
      return Value::floating(any_double(choices));
    case TypeKind::string:
      return Value::string(choices.of(kTexts));
    case TypeKind::bytes:
      return Value::bytes(choices.of(kByteTexts));
    case TypeKind::timestamp: {
      static constexpr int64_t kSeconds[] = {0, -1, 1711848600, -62135596800, 253402300799, 1234567890};
      return Value::timestamp(choices.of(kSeconds), choices.pick(2) == 0 ? 0 : 999999999);
    }
    case TypeKind::duration: {
      static constexpr int64_t kSeconds[] = {0, 1, -1, 5400, 9223372036, -9223372036};
      const int64_t seconds = choices.of(kSeconds);
      const int32_t nanos = choices.pick(2) == 0 || seconds > 5400 || seconds < -5400 ? 0 : 500000000;
      return Value::duration(seconds, seconds < 0 ? -nanos : nanos);
    }
    case TypeKind::list:
      return any_list(arena, choices, *type.params[0], depth);
    case TypeKind::map:
      return any_map(arena, choices, *type.params[0], *type.params[1], depth);
    case TypeKind::optional:
      return Value::optional(
          choices.pick(2) == 0 ? nullptr : arena.make<Value>(any_value(arena, choices, *type.params[0], depth - 1)));
    case TypeKind::dyn:
      return any_value(arena, choices, concrete(choices), depth);
    default:
      return Value::null();
  }
}

}  // namespace ordain::fuzz
