// strings_edit.cc makes new strings from strings: case, replace, split, join, reverse, quote. It
// computes sizes before it takes memory.
#include <algorithm>
#include <cstring>

#include "stdlib/rows.h"
#include "stdlib/utf8.h"

namespace ordain::stdlib {
namespace {

template <char First, char Last, int Shift>
bool change_case(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  if (std::none_of(text.begin(), text.end(), [](char c) { return c >= First && c <= Last; })) {
    return give(result, args[0]);
  }
  auto* out = eval.array<char>(text.size());
  if (out == nullptr) return false;
  std::transform(text.begin(), text.end(), out,
                 [](char c) { return c >= First && c <= Last ? static_cast<char>(c + Shift) : c; });
  return give(result, text_at(out, text.size()));
}

bool reverse(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  if (text.empty()) return give(result, args[0]);
  auto* out = eval.array<char>(text.size());
  if (out == nullptr) return false;
  char* put = out + text.size();
  for (size_t at = 0; at < text.size();) {
    size_t size = code_point_size(text, at);
    put -= size;
    std::memcpy(put, text.data() + at, size);
    at += size;
  }
  return give(result, text_at(out, text.size()));
}

// Calls each(begin, end) for up to `limit` non-overlapping occurrences. An empty `what` occurs
// before every code point and at the end.
template <typename Each>
void occurrences(std::string_view text, std::string_view what, uint64_t limit, const Each& each) {
  size_t from = 0;
  for (uint64_t found = 0; found < limit; ++found) {
    if (what.empty()) {
      if (from > text.size()) return;
      each(from, from);
      from = from == text.size() ? from + 1 : from + code_point_size(text, from);
      continue;
    }
    if (from > text.size()) return;
    const void* hit = memmem(text.data() + from, text.size() - from, what.data(), what.size());
    if (hit == nullptr) return;
    auto at = static_cast<size_t>(static_cast<const char*>(hit) - text.data());
    each(at, at + what.size());
    from = at + what.size();
  }
}

bool replace_up_to(Eval& eval, const Value* args, uint64_t limit, Value* result) {
  std::string_view text = args[0].as_text();
  std::string_view what = args[1].as_text();
  std::string_view by = args[2].as_text();
  uint64_t hits = 0;
  occurrences(text, what, limit, [&](size_t, size_t) { ++hits; });
  if (hits == 0) return give(result, args[0]);
  uint64_t size = text.size() - hits * what.size() + hits * by.size();
  if (size > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  if (size == 0) return give(result, Value::string(""));
  if (!eval.charge(bytes_cost(size))) return false;
  auto* out = eval.array<char>(size);
  if (out == nullptr) return false;
  char* put = out;
  size_t copied = 0;
  occurrences(text, what, limit, [&](size_t begin, size_t end) {
    put = std::copy(text.begin() + static_cast<ptrdiff_t>(copied), text.begin() + static_cast<ptrdiff_t>(begin), put);
    put = std::copy(by.begin(), by.end(), put);
    copied = end;
  });
  std::copy(text.begin() + static_cast<ptrdiff_t>(copied), text.end(), put);
  return give(result, text_at(out, size));
}
bool replace(Eval& eval, const Value* args, Value* result) { return replace_up_to(eval, args, UINT64_MAX, result); }
bool replace_some(Eval& eval, const Value* args, Value* result) {
  return replace_up_to(eval, args, args[3].i < 0 ? UINT64_MAX : args[3].u, result);
}

// Calls each(piece) for each piece. An empty separator splits between all code points; an empty
// string then has no pieces.
template <typename Each>
void pieces(std::string_view text, std::string_view separator, uint64_t limit, const Each& each) {
  if (limit == 0 || (separator.empty() && text.empty())) return;
  size_t begin = 0;
  if (separator.empty()) {
    for (uint64_t made = 1; made < limit; ++made) {
      size_t end = begin + code_point_size(text, begin);
      if (end == text.size()) break;
      each(text.substr(begin, end - begin));
      begin = end;
    }
  } else {
    occurrences(text, separator, limit - 1, [&](size_t at, size_t end) {
      each(text.substr(begin, at - begin));
      begin = end;
    });
  }
  each(text.substr(begin));
}

bool split_up_to(Eval& eval, const Value* args, uint64_t limit, Value* result) {
  uint64_t count = 0;
  pieces(args[0].as_text(), args[1].as_text(), limit, [&](std::string_view) { ++count; });
  if (count == 0) return give(result, Value::list({}));
  if (!eval.charge(count)) return false;
  auto* out = eval.array<Value>(count);
  if (out == nullptr) return false;
  Value* put = out;
  pieces(args[0].as_text(), args[1].as_text(), limit, [&](std::string_view piece) { *put++ = Value::string(piece); });
  return give(result, Value::list({out, count}));
}
bool split(Eval& eval, const Value* args, Value* result) { return split_up_to(eval, args, UINT64_MAX, result); }
bool split_some(Eval& eval, const Value* args, Value* result) {
  return split_up_to(eval, args, args[2].i < 0 ? UINT64_MAX : args[2].u, result);
}

bool join_with(Eval& eval, std::span<const Value> list, std::string_view separator, Value* result) {
  if (list.empty()) return give(result, Value::string(""));
  uint64_t size = (list.size() - 1) * uint64_t{separator.size()};
  for (const Value& element : list) {
    if (!element.is(Kind::string)) return no_overload(eval, "join");
    size += element.aux;
  }
  if (size > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  if (size == 0) return give(result, Value::string(""));
  if (!eval.charge(bytes_cost(size))) return false;
  auto* out = eval.array<char>(size);
  if (out == nullptr) return false;
  char* put = out;
  for (const Value& element : list) {
    if (&element != &list.front()) put = std::copy(separator.begin(), separator.end(), put);
    put = std::copy_n(element.text, element.aux, put);
  }
  return give(result, text_at(out, size));
}
bool join(Eval& eval, const Value* args, Value* result) { return join_with(eval, args[0].as_list(), "", result); }
bool join_separated(Eval& eval, const Value* args, Value* result) {
  return join_with(eval, args[0].as_list(), args[1].as_text(), result);
}

// @returns the letter that follows the backslash in the character's escape, or 0
char escape_of(char c) {
  switch (c) {
    case '\a':
      return 'a';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    case '\\':
      return '\\';
    case '"':
      return '"';
    default:
      return 0;
  }
}
// Each character is read twice.
uint64_t quote_cost(const Value* args) { return 2 * first_text_cost(args); }

bool quote(Eval& eval, const Value* args, Value* result) {
  std::string_view text = args[0].as_text();
  size_t size = 2 + text.size();
  for (char c : text) size += escape_of(c) != 0 ? 1 : 0;
  if (size > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  auto* out = eval.array<char>(size);
  if (out == nullptr) return false;
  char* put = out;
  *put++ = '"';
  for (char c : text) {
    char escape = escape_of(c);
    if (escape != 0) *put++ = '\\';
    *put++ = escape != 0 ? escape : c;
  }
  *put = '"';
  return give(result, text_at(out, size));
}

}  // namespace

void add_strings_edit(FunctionTable& table) {
  const Overload rows[] = {
      {"lowerAscii", "string_lower_ascii", "string.() -> string", change_case<'A', 'Z', 32>,
       "The string with A to Z in lower case; other letters stay.", first_text_cost},
      {"upperAscii", "string_upper_ascii", "string.() -> string", change_case<'a', 'z', -32>,
       "The string with a to z in upper case; other letters stay.", first_text_cost},
      {"reverse", "string_reverse", "string.() -> string", reverse, "The characters in reverse order.",
       first_text_cost},
      {"replace", "string_replace_string_string", "string.(string, string) -> string", replace,
       "The string with each occurrence of the first replaced by the second.", search_cost},
      {"replace", "string_replace_string_string_int", "string.(string, string, int) -> string", replace_some,
       "The same for at most that many occurrences from the start; all if the number is negative.", search_cost},
      {"split", "string_split_string", "string.(string) -> list(string)", split,
       "The pieces between occurrences of the separator; the characters if it is \"\".", search_cost},
      {"split", "string_split_string_int", "string.(string, int) -> list(string)", split_some,
       "The same with at most that many pieces, the last holding the rest; no limit if the number is negative.",
       search_cost},
      {"join", "list_join", "list(string).() -> string", join, "The strings one after the other.", first_list_cost},
      {"join", "list_join_string", "list(string).(string) -> string", join_separated,
       "The strings one after the other with a separator between.", first_list_cost},
      {"strings.quote", "strings_quote", "(string) -> string", quote,
       "The string in double quotes, with escapes for quotes, backslashes and control characters.", quote_cost},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
