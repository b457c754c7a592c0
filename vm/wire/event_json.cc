// Writes an event as canonical JSON: a map of what it says.
#include <vector>

#include "ordain/event.h"
#include "ordain/json.h"

namespace ordain {
namespace {

void add(std::vector<MapEntry>& entries, std::string_view name, const Value* value) {
  if (value != nullptr && value->present()) entries.push_back({Value::string(name), *value});
}

Value map_in(Arena& arena, const std::vector<MapEntry>& entries) {
  // The map refers to its entries. No two keys are equal, so make_map succeeds.
  return Value::map_of(make_map(arena, arena.copy(std::span<const MapEntry>(entries))));
}

// Returns the event's action, with the time that it took.
Value timed_action(Arena& arena, const Event& event) {
  std::vector<MapEntry> entries;
  if (event.action != nullptr && event.action->is(Kind::string)) add(entries, "id", event.action);
  if (event.action != nullptr && event.action->is(Kind::map)) {
    for (const MapEntry& entry : event.action->map->all()) {
      const bool replaced = entry.key.is(Kind::string) && entry.key.as_text() == "elapsed";
      if (!replaced) entries.push_back(entry);
    }
  }
  const TimeParts elapsed = duration_of_nanos(*event.elapsed_ns);
  entries.push_back({Value::string("elapsed"), Value::duration(elapsed.seconds, elapsed.nanos)});
  return map_in(arena, entries);
}

}  // namespace

std::string to_json(const Event& event) {
  Arena arena;
  const Value capability = Value::string(event.capability), stage = Value::string(to_string(event.stage));
  const Value now = event.now ? Value::timestamp(event.now->seconds, event.now->nanos) : Value();
  const Value risk = event.risk ? Value::floating(*event.risk) : Value();
  const Value timed = event.elapsed_ns ? timed_action(arena, event) : Value();
  std::vector<MapEntry> entries;
  add(entries, "capability", &capability);
  add(entries, "stage", &stage);
  add(entries, "now", &now);
  add(entries, "agent", event.agent);
  add(entries, "principal", event.principal);
  add(entries, "tenant", event.tenant);
  add(entries, "environment", event.environment);
  add(entries, "session", event.session);
  add(entries, "resource", event.resource);
  add(entries, "action", timed.present() ? &timed : event.action);
  add(entries, "metadata", event.metadata);
  add(entries, "input", event.input);
  add(entries, "output", event.output);
  add(entries, "risk", &risk);
  return to_json(map_in(arena, entries));
}

}  // namespace ordain
