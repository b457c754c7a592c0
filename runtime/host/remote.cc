// remote: a request is the call as an event; the wait for its answer is on an exchange that outlives who waits.
#include "runtime/host/remote.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "ordain/approvals.h"
#include "ordain/time_text.h"
#include "runtime/host/host_ruling.h"
#include "runtime/identity/identity_fields.h"
#include "runtime/identity/text.h"

namespace ordain {
namespace detail {
namespace {

using Clock = std::chrono::steady_clock;

/// Where the answer arrives. Shared by who waits and who replies; either may be gone before the other.
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

/// A JSON object that is put together of values that live longer.
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
  const bool after = call.stage == Stage::after;
  const std::string now = format_time(call.now_ns);
  const TimeParts elapsed = duration_of_nanos(call.elapsed_ns);
  const std::string took = after ? format_duration(elapsed.seconds, elapsed.nanos) : "";
  Fields event(arena), action(arena);
  event.text("capability", call.capability);
  event.text("stage", to_string(call.stage));
  event.text("now", now);
  for (const IdentityField& field : kIdentityFields) {
    const Value value = who_acts(arena, call.who, field);
    if (value.present()) event.add(field.root, value);
  }
  action.text("id", call.action);
  action.text("trace_id", call.trace);
  action.text("parent_id", options.parent);
  action.text("type", options.type);
  action.text("target", options.target);
  action.text("description", options.description);
  action.text("elapsed", took);
  if (!action.empty()) event.add("action", action.object());
  if (options.risk) event.add("risk", Value::floating(options.risk->value));
  if (!options.resource.is(Kind::null)) event.add("resource", options.resource);
  if (!options.metadata.is(Kind::null)) event.add("metadata", options.metadata);
  event.add("input", call.input);
  if (after) event.add("output", call.output);
  return to_json(event.object());
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
    return Error{"exception", "an exception that is no std::exception"};
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
  out.verdict = {answer->effect,  std::move(answer->reason),   std::move(answer->from),
                 answer->expires, std::move(answer->warnings), std::move(answer->redactions)};
  if (valid_utf8(out.rule) && is_text(out.verdict)) return out;
  return without_answer(options.fallback, {"bad_answer", "the answer is not valid UTF-8"});
}

}  // namespace detail

namespace {

Error bad_answer(std::string message) { return {"bad_answer", std::move(message)}; }

/// nullptr if it is not there, or of another kind.
const Value* field(const Value& object, std::string_view name, Kind kind) {
  const Value* value = object.is(Kind::map) ? map_find(*object.map, name) : nullptr;
  return value != nullptr && value->is(kind) ? value : nullptr;
}

std::string text_of(const Value& object, std::string_view name) {
  const Value* value = field(object, name, Kind::string);
  return value != nullptr ? std::string(value->as_text()) : "";
}

}  // namespace

Result<RemoteAnswer> parse_remote_answer(std::string_view json) {
  auto document = Document::parse(json);
  if (!document.ok()) return bad_answer(document.error().message);
  const Value& root = document->root();
  RemoteAnswer out;
  const std::string effect = text_of(root, "effect");
  bool known = false;
  for (const Effect each : {Effect::allow, Effect::require_approval, Effect::deny}) {
    if (effect != to_string(each)) continue;
    out.effect = each;
    known = true;
  }
  if (!known) return bad_answer("`effect` must be \"allow\", \"require_approval\" or \"deny\"");
  out.rule = text_of(root, "rule");
  out.reason = text_of(root, "reason");
  // Whatever is there must be understood: a redaction that is passed over lets through what it should hide.
  for (const char* name : {"from", "obligations"}) {
    const Value* list = root.is(Kind::map) ? map_find(*root.map, name) : nullptr;
    if (list != nullptr && !list->is(Kind::list)) return bad_answer(fmt::format("`{}` must be a list", name));
  }
  if (const Value* from = field(root, "from", Kind::list)) {
    for (const Value& group : from->as_list()) {
      if (!group.is(Kind::string)) return bad_answer("`from` must be a list of strings");
      out.from.emplace_back(group.as_text());
    }
  }
  if (const Value* obligations = field(root, "obligations", Kind::list)) {
    for (const Value& each : obligations->as_list()) {
      const std::string kind = text_of(each, "kind");
      const Value* with = each.is(Kind::map) ? map_find(*each.map, "with") : nullptr;
      if (kind == "warn") {
        out.warnings.push_back(text_of(each, "reason"));
      } else if (kind == "redact" && with != nullptr && field(each, "path", Kind::string) != nullptr) {
        out.redactions.push_back({text_of(each, "path"), Document::copy_of(*with)});
      } else {
        return bad_answer("an obligation is neither a `warn` nor a `redact` with `path` and `with`");
      }
    }
  }
  return out;
}

}  // namespace ordain
