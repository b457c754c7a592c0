// redact walks a path and rebuilds only the records and lists along it.
#include "vm/json/redact.h"

#include <algorithm>

#include "ordain/json.h"

namespace ordain::detail {
namespace {

/// Removes the next step from the path. An empty name stands for `[*]`.
bool next_step(std::string_view& path, std::string_view* name) {
  if (path.starts_with("[*]")) {
    path.remove_prefix(3);
    *name = {};
    return true;
  }
  if (!path.starts_with('.')) return false;
  path.remove_prefix(1);
  *name = path.substr(0, path.find_first_of(".["));
  path.remove_prefix(name->size());
  return !name->empty() && name->find_first_of("]*") == std::string_view::npos;
}

bool readable(std::string_view path) {
  std::string_view name;
  while (!path.empty()) {
    if (!next_step(path, &name)) return false;
  }
  return true;
}

Value replace(Arena& arena, const Value& value, std::string_view path, const Value& with);

Value replace_items(Arena& arena, const Value& list, std::string_view path, const Value& with) {
  Value* items = arena.array<Value>(list.aux);
  size_t at = 0;
  for (const Value& item : list.as_list()) items[at++] = replace(arena, item, path, with);
  return Value::list({items, at});
}

/// Replaces in the entry named `name`, or in all entries if `name` is empty.
Value replace_entries(Arena& arena, const Value& map, std::string_view name, std::string_view path, const Value& with) {
  if (!name.empty() && map_find(*map.map, name) == nullptr) return map;
  MapEntry* entries = arena.array<MapEntry>(map.map->count);
  size_t at = 0;
  for (const MapEntry& entry : map.map->all()) {
    bool meant = name.empty() || (entry.key.is(Kind::string) && entry.key.as_text() == name);
    entries[at++] = {entry.key, meant ? replace(arena, entry.value, path, with) : entry.value};
  }
  return Value::map_of(make_map(arena, {entries, at}));
}

Value replace(Arena& arena, const Value& value, std::string_view path, const Value& with) {
  if (path.empty()) return with;
  std::string_view name;
  next_step(path, &name);
  if (value.is(Kind::map)) return replace_entries(arena, value, name, path, with);
  if (value.is(Kind::list) && name.empty()) return replace_items(arena, value, path, with);
  return value;
}

/// @returns whether the path leads only through lists, maps, null and what is absent
bool fits(const Value& value, std::string_view path) {
  if (path.empty() || value.is(Kind::null)) return true;
  std::string_view name;
  next_step(path, &name);
  if (value.is(Kind::list)) {
    const auto items = value.as_list();
    return name.empty() && std::all_of(items.begin(), items.end(), [&](const Value& item) { return fits(item, path); });
  }
  if (!value.is(Kind::map)) return false;
  const auto entries = value.map->all();
  return std::all_of(entries.begin(), entries.end(), [&](const MapEntry& entry) {
    bool meant = name.empty() || (entry.key.is(Kind::string) && entry.key.as_text() == name);
    return !meant || fits(entry.value, path);
  });
}

void find(const Value& value, std::string_view path, const std::string& here, std::vector<FoundValue>* out) {
  if (path.empty()) {
    out->push_back({here, value});
    return;
  }
  std::string_view name;
  next_step(path, &name);
  if (value.is(Kind::list) && name.empty()) {
    size_t at = 0;
    for (const Value& item : value.as_list()) find(item, path, here + "[" + std::to_string(at++) + "]", out);
  } else if (value.is(Kind::map)) {
    for (const MapEntry& entry : value.map->all()) {
      bool text = entry.key.is(Kind::string);
      if (!name.empty() && !(text && entry.key.as_text() == name)) continue;
      find(entry.value, path, here + "." + (text ? std::string(entry.key.as_text()) : to_json(entry.key)), out);
    }
  }
}

}  // namespace

bool fits_redaction(const Value& root, std::string_view root_name, std::string_view path) {
  if (!path.starts_with(root_name)) return false;
  path.remove_prefix(root_name.size());
  return readable(path) && fits(root, path);
}

bool redact(Arena& arena, const Value& root, std::string_view root_name, std::string_view path, const Value& with,
            Value* out) {
  if (!path.starts_with(root_name)) return false;
  path.remove_prefix(root_name.size());
  if (!readable(path)) return false;
  *out = replace(arena, root, path, with);
  return true;
}

void find_values(const Value& root, std::string_view root_name, std::string_view path, std::vector<FoundValue>* out) {
  if (!path.starts_with(root_name)) return;
  path.remove_prefix(root_name.size());
  if (readable(path)) find(root, path, std::string(root_name), out);
}

}  // namespace ordain::detail
