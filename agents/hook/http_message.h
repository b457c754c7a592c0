// HTTP/1.1 as far as the hook and the daemon need it: one request and one answer for a connection.
// Everything else is refused, because the only server that is spoken to is our own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ordain::agents {

inline constexpr size_t kMostHeaderBytes = 16 * 1024;
inline constexpr size_t kMostBodyBytes = 4 * 1024 * 1024;

struct HttpReply {
  int status = 0;
  std::string body;
};

enum class HttpState {
  incomplete,  ///< more must be read
  complete,
  broken,  ///< it is not an answer, and cannot become one
};

/// A POST of a JSON text. `path` must consist of characters that stand for themselves in a URL.
std::string http_post(std::string_view path, std::string_view json);

/// Reads an answer from all bytes received so far. An answer needs one Content-Length, and nothing
/// may follow the body.
/// @param why says what is wrong if it is broken
HttpState read_http_reply(std::string_view text, HttpReply* out, std::string* why);

}  // namespace ordain::agents
