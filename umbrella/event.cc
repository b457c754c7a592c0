#include "umbrella/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ordain/json.h"
#include "ordain/time_text.h"
#include "ordain/utf8.h"

namespace ordain::detail {
namespace {

constexpr std::array<std::string_view, 5> kContextKeys = {"agent", "principal", "tenant", "environment", "session"};
constexpr std::array<std::string_view, 9> kCallKeys = {"capability", "stage",    "input", "output", "resource",
                                                       "action",     "metadata", "risk",  "now"};
constexpr std::array<std::string_view, 5> kRiskNames = {"none", "low", "medium", "high", "critical"};

// Agents without end must not fill the memory: past this many, all are made anew.
constexpr size_t kMaxContexts = 4096;

const Value* find(const Value& event, std::string_view key) { return map_find(*event.map, key); }

EventError bad(std::string message) { return {"bad_event", std::move(message)}; }

// So that an event which carries such bytes is still known, and denied.
std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return out;
}

uint64_t mix(uint64_t seed, uint64_t more) {
  uint64_t x = (seed ^ more) * 0x9E3779B97F4A7C15;
  return x ^ (x >> 29);
}

// Of JSON values, told apart as they were written: 1 is not 1.0 here, and the order of fields counts.
uint64_t exact_hash(const Value& value) {
  uint64_t out = mix(static_cast<uint64_t>(value.kind), value.aux);
  switch (value.kind) {
    case Kind::string:
      return mix(out, hash_string(value.as_text()));
    case Kind::list:
      for (const Value& item : value.as_list()) out = mix(out, exact_hash(item));
      return out;
    case Kind::map:
      for (const MapEntry& entry : value.map->all())
        out = mix(mix(out, exact_hash(entry.key)), exact_hash(entry.value));
      return out;
    default:
      return mix(out, value.u);
  }
}

bool exactly_equal(const Value& a, const Value& b) {
  if (a.kind != b.kind || a.aux != b.aux) return false;
  switch (a.kind) {
    case Kind::string:
      return a.as_text() == b.as_text();
    case Kind::list:
      return std::equal(a.as_list().begin(), a.as_list().end(), b.as_list().begin(), exactly_equal);
    case Kind::map:
      return a.map->count == b.map->count && std::equal(a.map->all().begin(), a.map->all().end(), b.map->all().begin(),
                                                        [](const MapEntry& x, const MapEntry& y) {
                                                          return exactly_equal(x.key, y.key) &&
                                                                 exactly_equal(x.value, y.value);
                                                        });
    default:
      return a.u == b.u;
  }
}

template <size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

EventReader::EventReader(std::shared_ptr<const Program> program, Now now, Warn warn)
    : program_(std::move(program)), now_(now), warn_(std::move(warn)), arena_(1 << 16), call_(program_) {}

void EventReader::warn_once(const std::string& name, const std::string& what) {
  if (warn_ && warned_.insert(name).second) warn_(fmt::format("warning: {} `{}` is ignored", what, name));
}

std::optional<EventError> EventReader::check(const Value& event) {
  if (!event.is(Kind::map)) return bad("an event is a JSON object");
  const Value* capability = find(event, "capability");
  if (capability == nullptr || !capability->is(Kind::string) || capability->aux == 0) {
    return bad("`capability` must be a non-empty string");
  }
  if (const Value* stage = find(event, "stage")) {
    if (!stage->is(Kind::string) || (stage->as_text() != "before" && stage->as_text() != "after")) {
      return bad("`stage` must be \"before\" or \"after\"");
    }
  }
  if (const Value* now = find(event, "now")) {
    TimeParts parsed;
    if (!now->is(Kind::string) || !parse_timestamp(now->as_text(), &parsed)) {
      return bad("`now` must be an RFC 3339 timestamp, such as \"2024-05-01T12:00:00Z\"");
    }
  }
  if (const Value* risk = find(event, "risk")) {
    const bool named = risk->is(Kind::string) && contains(kRiskNames, risk->as_text());
    if (!named && !risk->is(Kind::integer) && !risk->is(Kind::unsigned_integer) && !risk->is(Kind::floating)) {
      return bad("`risk` must be none, low, medium, high, critical or a number");
    }
  }
  for (const MapEntry& entry : event.map->all()) {
    const std::string_view key = entry.key.as_text();
    if (!contains(kContextKeys, key) && !contains(kCallKeys, key)) {
      warn_once(std::string(key), "unknown key");
    }
  }
  return std::nullopt;
}

// Contexts are made once per distinct set of host facts.
void EventReader::bind_context(const Value& event) {
  std::array<Value, kContextKeys.size()> facts{};
  uint64_t key = 0;
  for (size_t i = 0; i < kContextKeys.size(); ++i) {
    if (const Value* value = find(event, kContextKeys[i])) facts[i] = *value;
    key = mix(key, exact_hash(facts[i]));
  }
  const auto [first, last] = contexts_.equal_range(key);
  for (auto at = first; at != last; ++at) {
    if (!std::equal(facts.begin(), facts.end(), at->second.facts.begin(), exactly_equal)) continue;
    context_ = at->second.context.get();
    return;
  }
  if (contexts_.size() >= kMaxContexts) {
    contexts_.clear();
    callers_.reset();
  }
  Caller caller;
  caller.context = std::make_unique<Context>(program_);
  for (size_t i = 0; i < kContextKeys.size(); ++i) {
    if (!facts[i].present()) continue;
    caller.facts[i] = copy_value(callers_, facts[i]);
    std::vector<std::string> unknown;
    caller.context->set_root(kContextKeys[i], facts[i], &unknown);
    for (const std::string& name : unknown) warn_once(name, "undeclared attribute");
  }
  context_ = contexts_.emplace(key, std::move(caller))->second.context.get();
}

void EventReader::bind_call(const Value& event) {
  if (const Value* now = find(event, "now")) {
    TimeParts parsed;
    parse_timestamp(now->as_text(), &parsed);
    event_now_ = {parsed.seconds, parsed.nanos};
  } else {
    event_now_ = now_;
  }
  call_.set_now(event_now_.seconds, event_now_.nanos);
  std::vector<std::string> unknown;
  for (std::string_view root : {"resource", "action", "metadata"}) {
    if (const Value* value = find(event, root)) call_.bind_root(root, *value, &unknown);
  }
  for (const std::string& name : unknown) warn_once(name, "undeclared attribute");
  if (const Value* risk = find(event, "risk")) {
    if (risk->is(Kind::string)) {
      call_.set_risk(
          static_cast<double>(std::find(kRiskNames.begin(), kRiskNames.end(), risk->as_text()) - kRiskNames.begin()));
    } else {
      call_.set_risk(risk->is(Kind::floating)  ? risk->d
                     : risk->is(Kind::integer) ? static_cast<double>(risk->i)
                                               : static_cast<double>(risk->u));
    }
  }
  const Value* input = find(event, "input");
  call_.bind_input(input != nullptr ? *input : Value::map_of(make_map(arena_, {})));
  const Value* output = find(event, "output");
  if (output != nullptr && call_.stage() == Stage::after) call_.bind_output(*output);
}

std::optional<EventError> EventReader::read(std::string_view line) {
  event_ = Value();
  arena_.reset();
  capability_.clear();
  std::string flaw;
  Result<Value> event = parse_json(arena_, line, &flaw);
  std::string repaired;
  if (!event && !valid_utf8(line)) {
    repaired = replace_invalid_utf8(line);
    event = parse_json(arena_, repaired, &flaw);
    flaw = "invalid UTF-8";
  }
  if (!event) return EventError{event.error().code, event.error().message};
  if (auto wrong = check(*event)) return wrong;
  event_ = *event;
  capability_ = find(*event, "capability")->as_text();
  const Value* stage = find(*event, "stage");
  call_.begin(program_->resolve(capability_),
              stage != nullptr && stage->as_text() == "after" ? Stage::after : Stage::before);
  bind_context(*event);
  flaw_ = flaw;
  if (!flaw.empty()) call_.reject(flaw);
  bind_call(*event);
  return std::nullopt;
}

}  // namespace ordain::detail
