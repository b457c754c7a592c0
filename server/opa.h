// Answers OPA's data API for two documents: whether an event is allowed, and its decision.
#pragma once

#include <string_view>

#include "server/decide_events.h"
#include "server/http.h"

namespace ordain::server {

/// Decides the event that stands in `input`. The path "/ordain/allow" has a boolean as its result,
/// and "/ordain/decision" the decision as ordain/decision_json.h writes it. For other paths, without
/// an input, and for an input that is not an event, there is no result, as OPA answers what is
/// undefined.
/// @param clients_redact whether `allow` may be true for a decision that redacts
HttpResponse answer_opa(const EventDecider& decider, std::string_view path, const HttpRequest& request,
                        bool clients_redact);

}  // namespace ordain::server
