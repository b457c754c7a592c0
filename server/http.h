// HttpRequest and HttpResponse are what the handlers of the daemon see of HTTP. They know neither
// sockets nor the library that reads them, so tests make them by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ordain::server {

/// How a request came. The peer of a UNIX socket has proved which user it is.
enum class Channel : uint8_t { unix_socket, tcp };

/// One request, read whole. Everything in it is hostile.
struct HttpRequest {
  std::string method;                                        ///< "GET"
  std::string target;                                        ///< as sent: the path, and a query if there is one
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
  Channel channel = Channel::tcp;

  std::string_view path() const;
  /// @returns the text behind `?`, or ""
  std::string_view query() const;
  /// @returns the header of this name; nullptr if it is absent or occurs more than once
  const std::string* header(std::string_view lower_case_name) const;
  size_t count(std::string_view lower_case_name) const;
};

class HttpStream;

struct HttpResponse {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<HttpStream> stream = {};  ///< in place of `body`, if it is not nullptr
};

/// The error of Ordain's own API: {"error": {"code", "message"}}.
HttpResponse error_response(unsigned status, std::string_view code, std::string_view message);

/// @returns the values of a query's parameters, with their percent-encoding undone; nothing if the
/// encoding is wrong or a name is repeated
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

/// @returns whether the header says that the body is JSON: "application/json", with any parameters
bool is_json_type(std::string_view content_type);

/// Compares ASCII texts without regard to case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace ordain::server
