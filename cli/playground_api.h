// The playground without its sockets: answers for one page on which policies are tried out. Nothing is stored, and no
// file is read.
#pragma once

#include <cstddef>

#include "server/access.h"
#include "server/http.h"

namespace ordain::cli {

// What a request may hold.
inline constexpr size_t kMostPolicyBytes = 256 << 10;
inline constexpr size_t kMostEventBytes = 64 << 10;
inline constexpr size_t kMostEvents = 50;
inline constexpr size_t kMostPlaygroundBody = 1 << 20;

/// Answers one request: the page, and what it asks for. Thread-safe.
server::HttpResponse answer_playground(const server::HttpRequest& request, const server::Access& access) noexcept;

}  // namespace ordain::cli
