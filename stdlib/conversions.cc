// conversions.cc implements conversions between types, named after the type that they produce. A
// value that does not fit is a fault; it is never wrapped or cut.
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>

#include "ordain/time_text.h"
#include "stdlib/numbers_text.h"
#include "stdlib/rows.h"
#include "stdlib/utf8.h"

namespace ordain::stdlib {
namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

bool out_of_range(Eval& eval, std::string_view literal) { return fail_with(eval, FaultCode::conversion, literal); }

bool same(Eval&, const Value* args, Value* result) { return give(result, args[0]); }

// Reports text that does not parse as a value. The message shows the text, cut to a length that a
// message can carry.
bool unreadable(Eval& eval, const Value& text, std::string_view type) {
  constexpr size_t kShown = 40;
  char message[96];
  size_t size = 0;
  const auto put = [&](std::string_view part) {
    std::memcpy(message + size, part.data(), part.size());
    size += part.size();
  };
  std::string_view shown = text.as_text();
  size_t cut = shown.size();
  if (cut > kShown) {
    for (cut = kShown; is_continuation(shown[cut]);) --cut;
  }
  put("\"");
  put(shown.substr(0, cut));
  put(cut < shown.size() ? "...\" is not a valid " : "\" is not a valid ");
  put(type);
  return eval.fail(FaultCode::conversion, std::string_view(message, size));
}

bool uint_to_int(Eval& eval, const Value* args, Value* result) {
  if (args[0].u > INT64_MAX) return out_of_range(eval, "uint is out of the range of int");
  return give(result, Value::integer(args[0].i));
}
bool double_to_int(Eval& eval, const Value* args, Value* result) {
  // Refuse the bounds themselves: a double that equals one may have been rounded to it from a value
  // outside.
  if (!(args[0].d > -kTwo63 && args[0].d < kTwo63)) return out_of_range(eval, "double is out of the range of int");
  return give(result, Value::integer(static_cast<int64_t>(args[0].d)));
}
bool string_to_int(Eval& eval, const Value* args, Value* result) {
  int64_t out = 0;
  if (!read_int(args[0].as_text(), &out)) return unreadable(eval, args[0], "int");
  return give(result, Value::integer(out));
}
bool timestamp_to_int(Eval&, const Value* args, Value* result) { return give(result, Value::integer(args[0].i)); }
bool duration_to_int(Eval& eval, const Value* args, Value* result) {
  if (!duration_in_range(args[0].i, args[0].nanos())) return eval.fail(FaultCode::overflow);
  return give(result, Value::integer(duration_nanos(args[0].i, args[0].nanos())));
}

bool int_to_uint(Eval& eval, const Value* args, Value* result) {
  if (args[0].i < 0) return out_of_range(eval, "int is out of the range of uint");
  return give(result, Value::unsigned_integer(args[0].u));
}
bool double_to_uint(Eval& eval, const Value* args, Value* result) {
  if (!(args[0].d >= 0 && args[0].d < kTwo64)) return out_of_range(eval, "double is out of the range of uint");
  return give(result, Value::unsigned_integer(static_cast<uint64_t>(args[0].d)));
}
bool string_to_uint(Eval& eval, const Value* args, Value* result) {
  uint64_t out = 0;
  if (!read_uint(args[0].as_text(), &out)) return unreadable(eval, args[0], "uint");
  return give(result, Value::unsigned_integer(out));
}

bool int_to_double(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(static_cast<double>(args[0].i)));
}
bool uint_to_double(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(static_cast<double>(args[0].u)));
}
bool string_to_double(Eval& eval, const Value* args, Value* result) {
  double out = 0;
  if (!read_double(args[0].as_text(), &out)) return unreadable(eval, args[0], "double");
  return give(result, Value::floating(out));
}

bool string_to_bool(Eval& eval, const Value* args, Value* result) {
  for (std::string_view yes : {"true", "TRUE", "True", "t", "T", "1"}) {
    if (args[0].as_text() == yes) return give(result, Value::boolean(true));
  }
  for (std::string_view no : {"false", "FALSE", "False", "f", "F", "0"}) {
    if (args[0].as_text() == no) return give(result, Value::boolean(false));
  }
  return unreadable(eval, args[0], "bool");
}

bool string_to_bytes(Eval&, const Value* args, Value* result) { return give(result, Value::bytes(args[0].as_text())); }

bool bool_to_string(Eval&, const Value* args, Value* result) {
  return give(result, Value::string(args[0].as_bool() ? "true" : "false"));
}
bool int_to_string(Eval& eval, const Value* args, Value* result) {
  char text[24];
  return eval.make_string({text, std::to_chars(text, std::end(text), args[0].i).ptr}, result);
}
bool uint_to_string(Eval& eval, const Value* args, Value* result) {
  char text[24];
  return eval.make_string({text, std::to_chars(text, std::end(text), args[0].u).ptr}, result);
}
// Finding the shortest digits takes as long as a few steps.
uint64_t digits_cost(const Value*) { return 4; }

bool double_to_string(Eval& eval, const Value* args, Value* result) {
  char text[kNumberTextSize];
  return eval.make_string({text, write_double(args[0].d, text)}, result);
}
bool bytes_to_string(Eval& eval, const Value* args, Value* result) {
  if (!valid_utf8(args[0].as_text())) return fail_with(eval, FaultCode::conversion, "bytes are not valid UTF-8");
  return give(result, Value::string(args[0].as_text()));
}
bool timestamp_to_string(Eval& eval, const Value* args, Value* result) {
  char text[kTimestampTextSize];
  std::string_view written(text, format_timestamp(args[0].i, args[0].nanos(), text));
  // Write as few fractional digits as preserve the value, however the formatter groups them.
  if (size_t point = written.find('.'); point != std::string_view::npos) {
    size_t last = written.find_last_not_of("0Z");
    size_t size = last == point ? point : last + 1;
    text[size] = 'Z';
    written = {text, size + 1};
  }
  return eval.make_string(written, result);
}
bool duration_to_string(Eval& eval, const Value* args, Value* result) {
  char text[kDurationTextSize];
  return eval.make_string({text, format_duration(args[0].i, args[0].nanos(), text)}, result);
}

bool string_to_timestamp(Eval& eval, const Value* args, Value* result) {
  TimeParts parts;
  if (!parse_timestamp(args[0].as_text(), &parts)) return unreadable(eval, args[0], "timestamp");
  return give(result, Value::timestamp(parts.seconds, parts.nanos));
}
bool int_to_timestamp(Eval& eval, const Value* args, Value* result) {
  if (!timestamp_in_range(args[0].i)) return out_of_range(eval, "timestamp is outside years 1 to 9999");
  return give(result, Value::timestamp(args[0].i, 0));
}
bool string_to_duration(Eval& eval, const Value* args, Value* result) {
  TimeParts parts;
  if (!parse_duration(args[0].as_text(), &parts)) return unreadable(eval, args[0], "duration");
  return give(result, Value::duration(parts.seconds, parts.nanos));
}
bool int_to_duration(Eval&, const Value* args, Value* result) {
  TimeParts parts = duration_of_nanos(args[0].i);
  return give(result, Value::duration(parts.seconds, parts.nanos));
}

}  // namespace

void add_conversions(FunctionTable& table) {
  const Overload rows[] = {
      {"int", "int64_to_int64", "(int) -> int", same, "The number itself.", nullptr, kNeverFaults, {}, Intrinsic::same},
      {"int", "uint64_to_int64", "(uint) -> int", uint_to_int, "The same number; a fault past the range of int."},
      {"int", "double_to_int64", "(double) -> int", double_to_int,
       "The number without its fraction; a fault past the range of int and for NaN."},
      {"int", "string_to_int64", "(string) -> int", string_to_int, "Reads decimal digits with an optional sign.",
       first_text_cost},
      {"int", "timestamp_to_int64", "(timestamp) -> int", timestamp_to_int, "Seconds since 1970-01-01T00:00:00Z.",
       nullptr, kNeverFaults},
      {"int", "duration_to_int64", "(duration) -> int", duration_to_int, "The duration in nanoseconds."},

      {"uint",
       "uint64_to_uint64",
       "(uint) -> uint",
       same,
       "The number itself.",
       nullptr,
       kNeverFaults,
       {},
       Intrinsic::same},
      {"uint", "int64_to_uint64", "(int) -> uint", int_to_uint, "The same number; a fault below zero."},
      {"uint", "double_to_uint64", "(double) -> uint", double_to_uint,
       "The number without its fraction; a fault past the range of uint and for NaN."},
      {"uint", "string_to_uint64", "(string) -> uint", string_to_uint, "Reads decimal digits.", first_text_cost},

      {"double",
       "double_to_double",
       "(double) -> double",
       same,
       "The number itself.",
       nullptr,
       kNeverFaults,
       {},
       Intrinsic::same},
      {"double",
       "int64_to_double",
       "(int) -> double",
       int_to_double,
       "The nearest double.",
       nullptr,
       kNeverFaults,
       {},
       Intrinsic::int_to_double},
      {"double",
       "uint64_to_double",
       "(uint) -> double",
       uint_to_double,
       "The nearest double.",
       nullptr,
       kNeverFaults,
       {},
       Intrinsic::uint_to_double},
      {"double", "string_to_double", "(string) -> double", string_to_double,
       "Reads decimal floating point, Infinity or NaN.", first_text_cost},

      {"bool", "bool_to_bool", "(bool) -> bool", same, "The value itself.", nullptr, kNeverFaults},
      {"bool", "string_to_bool", "(string) -> bool", string_to_bool,
       "Reads 1, t, T, true, True, TRUE or 0, f, F, false, False, FALSE."},

      {"bytes", "bytes_to_bytes", "(bytes) -> bytes", same, "The bytes themselves.", nullptr, kNeverFaults},
      {"bytes", "string_to_bytes", "(string) -> bytes", string_to_bytes, "The string's UTF-8.", nullptr, kNeverFaults},

      {"string", "string_to_string", "(string) -> string", same, "The string itself.", nullptr, kNeverFaults},
      {"string", "bool_to_string", "(bool) -> string", bool_to_string, "\"true\" or \"false\".", nullptr, kNeverFaults},
      {"string", "int64_to_string", "(int) -> string", int_to_string, "Decimal digits."},
      {"string", "uint64_to_string", "(uint) -> string", uint_to_string, "Decimal digits."},
      {"string", "double_to_string", "(double) -> string", double_to_string,
       "The shortest digits that read back as the same double: \"0.5\", \"1e+23\".", digits_cost},
      {"string", "bytes_to_string", "(bytes) -> string", bytes_to_string,
       "The bytes as UTF-8; a fault if they are not.", first_text_cost},
      {"string", "timestamp_to_string", "(timestamp) -> string", timestamp_to_string,
       "RFC 3339 in UTC: \"2009-02-13T23:31:30Z\"."},
      {"string", "duration_to_string", "(duration) -> string", duration_to_string, "Seconds: \"5400s\", \"1.5s\"."},

      {"timestamp", "timestamp_to_timestamp", "(timestamp) -> timestamp", same, "The time itself.", nullptr,
       kNeverFaults},
      {"timestamp", "string_to_timestamp", "(string) -> timestamp", string_to_timestamp, "Reads RFC 3339."},
      {"timestamp", "int64_to_timestamp", "(int) -> timestamp", int_to_timestamp,
       "The time that many seconds after 1970-01-01T00:00:00Z; a fault outside years 1 to 9999."},

      {"duration", "duration_to_duration", "(duration) -> duration", same, "The duration itself.", nullptr,
       kNeverFaults},
      {"duration", "string_to_duration", "(string) -> duration", string_to_duration,
       "Reads numbers with units h, m, s, ms, us, ns: \"1h30m\", \"-1.5s\".", first_text_cost},
      {"duration", "int64_to_duration", "(int) -> duration", int_to_duration, "That many nanoseconds."},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
