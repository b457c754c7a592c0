// The endpoints of the AuthZEN Authorization API 1.0.
#pragma once

#include "server/authzen_mapping.h"
#include "server/decide_events.h"
#include "server/http.h"

namespace ordain::server {

/// What the endpoints work with.
struct Authzen {
  const EventDecider& decider;
  const AuthzenMapping& mapping;
  bool clients_redact = false;  ///< see ServiceOptions
};

/// Access Evaluation: {"decision": bool, "context": {...}}; 400 for a request that lacks a part, has a
/// part of a wrong type, or is not JSON.
HttpResponse evaluate_one(const Authzen& authzen, const HttpRequest& request);

/// Access Evaluations: the parts at the top are defaults, which a part of an entry replaces whole. The
/// answers keep the order of the entries; with `deny_on_first_deny` and `permit_on_first_permit` they
/// end with the entry that decided. Without entries it is one evaluation of the parts at the top.
HttpResponse evaluate_several(const Authzen& authzen, const HttpRequest& request);

/// The metadata document, with the URLs as the caller reached the service.
HttpResponse describe_authzen(const HttpRequest& request);

}  // namespace ordain::server
