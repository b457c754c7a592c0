// Computes a page's policy from its text, so that it cannot fall behind it.
#include "server/page.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "ordain/digest.h"
#include "vm/value/encodings.h"

namespace ordain::server {
namespace {

/// @returns the text between the first `<tag>` and its end
std::string_view content_of(std::string_view page, std::string_view tag) {
  const std::string begin = fmt::format("<{}>", tag), end = fmt::format("</{}>", tag);
  const size_t from = page.find(begin);
  if (from == std::string_view::npos) return {};
  const std::string_view rest = page.substr(from + begin.size());
  return rest.substr(0, rest.find(end));
}

/// A source of a Content-Security-Policy.
std::string source_of(std::string_view text) {
  const Digest digest = sha256(text);
  return fmt::format("'sha256-{}'", base64_of({reinterpret_cast<const char*>(digest.data()), digest.size()}));
}

}  // namespace

HttpResponse own_page(std::string html) {
  HttpResponse out;
  out.body = std::move(html);
  out.content_type = "text/html; charset=utf-8";
  out.headers = {
      {"Content-Security-Policy",
       fmt::format("default-src 'none'; script-src {}; style-src {}; connect-src 'self'; base-uri 'none'; "
                   "form-action 'none'; frame-ancestors 'none'",
                   source_of(content_of(out.body, "script")), source_of(content_of(out.body, "style")))},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Frame-Options", "DENY"},
  };
  return out;
}

}  // namespace ordain::server
