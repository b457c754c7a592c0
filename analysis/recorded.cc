// Reads audit records back into events, so that they can be decided again.
#include "analysis/recorded.h"

#include <algorithm>
#include <array>

#include "analysis/story_world.h"
#include "ordain/time_text.h"
#include "runtime/audit/value_bytes.h"
#include "vm/value/encodings.h"

namespace ordain::detail {
namespace {

// `ordain eval` records what it decided for others: the ids are among the attributes, and there is no trace. A runtime
// records what a host asked it to authorize.
bool is_of_runtime(const RecordView& record) { return record.kind != RecordKind::decision || !record.trace.empty(); }

}  // namespace

// An absent value gives no value; a value that cannot be read is an error.
bool RecordedCall::take(std::string_view bytes, Value* value, const Value** out) {
  *out = nullptr;
  if (bytes.empty()) return true;
  if (!take_value(bytes, arena_, value) || !bytes.empty()) return false;
  *out = value;
  return true;
}

std::string RecordedCall::read(std::string_view body, std::string_view intent) {
  arena_.reset();
  unknown_.clear();
  event_ = EventFacts();
  if (!view_record(body, &record_)) return "the body is not a record";
  const bool outcome = record_.kind == RecordKind::outcome;
  const bool ended = with_ends_ && outcome && !intent.empty();
  if (record_.kind == RecordKind::lost || (!record_.decided && !ended)) return "";  // nothing was decided
  if (outcome && intent.empty()) return "the intent record of the call is not there";
  if (outcome && !view_record(intent, &intent_)) return "the intent record of the call cannot be read";
  const RecordView& from = facts();
  if (!take(from.input, &input_, &event_.input) || !take(record_.output, &output_, &event_.output) ||
      !take(from.resource, &resource_, &event_.resource) || !take(from.metadata, &metadata_, &event_.metadata) ||
      !take(from.attributes, &action_, &event_.action)) {
    return "a value cannot be read";
  }
  event_.capability = from.capability;
  event_.stage = record_.decided ? record_.stage : Stage::after;
  event_.now = timestamp_of_nanos(record_.time_ns);
  event_.flaw = from.rejected;
  event_.risk = from.risk;
  if (outcome) event_.elapsed_ns = record_.elapsed_ns;
  if (with_action_ && event_.action == nullptr && is_of_runtime(from)) take_action(from);
  unknown_ = from.redacted;
  if (outcome) unknown_.insert(unknown_.end(), record_.redacted.begin(), record_.redacted.end());
  // A value that could not be recorded even in parts is unknown as a whole.
  if (event_.input == nullptr && is_unknown_within("input")) unknown_.push_back("input");
  if (event_.output == nullptr && is_unknown_within("output")) unknown_.push_back("output");
  key_.clear();
  for (const std::string_view text :
       {from.agent, from.principal, from.tenant, from.environment, from.session, from.context}) {
    append_sized(key_, text);
  }
  return "";
}

bool RecordedCall::is_unknown_within(std::string_view root) const {
  return std::any_of(unknown_.begin(), unknown_.end(), [&](std::string_view path) { return path.starts_with(root); });
}

// Adds what the runtime itself sets in `action`.
void RecordedCall::take_action(const RecordView& from) {
  action_hex_ = hex_of(from.action);
  struct Text {
    std::string_view name, text;
  };
  const std::array<Text, 6> texts = {{{"id", action_hex_},
                                      {"trace_id", from.trace},
                                      {"parent_id", from.parent},
                                      {"type", from.type},
                                      {"target", from.target},
                                      {"description", from.description}}};
  auto* entries = arena_.array<MapEntry>(texts.size());
  size_t count = 0;
  for (const Text& text : texts) {
    if (!text.text.empty()) entries[count++] = {Value::string(text.name), Value::string(text.text)};
  }
  action_ = Value::map_of(make_map(arena_, {entries, count}));
  event_.action = &action_;
}

void RecordedCall::fill(Context& context) const {
  const RecordView& from = facts();
  Arena arena;
  Value attributes;
  std::string_view bytes = from.context;
  if (!bytes.empty() && take_value(bytes, arena, &attributes) && attributes.is(Kind::map)) {
    for (const MapEntry& entry : attributes.map->all()) context.set_root(entry.key.as_text(), entry.value);
  }
  if (!is_of_runtime(from)) return;
  const std::array<std::pair<std::string_view, std::string_view>, 5> ids = {{{"agent.id", from.agent},
                                                                             {"principal.id", from.principal},
                                                                             {"tenant.id", from.tenant},
                                                                             {"environment.id", from.environment},
                                                                             {"session.id", from.session}}};
  for (const auto& [path, id] : ids) {
    if (!id.empty()) context.set(path, Value::string(id));
  }
}

std::string RecordedCall::session() const {
  const RecordView& from = facts();
  if (is_of_runtime(from)) return std::string(from.session);
  Arena arena;
  Value attributes;
  std::string_view bytes = from.context;
  if (bytes.empty() || !take_value(bytes, arena, &attributes) || !attributes.is(Kind::map)) return "";
  return std::string(story_id(map_find(*attributes.map, "session")));
}

}  // namespace ordain::detail
