#include "agents/hook/withhold.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace ordain::agents {
namespace {

// Words by which a client tells shapes apart. They say nothing about the content.
constexpr std::string_view kShapes[] = {
    "audio", "count",    "content", "create", "file_unchanged", "files_with_matches",
    "image", "notebook", "parts",   "pdf",    "resource",       "resource_link",
    "text",  "update"};
// Claude Code reads the whole output again from this file.
constexpr std::string_view kLeftOut[] = {"persistedOutputPath", "persistedOutputSize"};

template <size_t N>
bool contains(const std::string_view (&words)[N], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// {"type": "text", "text": NOTICE}, a part of the content of a message.
Value text_part(Arena& arena, std::string_view notice) {
  auto* entries = arena.array<MapEntry>(2);
  entries[0] = {Value::string("type"), Value::string("text")};
  entries[1] = {Value::string("text"), Value::string(notice)};
  return Value::map_of(make_map(arena, {entries, 2}));
}

Value list_of_one(Arena& arena, const Value& item) {
  auto* items = arena.array<Value>(1);
  items[0] = item;
  return Value::list({items, 1});
}

bool is_part(const Value& value) {
  const Value* type = value.is(Kind::map) ? map_find(*value.map, "type") : nullptr;
  return type != nullptr && type->is(Kind::string);
}

Value blank_list(Arena& arena, const Value& list, std::string_view notice) {
  const auto items = list.as_list();
  if (items.empty()) return list;
  if (std::any_of(items.begin(), items.end(), is_part)) return list_of_one(arena, text_part(arena, notice));
  return list_of_one(arena, blank_output(arena, items[0], notice));
}

Value blank_map(Arena& arena, const Value& map, std::string_view notice) {
  auto* entries = arena.array<MapEntry>(map.map->count);
  size_t count = 0;
  for (const MapEntry& entry : map.map->all()) {
    if (entry.key.is(Kind::string) && contains(kLeftOut, entry.key.as_text())) continue;
    entries[count++] = {entry.key, blank_output(arena, entry.value, notice)};
  }
  return Value::map_of(make_map(arena, {entries, count}));
}

bool same_kind(const Value& a, const Value& b) {
  const auto is_number = [](const Value& value) {
    return value.is(Kind::integer) || value.is(Kind::unsigned_integer) || value.is(Kind::floating);
  };
  return a.kind == b.kind || (is_number(a) && is_number(b));
}

}  // namespace

Value blank_output(Arena& arena, const Value& output, std::string_view notice) {
  switch (output.kind) {
    case Kind::string:
      return contains(kShapes, output.as_text()) ? output : Value::string(notice);
    case Kind::boolean:
      return Value::boolean(false);
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
      return Value::integer(0);
    case Kind::list:
      return blank_list(arena, output, notice);
    case Kind::map:
      return blank_map(arena, output, notice);
    default:
      return Value::null();
  }
}

Value blank_mcp_output(Arena& arena, const Value& output, std::string_view notice) {
  if (output.is(Kind::string)) return Value::string(notice);
  const Value content = list_of_one(arena, text_part(arena, notice));
  if (!output.is(Kind::map)) return content;
  auto* entries = arena.array<MapEntry>(1);
  entries[0] = {Value::string("content"), content};
  return Value::map_of(make_map(arena, {entries, 1}));
}

Value keep_kinds(Arena& arena, const Value& original, const Value& redacted) {
  if (!same_kind(original, redacted)) {
    return blank_output(arena, original, redacted.is(Kind::string) ? redacted.as_text() : "[redacted]");
  }
  if (original.is(Kind::list) && original.aux == redacted.aux) {
    auto* items = arena.array<Value>(original.aux);
    for (size_t n = 0; n < original.aux; ++n) {
      items[n] = keep_kinds(arena, original.as_list()[n], redacted.as_list()[n]);
    }
    return Value::list({items, original.aux});
  }
  if (!original.is(Kind::map) || !redacted.is(Kind::map)) return redacted;
  auto* entries = arena.array<MapEntry>(redacted.map->count);
  size_t count = 0;
  for (const MapEntry& entry : redacted.map->all()) {
    const bool text = entry.key.is(Kind::string);
    if (text && contains(kLeftOut, entry.key.as_text())) continue;
    const Value* before = text ? map_find(*original.map, entry.key.as_text()) : nullptr;
    entries[count++] = {entry.key, before == nullptr ? entry.value : keep_kinds(arena, *before, entry.value)};
  }
  return Value::map_of(make_map(arena, {entries, count}));
}

}  // namespace ordain::agents
