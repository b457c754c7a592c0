// framing.cc reads and writes the headers of messages.
#include "lsp/framing.h"

#include <cctype>
#include <utility>

namespace ordain::lsp {
namespace {

bool is_same_name(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) != lower[i]) return false;
  }
  return true;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

void FrameReader::append(std::string_view bytes) {
  if (!mistake_.empty()) return;
  if (at_ > 0 && at_ >= bytes_.size() / 2) {
    bytes_.erase(0, at_);
    at_ = 0;
  }
  bytes_ += bytes;
}

std::optional<std::string> FrameReader::next() {
  if (!mistake_.empty()) return std::nullopt;
  if (!length_ && !read_header()) return std::nullopt;
  if (bytes_.size() - at_ < *length_) return std::nullopt;
  std::string out = bytes_.substr(at_, *length_);
  at_ += *length_;
  length_.reset();
  return out;
}

// Reads the lines up to the empty one. @returns whether the length of a message is known
bool FrameReader::read_header() {
  const std::string_view rest = std::string_view(bytes_).substr(at_);
  const size_t end = rest.substr(0, limits_.header_bytes).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (rest.size() >= limits_.header_bytes) return fail("a header is longer than this server reads");
    return false;
  }
  std::string_view header = rest.substr(0, end + 2);
  while (!header.empty()) {
    const size_t line = header.find("\r\n");
    if (!read_field(header.substr(0, line))) return false;
    header.remove_prefix(line + 2);
  }
  if (!length_) return fail("a header has no Content-Length");
  at_ += end + 4;
  return true;
}

bool FrameReader::read_field(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return fail("a line of a header has no colon");
  if (!is_same_name(line.substr(0, colon), "content-length")) return true;  // other fields have no effect
  const std::string_view digits = without_blanks(line.substr(colon + 1));
  if (length_ || digits.empty()) return fail("a header needs one Content-Length");
  size_t length = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return fail("a Content-Length is not a number");
    length = length * 10 + static_cast<size_t>(c - '0');
    if (length > limits_.message_bytes) return fail("a message is longer than this server reads");
  }
  length_ = length;
  return true;
}

bool FrameReader::fail(std::string why) {
  mistake_ = std::move(why);
  length_.reset();
  bytes_.clear();
  at_ = 0;
  return false;
}

std::string framed(std::string_view message) {
  return "Content-Length: " + std::to_string(message.size()) + "\r\n\r\n" + std::string(message);
}

}  // namespace ordain::lsp
