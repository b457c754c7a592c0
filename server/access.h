// Access decides who may ask the daemon at all: tokens, the Host header and the Origin header.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/digest.h"
#include "ordain/result.h"
#include "server/http.h"

namespace ordain::server {

/// A bearer token, kept as its digest.
struct Token {
  std::string approver;  ///< the person who may answer approvals with it; "" for a client's token
  Digest digest{};
};

struct Access {
  std::vector<Token> tokens = {};
  /// The values of the Host header that TCP requests may have, such as "127.0.0.1:8181". A page of
  /// another site that reaches this address by a name of its own (DNS rebinding) has another one.
  std::vector<std::string> hosts = {};
};

/// What a request may do.
struct Caller {
  bool known = false;      ///< has a token, or came by the UNIX socket
  std::string approver;    ///< whose token it has; "" if it may not answer approvals
  std::string credential;  ///< differs for different tokens; "" for a peer of the UNIX socket without one
};

/// Reads tokens from a file that only its owner may read: one on each line, at least 16 printable
/// characters without spaces. Empty lines and lines that begin with `#` are skipped.
/// @returns error "key_exposed", "key_unreadable" or "bad_token"
Result<std::vector<Token>> read_client_tokens(const std::string& path);
/// The same for approvers: on each line a name, white space, and the token.
Result<std::vector<Token>> read_approver_tokens(const std::string& path);

/// @returns the answer to a request that comes from a browser's page of another site, or that names
/// another host; nothing if it may go on
std::optional<HttpResponse> refuse_foreign(const HttpRequest& request, const Access& access);

/// Finds out who asks, by the channel and the token. A request with a wrong token is not known,
/// whatever its channel.
Caller identify_caller(const HttpRequest& request, const Access& access);

}  // namespace ordain::server
