// Shows the newest records of the audit log over HTTP.
#pragma once

#include <string>
#include <string_view>

#include "server/http.h"

namespace ordain::server {

/// {"records": [...]}, oldest first: the last `limit` (100, at most 1,000) of those that match. The
/// query may also have agent, principal, tenant, capability, session, action, rule, effect, kind, and
/// from and to, RFC 3339 times.
HttpResponse show_records(const std::string& database, std::string_view query);

}  // namespace ordain::server
