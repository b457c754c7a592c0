// Checks and takes events from JSON, and binds their facts.
#include "vm/wire/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "ordain/json.h"
#include "ordain/terminal_text.h"
#include "ordain/time_text.h"
#include "ordain/utf8.h"

namespace ordain::detail {
namespace {

/// The keys that say who acts.
struct ContextKey {
  std::string_view name;
  const Value* Event::* value;
};
constexpr std::array<ContextKey, 5> kContextKeys = {{{"agent", &Event::agent},
                                                     {"principal", &Event::principal},
                                                     {"tenant", &Event::tenant},
                                                     {"environment", &Event::environment},
                                                     {"session", &Event::session}}};
// The keys of an event that only its host may set, besides the capability and the stage.
constexpr std::array<std::string_view, 9> kHostKeys = {"agent",    "principal", "tenant", "environment", "session",
                                                       "resource", "action",    "risk",   "now"};
constexpr std::array<std::string_view, 9> kCallKeys = {"capability", "stage",    "input", "output", "resource",
                                                       "action",     "metadata", "risk",  "now"};

const Value* find(const Value& event, std::string_view key) { return map_find(*event.map, key); }

Error bad(std::string message) { return {"bad_event", std::move(message)}; }

// An event with such bytes can then still be identified, and denied.
std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return out;
}

template <size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_known(std::string_view key) {
  return contains(kCallKeys, key) || std::any_of(kContextKeys.begin(), kContextKeys.end(),
                                                 [&](const ContextKey& each) { return each.name == key; });
}

// Values that are written alike get equal keys. This is not the canonical form, which would require
// sorting.
void append_key(std::string& out, const Value& value) {
  out += static_cast<char>(value.kind);
  switch (value.kind) {
    case Kind::string:
    case Kind::bytes:
      out.append(reinterpret_cast<const char*>(&value.aux), sizeof(value.aux));
      out += value.as_text();
      return;
    case Kind::list:
      out.append(reinterpret_cast<const char*>(&value.aux), sizeof(value.aux));
      for (const Value& element : value.as_list()) append_key(out, element);
      return;
    case Kind::map:
      out.append(reinterpret_cast<const char*>(&value.map->count), sizeof(value.map->count));
      for (const MapEntry& entry : value.map->all()) {
        append_key(out, entry.key);
        append_key(out, entry.value);
      }
      return;
    default:  // all other kinds that JSON makes have only a payload
      out.append(reinterpret_cast<const char*>(&value.u), sizeof(value.u));
  }
}

// Whether this is a line of an exported audit log. Such a line resembles an event, but its facts
// are elsewhere.
bool is_recorded(const Value& event) {
  static constexpr std::array<std::string_view, 6> kKinds = {"denied",  "pending", "intent",
                                                             "outcome", "lost",    "decision"};
  const Value* kind = find(event, "kind");
  const bool record =
      kind != nullptr && kind->is(Kind::string) && contains(kKinds, kind->as_text()) && find(event, "time") != nullptr;
  const bool head = find(event, "log") != nullptr && find(event, "frontier") != nullptr;
  return record || head;
}

bool reads_root(const Program& program, std::string_view root) {
  return std::any_of(program.schema().slots.begin(), program.schema().slots.end(), [&](const Slot& slot) {
    return slot.path.starts_with(root) && (slot.path.size() == root.size() || slot.path[root.size()] == '.');
  });
}

}  // namespace

FactBinder::FactBinder(std::shared_ptr<const Program> program)
    : program_(std::move(program)),
      call_(program_),
      reads_action_(reads_root(*program_, "action")),
      reads_resource_(reads_root(*program_, "resource")),
      reads_metadata_(reads_root(*program_, "metadata")) {}

Context& FactBinder::make_context(std::string_view key) {
  if (contexts_.size() >= max_contexts_) contexts_.clear();
  std::unique_ptr<Context>& made = contexts_[std::string(key)];
  made = std::make_unique<Context>(program_);
  return *made;
}

void FactBinder::reject(std::string message) {
  if (nobody_ == nullptr) nobody_ = std::make_unique<const Context>(program_);
  context_ = nobody_.get();
  call_.begin(program_->resolve(""), Stage::before);
  call_.reject(std::move(message));
}

void FactBinder::bind_call(const EventFacts& event, std::vector<std::string>* unknown) {
  if (!event.flaw.empty()) return call_.reject(std::string(event.flaw));
  if (event.now) call_.set_now(event.now->seconds, event.now->nanos);
  // The host's facts that no rule reads are bound only to find undeclared attributes. The agent's
  // facts are always bound, because they must fit their declarations.
  const bool all = unknown != nullptr;
  if (event.resource != nullptr && (all || reads_resource_)) call_.bind_root("resource", *event.resource, unknown);
  if (event.action != nullptr && (all || reads_action_)) call_.bind_root("action", *event.action, unknown);
  if (event.metadata != nullptr) call_.bind_root("metadata", *event.metadata, unknown);
  if (event.risk) call_.set_risk(*event.risk);
  static constexpr MapRep kEmpty;
  call_.bind_input(event.input != nullptr ? *event.input : Value::map_of(&kEmpty));
  if (event.stage != Stage::after) return;
  if (event.output != nullptr) call_.bind_output(*event.output);
  constexpr int64_t kSecond = 1'000'000'000;
  if (event.elapsed_ns) {
    call_.set_elapsed(*event.elapsed_ns / kSecond, static_cast<int32_t>(*event.elapsed_ns % kSecond));
  }
}

EventParser::EventParser(Warn warn) : warn_(std::move(warn)), arena_(1 << 16) {}

void EventParser::warn_once(const std::string& name, const std::string& what) {
  if (warn_ && warned_.insert(name).second)
    warn_(fmt::format("warning: {} `{}` is ignored", what, terminal_text(name)));
}

Result<void> EventParser::check(const Value& event) {
  if (!event.is(Kind::map)) return bad("an event is a JSON object");
  if (is_recorded(event)) {
    return bad(
        "a line of an audit log, which is no event: `ordain audit import` makes the log of an export, and `ordain "
        "replay "
        "--audit` decides it again");
  }
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
    const bool named = risk->is(Kind::string) && find_risk(risk->as_text());
    if (!named && !risk->is(Kind::integer) && !risk->is(Kind::unsigned_integer) && !risk->is(Kind::floating)) {
      return bad("`risk` must be none, low, medium, high, critical or a number");
    }
  }
  for (const MapEntry& entry : event.map->all()) {
    const std::string_view key = entry.key.as_text();
    if (!is_known(key)) warn_once(std::string(key), "unknown key");
  }
  return {};
}

void EventParser::take(const Value& event) {
  out_.capability = find(event, "capability")->as_text();
  const Value* stage = find(event, "stage");
  if (stage != nullptr && stage->as_text() == "after") out_.stage = Stage::after;
  if (const Value* now = find(event, "now")) {
    TimeParts parsed;
    parse_timestamp(now->as_text(), &parsed);
    out_.now = parsed;
  }
  if (const Value* risk = find(event, "risk")) {
    const std::optional<Risk> named = risk->is(Kind::string) ? find_risk(risk->as_text()) : std::nullopt;
    out_.risk = named                      ? static_cast<double>(*named)
                : risk->is(Kind::floating) ? risk->d
                : risk->is(Kind::integer)  ? static_cast<double>(risk->i)
                                           : static_cast<double>(risk->u);
  }
  out_.resource = find(event, "resource");
  out_.action = find(event, "action");
  out_.metadata = find(event, "metadata");
  out_.input = find(event, "input");
  out_.output = find(event, "output");
  out_.flaw = flaw_;
  key_.clear();
  for (size_t i = 0; i < kContextKeys.size(); ++i) {
    const Value* value = find(event, kContextKeys[i].name);
    if (value == nullptr) continue;
    out_.*kContextKeys[i].value = value;
    key_ += static_cast<char>(i);
    append_key(key_, *value);
  }
}

void EventParser::fill(Context& context, std::vector<std::string>* unknown) const {
  for (const ContextKey& key : kContextKeys) {
    if (const Value* value = out_.*key.value) context.set_root(key.name, *value, unknown);
  }
}

// Parses a text of an event. What makes the event undecidable, but not unreadable, is its flaw.
Result<Value> EventParser::parse_text(std::string_view text) {
  std::string flaw;
  Result<Value> value = parse_json(arena_, text, &flaw);
  if (!value && !valid_utf8(text)) {
    value = parse_json(arena_, replace_invalid_utf8(text), &flaw);
    flaw = "invalid UTF-8";
  }
  if (value && flaw_.empty()) flaw_ = std::move(flaw);
  return value;
}

// Makes one event of its parts. Each key comes from one part alone.
Result<Value> EventParser::join(const EventParts& parts) {
  if (!valid_utf8(parts.capability)) return bad("`capability` must be valid UTF-8");
  const Result<Value> host = parse_text(parts.host);
  if (!host) return Error{host.error().code, "host facts: " + host.error().message};
  if (!host->is(Kind::map)) return bad("host facts are a JSON object");
  for (const MapEntry& entry : host->map->all()) {
    if (contains(kHostKeys, entry.key.as_text())) continue;
    return bad(fmt::format("host facts have no key `{}`", entry.key.as_text()));
  }
  const std::span<const MapEntry> said = host->map->all();
  auto* entries = arena_.array<MapEntry>(said.size() + 5);
  auto count = static_cast<size_t>(std::copy(said.begin(), said.end(), entries) - entries);
  entries[count++] = {Value::string("capability"), Value::string(arena_.copy(parts.capability))};
  entries[count++] = {Value::string("stage"), Value::string(to_string(parts.stage))};
  const std::pair<std::string_view, const std::optional<std::string_view>&> agent[] = {
      {"input", parts.input}, {"output", parts.output}, {"metadata", parts.metadata}};
  for (const auto& [name, text] : agent) {
    if (!text) continue;
    const Result<Value> value = parse_text(*text);
    if (value) entries[count++] = {Value::string(name), *value};
    if (!value && flaw_.empty()) flaw_ = fmt::format("{}: {}", name, value.error().message);
  }
  return Value::map_of(make_map(arena_, {entries, count}));
}

// Takes over an event that was parsed, if it is one.
Result<void> EventParser::accept(const Result<Value>& event) {
  Result<void> checked = event ? check(*event) : Result<void>(event.error());
  if (checked) {
    take(*event);
  } else {
    flaw_.clear();
  }
  return checked;
}

Result<void> EventParser::parse(std::string_view line) {
  out_ = EventFacts();
  arena_.reset();
  flaw_.clear();
  return accept(parse_text(line));
}

Result<void> EventParser::parse(const EventParts& parts) {
  out_ = EventFacts();
  arena_.reset();
  flaw_.clear();
  return accept(join(parts));
}

}  // namespace ordain::detail
