// HttpClient posts to one address that the operator named. It and http_server alone know the HTTP library.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/result.h"

namespace ordain::server {

/// An address that something is posted to.
struct WebAddress {
  bool tls = true;
  std::string host;    ///< a name or an IP address, without brackets
  std::string port;    ///< "443"
  std::string target;  ///< "/path?query"

  /// @returns "https://hooks.example.com:8443", which has no secret: paths of webhooks often are secrets
  std::string origin() const;
};

/// Reads `https://HOST[:PORT][/PATH]`, and `http://` where the host is this machine itself, as nothing would protect
/// what is sent to another one. @returns error "bad_url" with the reason
Result<WebAddress> parse_web_address(std::string_view url);

struct HttpPost {
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body;
  std::chrono::milliseconds timeout{10'000};  ///< for all of it
};

class HttpClient {
 public:
  explicit HttpClient(WebAddress address);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Posts on a connection of its own. The server's certificate must be valid for the host. Redirections are not
  /// followed. Use it from one thread at a time. @returns the status; error "http" if there is no answer
  Result<unsigned> post(const HttpPost& what);
  /// Makes the post in progress and all later ones fail. Any thread may call it.
  void cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordain::server
