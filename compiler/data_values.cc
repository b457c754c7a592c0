// data_values.cc reads rows. A row that does not fit is a mistake with its place, never a value that is left out.
#include "compiler/data_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "compiler/diagnostic/words.h"
#include "ordain/json.h"
#include "ordain/utf8.h"

namespace ordain {
namespace {

constexpr size_t kMostMistakes = 20;  // of one file

template <typename T>
std::optional<T> whole_text(std::string_view text) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

class DataRows {
 public:
  DataRows(Arena& arena, Diagnostics& diagnostics, const DataRequest& request)
      : arena_(arena), diagnostics_(diagnostics), request_(request), text_(diagnostics.sources[request.file]->text) {}

  Value read() {
    if (!valid_utf8(text_)) {
      mistake(0, 0, "the file is not UTF-8");
      return Value::list({});
    }
    if (text_.starts_with("\xEF\xBB\xBF")) begin_ = 3;
    switch (request_.format) {
      case DataFormat::csv:
        read_csv();
        break;
      case DataFormat::json:
        read_json();
        break;
      case DataFormat::json_lines:
        read_json_lines();
        break;
    }
    return Value::list(arena_.copy(values_));
  }

 private:
  bool stopped() const { return mistakes_ >= kMostMistakes; }

  void mistake(size_t begin, size_t end, std::string message, std::string help = "") {
    if (++mistakes_ > kMostMistakes) return;
    diagnostics_.error("data-value", {request_.file, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)},
                       std::move(message), std::move(help));
  }

  std::string wanted() const { return std::string(type_name(request_.kind)); }

  // Adds a value of the right kind.
  void add(const Value& value, size_t begin, size_t end) {
    const bool is_new = !request_.is_set || (value.is(Kind::string) ? texts_.insert(value.as_text()).second
                                                                    : numbers_.insert(value.u).second);
    if (is_new) return values_.push_back(value);
    mistake(begin, end, "this value stands twice", "remove it, or declare the values as a list");
  }

  void add_text(std::string_view text, size_t begin, size_t end) {
    if (const std::optional<Value> value = value_of_text(text)) return add(*value, begin, end);
    mistake(begin, end, "this is not a value of type " + wanted());
  }

  std::optional<Value> value_of_text(std::string_view text) const {
    switch (request_.kind) {
      case Kind::string:
        return Value::string(text);
      case Kind::integer:
        if (const auto number = whole_text<int64_t>(text)) return Value::integer(*number);
        return std::nullopt;
      case Kind::unsigned_integer:
        if (const auto number = whole_text<uint64_t>(text)) return Value::unsigned_integer(*number);
        return std::nullopt;
      case Kind::floating:
        if (const auto number = whole_text<double>(text); number && std::isfinite(*number)) return real(*number);
        return std::nullopt;
      default:
        if (text != "true" && text != "false") return std::nullopt;
        return Value::boolean(text == "true");
    }
  }

  // 0.0 and -0.0 are one value.
  static Value real(double number) { return Value::floating(number == 0 ? 0 : number); }

  // --- CSV, as RFC 4180 describes it

  enum class After : uint8_t { comma, row, end, broken };

  struct Field {
    std::string_view text;
    size_t begin = 0, end = 0;  ///< in the file, quotes included
  };

  After end_of_field(size_t* at) const {
    if (*at == text_.size()) return After::end;
    if (text_[*at] == ',') return ++*at, After::comma;
    if (text_.substr(*at).starts_with("\r\n")) return *at += 2, After::row;
    if (text_[*at] == '\n') return ++*at, After::row;
    return After::broken;
  }

  After read_field(size_t* at, Field* out) {
    out->begin = *at;
    if (*at < text_.size() && text_[*at] == '"') return read_quoted(at, out);
    size_t end = std::min(text_.find_first_of(",\n", *at), text_.size());
    if (end > *at && end < text_.size() && text_[end] == '\n' && text_[end - 1] == '\r') --end;
    out->end = *at = end;
    out->text = text_.substr(out->begin, end - out->begin);
    return end_of_field(at);
  }

  After read_quoted(size_t* at, Field* out) {
    std::string unquoted;
    bool doubled = false;
    for (size_t from = *at + 1;;) {
      const size_t quote = text_.find('"', from);
      if (quote == std::string_view::npos) return After::broken;
      unquoted.append(text_.substr(from, quote - from));
      if (quote + 1 < text_.size() && text_[quote + 1] == '"') {
        unquoted += '"';
        doubled = true;
        from = quote + 2;
        continue;
      }
      out->end = *at = quote + 1;
      out->text =
          doubled ? arena_.copy(std::string_view(unquoted)) : text_.substr(out->begin + 1, quote - out->begin - 1);
      return end_of_field(at);
    }
  }

  void read_csv() {
    size_t at = begin_, columns = 1, wanted_column = 0;
    if (!request_.column.empty() && !read_header(&at, &columns, &wanted_column)) return;
    while (at < text_.size() && !stopped()) {
      const size_t row = at;
      Field field, found;
      size_t count = 0;
      After after = After::comma;
      while (after == After::comma) {
        after = read_field(&at, &field);
        if (count++ == wanted_column) found = field;
      }
      if (after == After::broken) return mistake(row, at, "a value in quotes does not end as CSV demands");
      if (count == 1 && field.begin == field.end) continue;  // an empty line
      if (count == columns) {
        add_text(found.text, found.begin, found.end);
      } else {
        mistake(row, field.end,
                "this row has " + std::to_string(count) + (count == 1 ? " value" : " values") +
                    ", and every row should have " + std::to_string(columns));
      }
    }
  }

  bool read_header(size_t* at, size_t* columns, size_t* wanted_column) {
    std::vector<std::string> names;
    Field field;
    for (After after = After::comma; after == After::comma;) {
      after = read_field(at, &field);
      if (after == After::broken) return mistake(begin_, *at, "the header is not CSV"), false;
      names.emplace_back(field.text);
    }
    const auto found = std::find(names.begin(), names.end(), request_.column);
    *columns = names.size();
    *wanted_column = static_cast<size_t>(found - names.begin());
    if (found != names.end()) return true;
    mistake(begin_, field.end, "the header has no column " + ordain::quoted(request_.column),
            did_you_mean(request_.column, names));
    return false;
  }

  // --- JSON

  std::optional<Value> value_of_json(const Value& value) const {
    const auto whole = [](double number) { return std::trunc(number) == number && std::abs(number) <= 9e15; };
    switch (request_.kind) {
      case Kind::string:
      case Kind::boolean:
        return value.is(request_.kind) ? std::optional(value) : std::nullopt;
      case Kind::integer:
        if (value.is(Kind::floating) && whole(value.d)) return Value::integer(static_cast<int64_t>(value.d));
        return value.is(Kind::integer) ? std::optional(value) : std::nullopt;
      case Kind::unsigned_integer:
        if (value.is(Kind::integer) && value.i >= 0) return Value::unsigned_integer(static_cast<uint64_t>(value.i));
        return value.is(Kind::unsigned_integer) ? std::optional(value) : std::nullopt;
      default:
        if (value.is(Kind::integer) && std::abs(static_cast<double>(value.i)) <= 9e15) {
          return real(static_cast<double>(value.i));
        }
        return value.is(Kind::floating) ? std::optional(real(value.d)) : std::nullopt;
    }
  }

  void add_json(const Value& row, size_t begin, size_t end) {
    const Value* value = &row;
    if (!request_.column.empty()) {
      value = row.is(Kind::map) ? map_find(*row.map, request_.column) : nullptr;
      if (value == nullptr) return mistake(begin, end, "this row has no " + ordain::quoted(request_.column));
    }
    if (const std::optional<Value> fitting = value_of_json(*value)) return add(*fitting, begin, end);
    mistake(begin, end, "expected " + wanted() + ", got " + std::string(type_name(value->kind)));
  }

  void read_json() {
    const Result<Value> document = parse_json(arena_, text_.substr(begin_));
    if (!document) return mistake(begin_, begin_, "this is not JSON: " + document.error().message);
    if (!document->is(Kind::list))
      return mistake(begin_, begin_, "the file should hold one list, of values or of objects");
    size_t at = text_.find('[') + 1;
    for (size_t i = 0; i < document->aux && !stopped(); ++i) {
      const size_t begin = text_.find_first_not_of(" \t\r\n", at);
      const size_t end = end_of_element(begin);
      add_json(document->items[i], begin, end);
      at = end + 1;
    }
  }

  // The text is valid JSON, and an element begins at `at`.
  size_t end_of_element(size_t at) const {
    int depth = 0;
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (c == '"') {
        for (++at; text_[at] != '"'; ++at) at += text_[at] == '\\' ? 1 : 0;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if (c == ']' || c == '}') {
        if (depth-- == 0) break;
      } else if (c == ',' && depth == 0) {
        break;
      }
    }
    return at;
  }

  void read_json_lines() {
    for (size_t at = begin_; at < text_.size() && !stopped();) {
      const size_t end = std::min(text_.find('\n', at), text_.size());
      const std::string_view line = text_.substr(at, end - at);
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
        const Result<Value> row = parse_json(arena_, line);
        if (row) {
          add_json(*row, at, end);
        } else {
          mistake(at, end, "this line is not JSON: " + row.error().message);
        }
      }
      at = end + 1;
    }
  }

  Arena& arena_;
  Diagnostics& diagnostics_;
  const DataRequest& request_;
  std::string_view text_;
  size_t begin_ = 0;  ///< after a byte order mark
  size_t mistakes_ = 0;
  std::vector<Value> values_;
  std::unordered_set<std::string_view> texts_;  ///< the values so far, of a set of texts
  std::unordered_set<uint64_t> numbers_;        ///< the same of other kinds, by their bits
};

}  // namespace

Value read_data_values(Arena& arena, Diagnostics& diagnostics, const DataRequest& request) {
  return DataRows(arena, diagnostics, request).read();
}

}  // namespace ordain
