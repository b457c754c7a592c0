// Pages that the service serves to browsers: one document each, without scripts or styles from elsewhere.
#pragma once

#include <string>

#include "server/http.h"

namespace ordain::server {

/// The page with a Content-Security-Policy that runs its own script, which is named by its digest, and nothing else. It
/// may ask the service that it comes from.
/// @param html with one `<script>` and one `<style>`
HttpResponse own_page(std::string html);

}  // namespace ordain::server
