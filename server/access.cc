// Checks tokens and the headers that browsers set.
#include "server/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "ordain/utf8.h"
#include "runtime/keys/key_file.h"

namespace ordain::server {
namespace {

constexpr size_t kShortestToken = 16;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trim_spaces(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_token(std::string_view text) {
  return text.size() >= kShortestToken &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 32 && c < 127; });
}

Error bad_line(const std::string& path, size_t line, std::string_view why) {
  return Error{"bad_token", fmt::format("{}:{}: {}", path, line, why)};
}

Result<std::vector<Token>> read_tokens(const std::string& path, bool named) {
  auto text = detail::read_secret(path);
  if (!text) return text.error();
  std::vector<Token> out;
  std::string_view rest = *text;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = trim_spaces(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    Token token;
    if (named) {
      const auto gap = std::find_if(line.rbegin(), line.rend(), is_space);
      const auto name = static_cast<size_t>(line.rend() - gap);
      token.approver = trim_spaces(line.substr(0, name));
      if (token.approver.empty() || !valid_utf8(token.approver)) {
        return bad_line(path, number, "expected an approver's name, a space, and a token");
      }
      line = line.substr(name);
    }
    if (!is_token(line)) {
      return bad_line(path, number, "a token has at least 16 printable ASCII characters without spaces");
    }
    token.digest = sha256(line);
    const bool known =
        std::any_of(out.begin(), out.end(), [&](const Token& other) { return other.digest == token.digest; });
    if (known) return bad_line(path, number, "this token stands on an earlier line too");
    out.push_back(std::move(token));
  }
  if (out.empty()) return Error{"bad_token", path + ": the file has no token"};
  return out;
}

bool is_known_host(std::string_view host, const Access& access) {
  return std::any_of(access.hosts.begin(), access.hosts.end(),
                     [&](const std::string& known) { return equal_ignoring_case(known, host); });
}

bool is_same_origin(std::string_view origin, std::string_view host) {
  return equal_ignoring_case(origin, fmt::format("http://{}", host)) ||
         equal_ignoring_case(origin, fmt::format("https://{}", host));
}

}  // namespace

Result<std::vector<Token>> read_client_tokens(const std::string& path) { return read_tokens(path, false); }
Result<std::vector<Token>> read_approver_tokens(const std::string& path) { return read_tokens(path, true); }

std::optional<HttpResponse> refuse_foreign(const HttpRequest& request, const Access& access) {
  if (request.channel == Channel::tcp) {
    const std::string* host = request.header("host");
    if (host == nullptr) return error_response(400, "bad_host", "one Host header is needed");
    if (!is_known_host(*host, access)) {
      return error_response(421, "bad_host", "the Host header does not name an address of this service");
    }
    if (const std::string* origin = request.header("origin"); origin != nullptr && !is_same_origin(*origin, *host)) {
      return error_response(403, "foreign_origin", "requests of pages from elsewhere are refused");
    }
    if (request.count("origin") > 1) return error_response(400, "bad_origin", "more than one Origin header");
    const std::string* site = request.header("sec-fetch-site");
    const bool is_own = site != nullptr && (*site == "same-origin" || *site == "none");
    if (request.count("sec-fetch-site") != 0 && !is_own) {
      return error_response(403, "foreign_origin", "requests of pages from elsewhere are refused");
    }
  } else if (request.count("origin") != 0) {
    return error_response(403, "foreign_origin", "the socket does not serve web pages");
  }
  return std::nullopt;
}

Caller identify_caller(const HttpRequest& request, const Access& access) {
  Caller out;
  if (request.count("authorization") == 0) {
    out.known = request.channel == Channel::unix_socket;
    return out;
  }
  constexpr std::string_view kScheme = "bearer ";
  const std::string* given = request.header("authorization");
  if (given == nullptr || given->size() < kScheme.size() ||
      !equal_ignoring_case(given->substr(0, kScheme.size()), kScheme)) {
    return out;
  }
  // Digests are compared, so the time that this takes says nothing about the token.
  const Digest digest = sha256(trim_spaces(std::string_view(*given).substr(kScheme.size())));
  for (const Token& token : access.tokens) {
    if (token.digest != digest) continue;
    out.known = true;
    out.credential = to_hex(digest);
    if (!token.approver.empty()) out.approver = token.approver;
  }
  return out;
}

}  // namespace ordain::server
