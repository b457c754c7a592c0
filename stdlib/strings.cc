// strings.cc implements searching and slicing of strings. Positions are counted in code points.
#include <cstring>

#include "stdlib/rows.h"
#include "stdlib/utf8.h"
#include "vm/value/text_search.h"

namespace ordain::stdlib {
namespace {

bool contains(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(contains_bytes(args[0].text, args[0].aux, args[1].text, args[1].aux)));
}
bool starts_with(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(args[0].as_text().starts_with(args[1].as_text())));
}
bool ends_with(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(args[0].as_text().ends_with(args[1].as_text())));
}

// A true result requires the receiver to contain these literals.
bool contains_literals(const Value& what, LiteralNeeds* needs) {
  needs->any_of = {std::string(what.as_text())};
  return what.aux != 0;
}
bool starts_with_literals(const Value& what, LiteralNeeds* needs) {
  needs->at_start = true;
  return contains_literals(what, needs);
}
bool ends_with_literals(const Value& what, LiteralNeeds* needs) {
  needs->at_end = true;
  return contains_literals(what, needs);
}

uint64_t second_text_cost(const Value* args) { return bytes_cost(args[1].aux); }

bool bad_index(Eval& eval, const Value& index) { return eval.fail(FaultCode::index_out_of_bounds, index); }

bool char_at(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  if (args[1].i < 0) return bad_index(eval, args[1]);
  size_t at = code_point_offset(text, args[1].u);
  if (at == kBeyond) return bad_index(eval, args[1]);
  return give(result, Value::string(at == text.size() ? text.substr(at) : text.substr(at, code_point_size(text, at))));
}

Value place(std::string_view text, size_t at) {
  if (at == std::string_view::npos) return Value::integer(-1);
  return Value::integer(static_cast<int64_t>(count_code_points(text.substr(0, at))));
}

size_t find_from(std::string_view text, std::string_view what, size_t from) {
  if (what.empty()) return from;
  const void* at = memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return at == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(at) - text.data());
}

bool index_of(Eval&, const Value* args, Value* result) {
  return give(result, place(args[0].as_text(), find_from(args[0].as_text(), args[1].as_text(), 0)));
}
bool index_of_from(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  size_t from = args[2].i < 0 ? kBeyond : code_point_offset(text, args[2].u);
  if (from == kBeyond) return bad_index(eval, args[2]);
  return give(result, place(text, find_from(text, args[1].as_text(), from)));
}
bool last_index_of(Eval&, const Value* args, Value* result) {
  return give(result, place(args[0].as_text(), args[0].as_text().rfind(args[1].as_text())));
}
bool last_index_of_from(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  size_t from = args[2].i < 0 ? kBeyond : code_point_offset(text, args[2].u);
  if (from == kBeyond) return bad_index(eval, args[2]);
  return give(result, place(text, text.rfind(args[1].as_text(), from)));
}
// Searching backwards compares at every position.
uint64_t last_index_cost(const Value* args) {
  uint64_t needle = args[1].aux < 256 ? args[1].aux : 256;
  return bytes_cost(args[0].aux * (1 + needle / 32));
}

bool substring_from(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  size_t begin = args[1].i < 0 ? kBeyond : code_point_offset(text, args[1].u);
  if (begin == kBeyond) return bad_index(eval, args[1]);
  return give(result, Value::string(text.substr(begin)));
}
bool substring(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  size_t begin = args[1].i < 0 ? kBeyond : code_point_offset(text, args[1].u);
  if (begin == kBeyond) return bad_index(eval, args[1]);
  size_t end = args[2].i < 0 ? kBeyond : code_point_offset(text, args[2].u);
  if (end == kBeyond) return bad_index(eval, args[2]);
  if (end < begin) return fail_with(eval, FaultCode::invalid_argument, "substring ends before it starts");
  return give(result, Value::string(text.substr(begin, end - begin)));
}

// @returns whether Unicode counts `c` as white space; zero-width characters are not white space
bool is_space(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}
bool trim(Eval&, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  while (!text.empty() && is_space(code_point_at(text, 0))) text.remove_prefix(code_point_size(text, 0));
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (is_continuation(text[last])) --last;
    if (!is_space(code_point_at(text, last))) break;
    text.remove_suffix(text.size() - last);
  }
  return give(result, Value::string(text));
}

}  // namespace

void add_strings(FunctionTable& table) {
  const Overload rows[] = {
      {"contains",
       "contains_string",
       "string.(string) -> bool",
       contains,
       "Whether the string has the other within it.",
       search_cost,
       kPlain,
       {.literals = contains_literals},
       Intrinsic::contains},
      {"startsWith",
       "starts_with_string",
       "string.(string) -> bool",
       starts_with,
       "Whether the string begins with the other.",
       second_text_cost,
       kPlain,
       {.literals = starts_with_literals},
       Intrinsic::starts_with},
      {"endsWith",
       "ends_with_string",
       "string.(string) -> bool",
       ends_with,
       "Whether the string ends with the other.",
       second_text_cost,
       kPlain,
       {.literals = ends_with_literals},
       Intrinsic::ends_with},
      {"charAt", "string_char_at_int", "string.(int) -> string", char_at,
       "The character at a place from 0; \"\" at the end, a fault past it.", first_text_cost},
      {"indexOf", "string_index_of_string", "string.(string) -> int", index_of,
       "Where the other string first occurs, or -1.", search_cost},
      {"indexOf", "string_index_of_string_int", "string.(string, int) -> int", index_of_from,
       "Where the other string first occurs at or after a place, or -1.", search_cost},
      {"lastIndexOf", "string_last_index_of_string", "string.(string) -> int", last_index_of,
       "Where the other string last occurs, or -1.", last_index_cost},
      {"lastIndexOf", "string_last_index_of_string_int", "string.(string, int) -> int", last_index_of_from,
       "Where the other string last occurs at or before a place, or -1.", last_index_cost},
      {"substring", "string_substring_int", "string.(int) -> string", substring_from, "The string from a place on.",
       first_text_cost},
      {"substring", "string_substring_int_int", "string.(int, int) -> string", substring,
       "The string from one place to before another.", first_text_cost},
      {"trim", "string_trim", "string.() -> string", trim, "The string without white space at its ends.",
       first_text_cost},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
