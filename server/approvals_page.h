// The page on which a person answers approvals in a browser. It is one document, without scripts or
// styles from elsewhere.
#pragma once

#include <span>
#include <string_view>

#include "server/http.h"

namespace ordain::server {

/// The text of server/approvals.html, in pieces. The build makes this function from the file.
std::span<const std::string_view> approvals_html();

/// The page with a Content-Security-Policy that runs its own script, which is named by its digest, and
/// nothing else.
HttpResponse approvals_page();

}  // namespace ordain::server
