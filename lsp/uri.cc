// uri.cc decodes and encodes file URIs (RFC 8089).
#include "lsp/uri.h"

#include <cctype>

#include "compiler/parse/import_path.h"

namespace ordain::lsp {
namespace {

constexpr std::string_view kScheme = "file://";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool has_other_scheme(std::string_view text) {
  const size_t colon = text.find(':');
  return colon != std::string_view::npos && colon > 1 && text.substr(0, colon).find('/') == std::string_view::npos;
}

}  // namespace

std::string path_of_uri(std::string_view uri) {
  if (uri.find('\0') != std::string_view::npos) return "";
  if (!uri.starts_with(kScheme)) return has_other_scheme(uri) && !uri.starts_with("file:") ? std::string(uri) : "";
  uri.remove_prefix(kScheme.size());
  const size_t slash = uri.find('/');
  if (slash == std::string_view::npos) return "";
  uri.remove_prefix(slash);  // the host, which is empty or this machine
  std::string out;
  for (size_t at = 0; at < uri.size(); ++at) {
    if (uri[at] != '%') {
      out += uri[at];
      continue;
    }
    const int high = at + 2 < uri.size() ? hex_digit(uri[at + 1]) : -1;
    const int low = at + 2 < uri.size() ? hex_digit(uri[at + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) return "";
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return normal_path(out);
}

std::string uri_of_path(std::string_view path) {
  if (!path.starts_with('/') && has_other_scheme(path)) return std::string(path);
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out(kScheme);
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte < 0x80 && (std::isalnum(byte) != 0 || std::string_view("/-._~").find(c) < 5);
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace ordain::lsp
