// support.h helps the daemon's tests: a service over the bank's rules, and requests made by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "server/service.h"
#include "tests/unit/runtime/support.h"

namespace ordain::server::testing {

using Json = nlohmann::json;
using ordain::testing::bank;
using ordain::testing::Bench;
using ordain::testing::compile_text;

inline constexpr const char* kClientToken = "client-token-0123456789";
inline constexpr const char* kApproverToken = "approver-token-0123456789";
inline constexpr const char* kHost = "127.0.0.1:8181";

/// A request with a client's token over TCP, and with JSON as its body's type.
inline HttpRequest request(std::string method, std::string target, std::string body = "",
                           const char* token = kClientToken) {
  HttpRequest out{.method = std::move(method), .target = std::move(target), .headers = {}, .body = std::move(body)};
  out.headers = {{"host", kHost}, {"content-type", "application/json"}};
  if (token != nullptr) out.headers.emplace_back("authorization", std::string("Bearer ") + token);
  return out;
}

inline std::string event_of_pay(double amount, const std::string& more = "") {
  return R"({"capability": "pay", "agent": "teller", "input": {"to": "bob", "amount": )" + std::to_string(amount) +
         more + "}}";
}

struct Served {
  Bench bench;
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  ServiceOptions options;
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<Service> service;

  explicit Served(std::shared_ptr<const Program> program = bank()) {
    options.access.hosts = {kHost, "localhost:8181"};
    options.access.tokens = {{"", sha256(kClientToken)}, {"alice", sha256(kApproverToken)}};
    options.database = bench.options.database;
    bench.options.telemetry = metrics;
    runtime = std::make_unique<Runtime>(bench.open(std::move(program)));
    restart();
  }
  /// Makes the service again after `options` changed.
  void restart() { service = std::make_unique<Service>(*runtime, metrics, options); }

  HttpResponse ask(const HttpRequest& what) const { return service->handle(what); }
  HttpResponse post(const std::string& target, const std::string& body, const char* token = kClientToken) const {
    return ask(request("POST", target, body, token));
  }
  HttpResponse get(const std::string& target, const char* token = kClientToken) const {
    return ask(request("GET", target, "", token));
  }
  /// Posts, and expects status 200.
  Json posted(const std::string& target, const std::string& body, const char* token = kClientToken) const {
    const HttpResponse out = post(target, body, token);
    EXPECT_EQ(out.status, 200u) << target << " " << out.body;
    return Json::parse(out.body, nullptr, false);
  }
  Json got(const std::string& target, const char* token = kClientToken) const {
    const HttpResponse out = get(target, token);
    EXPECT_EQ(out.status, 200u) << target << " " << out.body;
    return Json::parse(out.body, nullptr, false);
  }
};

}  // namespace ordain::server::testing
