// call.h calls rows of the standard library by name and shows the result as one text: `"a"`, `3u`,
// `[1, 2]`, `!overflow`.
#pragma once

#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/eval.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"

namespace ordain::testing {

inline Arena& values() {
  static Arena arena;
  return arena;
}

inline Value I(int64_t v) { return Value::integer(v); }
inline Value U(uint64_t v) { return Value::unsigned_integer(v); }
inline Value D(double v) { return Value::floating(v); }
inline Value S(std::string_view v) { return Value::string(values().copy(v)); }
inline Value Y(std::string_view v) { return Value::bytes(values().copy(v)); }
inline Value T(bool v = true) { return Value::boolean(v); }
inline Value N() { return Value::null(); }
inline Value L(const std::vector<Value>& v) { return Value::list(values().copy(v)); }
inline Value O(const Value& v) { return Value::optional(values().copy(std::vector<Value>{v}).data()); }
inline Value none() { return Value::optional(nullptr); }
inline Value M(const std::vector<MapEntry>& entries) {
  return Value::map_of(make_map(values(), values().copy(entries)));
}
inline Value time(std::string_view text) {
  TimeParts parts;
  if (!parse_timestamp(text, &parts)) throw std::string(text);
  return Value::timestamp(parts.seconds, parts.nanos);
}
inline Value span(std::string_view text) {
  TimeParts parts;
  if (!parse_duration(text, &parts)) throw std::string(text);
  return Value::duration(parts.seconds, parts.nanos);
}

inline std::string show(const Value& value) {
  char text[400];
  const auto joined = [](const auto& range, const auto& each) {
    std::string out;
    for (const auto& element : range) out += (out.empty() ? "" : ", ") + each(element);
    return out;
  };
  switch (value.kind) {
    case Kind::absent:
      return "absent";
    case Kind::null:
      return "null";
    case Kind::boolean:
      return value.as_bool() ? "true" : "false";
    case Kind::integer:
      return std::to_string(value.i);
    case Kind::unsigned_integer:
      return std::to_string(value.u) + "u";
    case Kind::floating: {
      std::string out(text, std::to_chars(text, text + sizeof text, value.d).ptr);
      return out.find_first_of(".enN") == std::string::npos ? out + ".0" : out;
    }
    case Kind::string:
      return '"' + std::string(value.as_text()) + '"';
    case Kind::bytes: {
      std::string out = "b";
      for (unsigned char byte : value.as_text())
        out += "0123456789abcdef"[byte >> 4], out += "0123456789abcdef"[byte & 15];
      return out;
    }
    case Kind::type:
      return std::string(value.as_text());
    case Kind::timestamp:
      return format_timestamp(value.i, value.nanos());
    case Kind::duration:
      return format_duration(value.i, value.nanos());
    case Kind::list:
      return "[" + joined(value.as_list(), show) + "]";
    case Kind::map:
      return "{" + joined(value.map->all(), [](const MapEntry& e) { return show(e.key) + ": " + show(e.value); }) + "}";
    case Kind::optional:
      return value.items == nullptr ? "none" : "optional(" + show(*value.items) + ")";
    default:
      return std::string(type_name(value.kind));
  }
}

struct Limits {
  uint64_t cost = 1'000'000;
  uint64_t memory = 1 << 20;
};

/// @returns the value as `show` writes it, or `!` and the fault's name. The value lives as long as
/// the process.
inline Value call_value(std::string_view name, const std::vector<Value>& args, FaultCode* fault, Limits limits = {}) {
  const Function* function = standard_library().find(name);
  if (function == nullptr) throw "no function " + std::string(name);
  Eval eval;
  eval.arena = &values();
  eval.cost_left = limits.cost;
  eval.memory_left = limits.memory;
  Value result;
  *fault = call_dynamic(eval, *function, args.data(), args.size(), &result) ? FaultCode::none : eval.fault.code;
  return result;
}
inline std::string call(std::string_view name, const std::vector<Value>& args, Limits limits = {}) {
  FaultCode fault;
  Value result = call_value(name, args, &fault, limits);
  return fault == FaultCode::none ? show(result) : "!" + std::string(fault_name(fault));
}
/// Makes arguments by calls.
inline Value made(std::string_view name, const std::vector<Value>& args) {
  FaultCode fault;
  Value result = call_value(name, args, &fault);
  if (fault != FaultCode::none) throw "fault in " + std::string(name);
  return result;
}
/// @returns the message of the fault in which the call ends
inline std::string message(std::string_view name, const std::vector<Value>& args) {
  Eval eval;
  eval.arena = &values();
  eval.cost_left = eval.memory_left = 1'000'000;
  Value result;
  if (call_dynamic(eval, *standard_library().find(name), args.data(), args.size(), &result)) return "no fault";
  return eval.fault.detail.is(Kind::string) ? std::string(eval.fault.detail.as_text()) : show(eval.fault.detail);
}

struct Case {
  std::string_view name;
  std::vector<Value> args;
  std::string_view expected;
};

#define EXPECT_CASES(...)                                                                               \
  for (const ::ordain::testing::Case& c : std::initializer_list<::ordain::testing::Case> __VA_ARGS__) { \
    std::string shown;                                                                                  \
    for (const Value& arg : c.args) shown += (shown.empty() ? "" : ", ") + show(arg);                   \
    EXPECT_EQ(call(c.name, c.args), c.expected) << c.name << "(" << shown << ")";                       \
  }

}  // namespace ordain::testing
