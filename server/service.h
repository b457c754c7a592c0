// Service is the daemon without its sockets: it answers requests, each with a pure function of the
// request and of the state of one runtime.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ordain/runtime.h"
#include "server/access.h"
#include "server/authzen_mapping.h"
#include "server/decide_events.h"
#include "server/http.h"
#include "server/open_calls.h"

namespace ordain::server {

struct ServiceOptions {
  Access access = {};
  std::string database = {};  ///< the directory whose audit log is shown
  DecideOptions decide = {};
  OpenCallOptions calls = {};
  AuthzenMapping authzen;
  /// Whether clients of the AuthZEN and OPA interfaces carry out what an allowing decision demands
  /// besides: `redact`. Without that, such a decision is a denial for them.
  bool clients_redact = false;
};

/// Thread-safe. `Runtime`'s telemetry should be the same `metrics`.
class Service {
 public:
  Service(Runtime runtime, std::shared_ptr<Metrics> metrics, ServiceOptions options);

  /// Answers one request, whatever it contains. A failure inside is an answer with status 500.
  HttpResponse handle(const HttpRequest& request) noexcept;

  /// Ends the open calls and waits until all records are committed.
  Result<void> stop();

 private:
  HttpResponse route(const HttpRequest& request);
  HttpResponse answer(const HttpRequest& request, const Caller& caller);

  HttpResponse ready() const;
  HttpResponse decide(const HttpRequest& request);
  HttpResponse begin_call(const HttpRequest& request, const Caller& caller);
  HttpResponse finish_call(std::string_view id, const HttpRequest& request, const Caller& caller);
  HttpResponse approvals(std::string_view id, const HttpRequest& request, const Caller& caller);
  HttpResponse audit(const HttpRequest& request);
  HttpResponse opa(std::string_view path, const HttpRequest& request);
  HttpResponse evaluate(const HttpRequest& request, bool several);
  HttpResponse authzen_configuration(const HttpRequest& request) const;

  Runtime runtime_;
  std::shared_ptr<Metrics> metrics_;
  const ServiceOptions options_;
  EventDecider decider_;
  OpenCalls calls_;
};

}  // namespace ordain::server
