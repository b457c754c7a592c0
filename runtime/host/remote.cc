// remote: asks with the call as an event, and waits for the answer on an exchange that outlives the waiting call.
#include "runtime/host/remote.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "ordain/decision_json.h"
#include "ordain/event.h"
#include "ordain/time_text.h"
#include "runtime/host/host_ruling.h"
#include "runtime/identity/identity_fields.h"
#include "runtime/identity/text.h"

namespace ordain {
namespace detail {
namespace {

using Clock = std::chrono::steady_clock;

/// Where the answer arrives. Shared by the call that waits and the thread that replies; either may be gone before the
/// other.
class Exchange {
 public:
  explicit Exchange(Clock::time_point deadline) : deadline_(deadline) {}

  void reply(Result<RemoteAnswer> answer) {
    {
      std::lock_guard lock(mutex_);
      if (answer_ || Clock::now() > deadline_) return;
      answer_ = std::move(answer);
    }
    answered_.notify_one();
  }
  std::optional<Result<RemoteAnswer>> wait() {
    std::unique_lock lock(mutex_);
    answered_.wait_until(lock, deadline_, [&] { return answer_.has_value(); });
    return answer_;
  }

 private:
  const Clock::time_point deadline_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<Result<RemoteAnswer>> answer_;
};

/// Builds a map from values that live longer than it.
class Fields {
 public:
  explicit Fields(Arena& arena) : arena_(arena) {}
  void add(std::string_view name, const Value& value) { entries_.push_back({Value::string(name), value}); }
  void text(std::string_view name, std::string_view text) {
    if (!text.empty()) add(name, Value::string(text));
  }
  void all(const MapRep& map) { entries_.insert(entries_.end(), map.all().begin(), map.all().end()); }
  bool empty() const { return entries_.empty(); }
  Value object() const {
    auto* kept = arena_.array<MapEntry>(entries_.size());  // the map refers to them
    std::copy(entries_.begin(), entries_.end(), kept);
    const MapRep* map = make_map(arena_, {kept, entries_.size()});
    return map != nullptr ? Value::map_of(map) : Value::null();
  }

 private:
  Arena& arena_;
  std::vector<MapEntry> entries_;
};

Value who_acts(Arena& arena, const Who& who, const IdentityField& field) {
  const Value* attributes = attributes_of(who, field.root);
  Fields out(arena);
  const bool named = attributes != nullptr && map_find(*attributes->map, "id") != nullptr;
  if (attributes != nullptr) out.all(*attributes->map);
  if (!named) out.text("id", who.*field.id);
  return out.empty() ? Value() : out.object();
}

std::string event_of(const HostCall& call) {
  Arena arena;
  const CallOptions& options = call.options;
  std::array<Value, kIdentityFields.size()> who;  // agent, principal, tenant, environment, session
  for (size_t i = 0; i < who.size(); ++i) who[i] = who_acts(arena, call.who, kIdentityFields[i]);
  Fields action(arena);
  action.text("id", call.action);
  action.text("trace_id", call.trace);
  action.text("parent_id", options.parent);
  action.text("type", options.type);
  action.text("target", options.target);
  action.text("description", options.description);
  const Value action_map = action.empty() ? Value() : action.object();

  Event event{.capability = call.capability, .stage = call.stage, .now = timestamp_of_nanos(call.now_ns)};
  event.agent = &who[0];
  event.principal = &who[1];
  event.tenant = &who[2];
  event.environment = &who[3];
  event.session = &who[4];
  event.action = &action_map;
  event.input = &call.input;
  if (!options.resource.is(Kind::null)) event.resource = &options.resource;
  if (!options.metadata.is(Kind::null)) event.metadata = &options.metadata;
  if (options.risk) event.risk = options.risk->value;
  if (call.stage == Stage::after) {
    event.output = &call.output;
    event.elapsed_ns = call.elapsed_ns;
  }
  return to_json(event);
}

Result<RemoteAnswer> ask(const RemoteOptions& options, const HostCall& call) {
  const Clock::time_point deadline = Clock::now() + options.timeout;
  auto exchange = std::make_shared<Exchange>(deadline);
  try {
    options.decider->ask({std::string(call.action), event_of(call), deadline},
                         [exchange](Result<RemoteAnswer> answer) { exchange->reply(std::move(answer)); });
  } catch (const std::exception& e) {
    return Error{"exception", e.what()};
  } catch (...) {
    return Error{"exception", "an exception that does not derive from std::exception"};
  }
  auto answer = exchange->wait();
  if (!answer) return Error{"timeout", fmt::format("not within {} ms", options.timeout.count())};
  return std::move(*answer);
}

RemoteVerdict without_answer(RemoteFallback fallback, const Error& error) {
  std::string why = error.code + ": " + error.message;
  if (!valid_utf8(why)) why = "error";
  RemoteVerdict out{.rule = "remote"};
  switch (fallback) {
    case RemoteFallback::local:
      out.record = "the local rules, for there is no answer: " + why;
      return out;
    case RemoteFallback::allow:
      out.verdict = HostVerdict::allow("the remote decision point does not answer, and is not waited for");
      out.record = "allowed, for there is no answer: " + why;
      return out;
    case RemoteFallback::deny:
      break;
  }
  out.verdict = HostVerdict::deny("the remote decision point does not answer");
  out.fault = "the remote decision point does not answer: " + why;
  out.record = "denied, for there is no answer: " + why;
  return out;
}

}  // namespace

RemoteVerdict consult(const RemoteOptions& options, const HostCall& call) {
  auto answer = ask(options, call);
  if (!answer.ok()) return without_answer(options.fallback, answer.error());
  RemoteVerdict out{.rule = answer->rule.empty() ? "remote" : "remote:" + answer->rule};
  out.record = fmt::format("{}{}", to_string(answer->effect), answer->rule.empty() ? "" : " by " + answer->rule);
  for (AskingRule& need : answer->approvals) need.rule = need.rule.empty() ? out.rule : "remote:" + need.rule;
  out.verdict = {answer->effect,
                 std::move(answer->reason),
                 std::move(answer->from),
                 answer->expires,
                 std::move(answer->warnings),
                 std::move(answer->redactions),
                 std::move(answer->approvals)};
  if (valid_utf8(out.rule) && is_text(out.verdict)) return out;
  return without_answer(options.fallback, {"bad_answer", "the answer is not valid UTF-8"});
}

}  // namespace detail

Result<RemoteAnswer> parse_remote_answer(std::string_view json) {
  auto decision = parse_decision(json);
  if (!decision.ok()) return Error{"bad_answer", decision.error().message};
  RemoteAnswer out{.effect = decision->effect,
                   .rule = std::move(decision->rule),
                   .reason = std::move(decision->reason),
                   .from = std::move(decision->from),
                   .expires = std::chrono::seconds(decision->expires_seconds.value_or(0)),
                   .approvals = std::move(decision->approvals)};
  for (ParsedDecision::Obligation& each : decision->obligations) {
    if (each.kind == RuleKind::warn) {
      out.warnings.push_back(std::move(each.reason));
    } else {
      out.redactions.push_back({std::move(each.path), std::move(each.with)});
    }
  }
  return out;
}

}  // namespace ordain
