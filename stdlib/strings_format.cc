// strings_format.cc implements format, which fills "%s", "%d", "%.2f" ... from a list. The clauses
// are: s any value, d decimal, f fixed point, e exponent, b binary, o octal, x and X hexadecimal;
// %% is a percent sign.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "ordain/time_text.h"
#include "stdlib/numbers_text.h"
#include "stdlib/text_builder.h"
#include "stdlib/utf8.h"

namespace ordain::stdlib {
namespace {

constexpr int kDefaultPrecision = 6;
constexpr int kMaxPrecision = 1000;

bool bad_format(Eval& eval, std::string_view literal) { return fail_with(eval, FaultCode::invalid_argument, literal); }

// Fails for an argument of the wrong type. `message` names the clause and the types that it
// accepts; the actual type is appended.
bool bad_argument(Eval& eval, std::string_view message, const Value& argument) {
  char text[160];
  size_t size = message.copy(text, 100);
  size += std::string_view(", was given ").copy(text + size, 20);
  size += type_name(argument.kind).copy(text + size, 40);
  return eval.fail(FaultCode::invalid_argument, std::string_view(text, size));
}

bool append_double(TextBuilder& out, double value) {
  char text[kNumberTextSize];
  return out.append({text, write_double_plain(value, text)});
}

template <typename Integer>
bool append_integer(TextBuilder& out, Integer value, int base = 10) {
  char text[72];
  return out.append({text, std::to_chars(text, std::end(text), value, base).ptr});
}

bool append_value(TextBuilder& out, const Value& value, int depth);

bool append_bytes(TextBuilder& out, std::string_view data) {
  char* at = out.room(data.size() * 3);
  if (at == nullptr) return false;
  out.grow(replace_invalid_utf8(data, at));
  return out.eval().charge(bytes_cost(data.size()));
}

bool append_timestamp(TextBuilder& out, const Value& value) {
  char text[kTimestampTextSize];
  std::string_view written(text, format_timestamp(value.i, value.nanos(), text));
  if (written.find('.') == std::string_view::npos) return out.append(written);
  size_t last = written.find_last_not_of("0Z");
  return out.append(written.substr(0, written[last] == '.' ? last : last + 1)) && out.append("Z");
}

bool append_list(TextBuilder& out, const Value& list, int depth) {
  if (!out.append("[")) return false;
  for (uint32_t i = 0; i < list.aux; ++i) {
    if (i > 0 && !out.append(", ")) return false;
    if (!append_value(out, list.items[i], depth)) return false;
  }
  return out.append("]");
}

// Appends the entries in the order of their keys' texts.
bool append_map(TextBuilder& out, const Value& map, int depth) {
  struct Entry {
    std::string_view key;
    const Value* value;
  };
  std::span<const MapEntry> entries = map.map->all();
  auto* sorted = out.eval().array<Entry>(entries.size());
  if (sorted == nullptr) return false;
  for (size_t i = 0; i < entries.size(); ++i) {
    TextBuilder key(out.eval());
    if (!append_value(key, entries[i].key, depth)) return false;
    sorted[i] = {key.view(), &entries[i].value};
  }
  if (!out.eval().charge(entries.size() * 4)) return false;
  // Keys with equal text (1 and "1") keep their order: the entries are in one array, so their
  // addresses show it.
  std::sort(sorted, sorted + entries.size(),
            [](const Entry& a, const Entry& b) { return a.key != b.key ? a.key < b.key : a.value < b.value; });
  if (!out.append("{")) return false;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0 && !out.append(", ")) return false;
    if (!out.append(sorted[i].key) || !out.append(": ") || !append_value(out, *sorted[i].value, depth)) return false;
  }
  return out.append("}");
}

bool append_value(TextBuilder& out, const Value& value, int depth) {
  if (depth > kMaxDepth) return bad_format(out.eval(), "value is nested too deeply");
  if (!out.eval().charge(1)) return false;
  switch (value.kind) {
    case Kind::null:
      return out.append("null");
    case Kind::boolean:
      return out.append(value.as_bool() ? "true" : "false");
    case Kind::integer:
      return append_integer(out, value.i);
    case Kind::unsigned_integer:
      return append_integer(out, value.u);
    case Kind::floating:
      return append_double(out, value.d);
    case Kind::string:
    case Kind::type:
      return out.append(value.as_text());
    case Kind::bytes:
      return append_bytes(out, value.as_text());
    case Kind::timestamp:
      return append_timestamp(out, value);
    case Kind::duration:
      return append_double(out, static_cast<double>(value.i) + value.nanos() / 1e9) && out.append("s");
    case Kind::list:
      return append_list(out, value, depth + 1);
    case Kind::map:
      return append_map(out, value, depth + 1);
    default:
      return bad_argument(
          out.eval(), "string clause takes strings, bools, bytes, numbers, maps, lists, types, durations, timestamps",
          value);
  }
}

bool append_decimal(TextBuilder& out, const Value& value) {
  if (value.is(Kind::integer)) return append_integer(out, value.i);
  if (value.is(Kind::unsigned_integer)) return append_integer(out, value.u);
  if (value.is(Kind::floating)) return append_double(out, value.d);
  return bad_argument(out.eval(), "decimal clause can only be used on numbers", value);
}

bool append_floating(TextBuilder& out, const Value& value, std::chars_format format, int precision) {
  double number = 0;
  if (value.is(Kind::integer)) {
    number = static_cast<double>(value.i);
  } else if (value.is(Kind::unsigned_integer)) {
    number = static_cast<double>(value.u);
  } else if (value.is(Kind::floating)) {
    number = value.d;
  } else {
    return bad_argument(out.eval(),
                        format == std::chars_format::fixed ? "fixed-point clause can only be used on numbers"
                                                           : "scientific clause can only be used on numbers",
                        value);
  }
  if (!std::isfinite(number)) return append_double(out, number);
  char text[kNumberTextSize + kMaxPrecision];
  return out.append({text, std::to_chars(text, std::end(text), number, format, precision).ptr});
}

bool append_binary(TextBuilder& out, const Value& value) {
  if (value.is(Kind::boolean)) return out.append(value.as_bool() ? "1" : "0");
  if (value.is(Kind::integer)) return append_integer(out, value.i, 2);
  if (value.is(Kind::unsigned_integer)) return append_integer(out, value.u, 2);
  return bad_argument(out.eval(), "only integers and bools can be formatted as binary", value);
}

bool append_octal(TextBuilder& out, const Value& value) {
  if (value.is(Kind::integer)) return append_integer(out, value.i, 8);
  if (value.is(Kind::unsigned_integer)) return append_integer(out, value.u, 8);
  return bad_argument(out.eval(), "octal clause can only be used on integers", value);
}

bool append_hex(TextBuilder& out, const Value& value, bool upper) {
  if (value.is(Kind::integer) || value.is(Kind::unsigned_integer)) {
    char text[24];
    char* end = value.is(Kind::integer) ? std::to_chars(text, std::end(text), value.i, 16).ptr
                                        : std::to_chars(text, std::end(text), value.u, 16).ptr;
    if (upper) std::transform(text, end, text, [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    return out.append({text, end});
  }
  if (!value.is(Kind::string) && !value.is(Kind::bytes)) {
    return bad_argument(out.eval(), "only integers, byte buffers, and strings can be formatted as hex", value);
  }
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  char* at = out.room(size_t{value.aux} * 2);
  if (at == nullptr) return false;
  for (unsigned char byte : value.as_text()) {
    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 15];
  }
  out.grow(size_t{value.aux} * 2);
  return out.eval().charge(bytes_cost(value.aux));
}

// Reads ".12" at `*at`, if there is a point.
bool read_precision(Eval& eval, std::string_view format, size_t* at, int* precision) {
  if (*at >= format.size() || format[*at] != '.') return true;
  const char* begin = format.data() + *at + 1;
  const char* end = format.data() + format.size();
  if (begin == end || *begin < '0' || *begin > '9') return bad_format(eval, "format: no digits after the point");
  auto [stop, error] = std::from_chars(begin, end, *precision);
  if (error != std::errc() || *precision > kMaxPrecision) return bad_format(eval, "format: precision is above 1000");
  *at = static_cast<size_t>(stop - format.data());
  return true;
}

// Formats one clause. `*at` is after the '%', and on return after the clause.
bool append_clause(TextBuilder& out, std::string_view format, size_t* at, const Value& argument) {
  int precision = kDefaultPrecision;
  if (!read_precision(out.eval(), format, at, &precision)) return false;
  if (*at >= format.size()) return bad_format(out.eval(), "format: unexpected end after %");
  switch (format[(*at)++]) {
    case 's':
      return append_value(out, argument, 0);
    case 'd':
      return append_decimal(out, argument);
    case 'f':
      return append_floating(out, argument, std::chars_format::fixed, precision);
    case 'e':
      return append_floating(out, argument, std::chars_format::scientific, precision);
    case 'b':
      return append_binary(out, argument);
    case 'o':
      return append_octal(out, argument);
    case 'x':
      return append_hex(out, argument, false);
    case 'X':
      return append_hex(out, argument, true);
    default:
      return bad_format(out.eval(), "format: unrecognized formatting clause");
  }
}

bool format(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  TextBuilder out(eval);
  uint32_t next = 0;
  for (size_t at = 0; at < text.size();) {
    size_t percent = std::min(text.find('%', at), text.size());
    if (percent > at && !out.append(text.substr(at, percent - at))) return false;
    if (percent == text.size()) break;
    at = percent + 1;
    if (at < text.size() && text[at] == '%') {
      if (!out.append("%")) return false;
      ++at;
      continue;
    }
    if (next >= args[1].aux) return bad_format(eval, "format: more clauses than arguments");
    if (!append_clause(out, text, &at, args[1].items[next++])) return false;
  }
  return give(result, Value::string(out.view()));
}

}  // namespace

void add_strings_format(FunctionTable& table) {
  table.add({"format", "string_format", "string.(list(dyn)) -> string", format,
             "The string with %s, %d, %.2f, %e, %b, %o, %x, %X filled from the list; %% is a per cent sign."});
}

}  // namespace ordain::stdlib
