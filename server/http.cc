// Reads the parts of a request that HTTP leaves as text: target, query, content type.
#include "server/http.h"

#include <algorithm>

#include "ordain/json.h"
#include "ordain/terminal_text.h"
#include "ordain/utf8.h"

namespace ordain::server {
namespace {

char lower_of(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at] == '+' ? ' ' : text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return out;
}

}  // namespace

std::string_view HttpRequest::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string_view HttpRequest::query() const {
  const size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

const std::string* HttpRequest::header(std::string_view lower_case_name) const {
  const std::string* found = nullptr;
  for (const auto& [name, value] : headers) {
    if (name != lower_case_name) continue;
    if (found != nullptr) return nullptr;
    found = &value;
  }
  return found;
}

size_t HttpRequest::count(std::string_view lower_case_name) const {
  return static_cast<size_t>(std::count_if(headers.begin(), headers.end(),
                                           [&](const auto& header) { return header.first == lower_case_name; }));
}

HttpResponse error_response(unsigned status, std::string_view code, std::string_view message) {
  std::string body = "{\"error\": {\"code\": ";
  append_json_string(body, code);
  body += ", \"message\": ";
  append_json_string(body, valid_utf8(message) ? std::string(message) : terminal_text(message));
  return {.status = status, .body = body + "}}", .headers = {}};
}

namespace {

/// Takes the text up to a separator off a text, and the separator.
std::string_view take_until(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view out = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return out;
}

}  // namespace

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    const std::string_view part = take_until(query, '&');
    if (part.empty()) continue;
    std::string_view rest = part;
    auto name = percent_decode(take_until(rest, '='));
    auto value = percent_decode(rest);
    if (!name || !value) return std::nullopt;
    const bool repeated = std::any_of(out.begin(), out.end(), [&](const auto& known) { return known.first == *name; });
    if (repeated) return std::nullopt;
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

bool is_json_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return equal_ignoring_case(type, "application/json");
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower_of(x) == lower_of(y); });
}

}  // namespace ordain::server
