#include "agents/hook/http_message.h"

#include <algorithm>
#include <optional>

namespace ordain::agents {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A number of at most eight digits, which no sum of sizes here can overflow.
std::optional<size_t> read_number(std::string_view text) {
  if (text.empty() || text.size() > 8 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  size_t out = 0;
  for (const char c : text) out = out * 10 + static_cast<size_t>(c - '0');
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_name(std::string_view text) {
  static constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kSigns.find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (c >= ' ' && c != 0x7f); });
}

/// Reads `HTTP/1.1 200 OK`; the words may be missing.
std::optional<int> read_status(std::string_view line) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  if (!line.starts_with(kStart) || !is_visible(line)) return std::nullopt;
  line.remove_prefix(kStart.size());
  const std::optional<size_t> status = read_number(line.substr(0, 3));
  if (!status || *status < 200 || *status > 599) return std::nullopt;
  if (line.size() > 3 && line[3] != ' ') return std::nullopt;
  return static_cast<int>(*status);
}

/// Reads the lines after the status. @returns what is wrong with them
std::string read_headers(std::string_view lines, std::optional<size_t>* length) {
  while (!lines.empty()) {
    const size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_name(line.substr(0, colon)) || !is_visible(line)) {
      return "a header that is not one";
    }
    const std::string name = lower_case(line.substr(0, colon));
    if (name == "transfer-encoding") return "a Transfer-Encoding";
    if (name != "content-length") continue;
    const std::optional<size_t> number = read_number(trimmed(line.substr(colon + 1)));
    if (!number || length->has_value()) return "a Content-Length that is not one number";
    *length = number;
  }
  return "";
}

}  // namespace

std::string http_post(std::string_view path, std::string_view json) {
  std::string out = "POST ";
  out.append(path);
  out += " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ";
  out += std::to_string(json.size());
  out += "\r\nConnection: close\r\n\r\n";
  out.append(json);
  return out;
}

HttpState read_http_reply(std::string_view text, HttpReply* out, std::string* why) {
  const auto broken = [&](std::string what) {
    *why = std::move(what);
    return HttpState::broken;
  };
  const size_t end = text.substr(0, kMostHeaderBytes).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (text.size() >= kMostHeaderBytes) return broken("its headers are too long");
    constexpr std::string_view kStart = "HTTP/1.1 ";
    const size_t known = std::min(text.size(), kStart.size());
    return text.substr(0, known) == kStart.substr(0, known) ? HttpState::incomplete : broken("it does not speak HTTP");
  }
  const std::string_view head = text.substr(0, end);
  const size_t line_end = std::min(head.find("\r\n"), head.size());
  const std::optional<int> status = read_status(head.substr(0, line_end));
  if (!status) return broken("it does not speak HTTP");
  std::optional<size_t> length;
  const std::string wrong = read_headers(head.substr(std::min(line_end + 2, head.size())), &length);
  if (!wrong.empty()) return broken("it sent " + wrong);
  if (!length) return broken("it sent no Content-Length");
  if (*length > kMostBodyBytes) return broken("its answer is too long");
  const std::string_view body = text.substr(end + 4);
  if (body.size() > *length) return broken("it sent more than its answer");
  if (body.size() < *length) return HttpState::incomplete;
  out->status = *status;
  out->body = body;
  return HttpState::complete;
}

}  // namespace ordain::agents
