#include "cli/hook_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "ordain/json.h"

namespace ordain::cli {
namespace {

using agents::Client;

/// How a client's settings name what runs for each call. Its patience must exceed that of the hook.
struct Dialect {
  std::vector<std::string_view> events;
  std::string_view matcher;  ///< of all tools; "" if it is left out
  int64_t timeout;           ///< in the client's unit
};

Dialect dialect_of(Client client) {
  switch (client) {
    case Client::claude:
      return {{"PreToolUse", "PostToolUse", "PostToolUseFailure"}, "*", 30};
    case Client::codex:
      return {{"PreToolUse", "PostToolUse"}, "", 30};
    case Client::gemini:
      break;
  }
  return {{"BeforeTool", "AfterTool"}, ".*", 30'000};
}

Error bad(std::string message) { return {"bad_settings", std::move(message)}; }

/// Quotes a word for a shell.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Value make_object(Arena& arena, const std::vector<MapEntry>& entries) {
  return Value::map_of(make_map(arena, arena.copy(std::span<const MapEntry>(entries))));
}

Value make_list(Arena& arena, const std::vector<Value>& items) {
  return Value::list(arena.copy(std::span<const Value>(items)));
}

/// The object with a member of that value, in its old place if it has one.
Value with_member(Arena& arena, const Value& object, std::string_view name, const Value& value) {
  std::vector<MapEntry> entries(object.map->all().begin(), object.map->all().end());
  const auto at =
      std::find_if(entries.begin(), entries.end(), [&](const MapEntry& each) { return each.key.as_text() == name; });
  if (at != entries.end()) {
    at->value = value;
  } else {
    entries.push_back({Value::string(name), value});
  }
  return make_object(arena, entries);
}

const Value* list_member(const Value& object, std::string_view name) {
  const Value* value = object.is(Kind::map) ? map_find(*object.map, name) : nullptr;
  return value != nullptr && value->is(Kind::list) ? value : nullptr;
}

/// Whether this is a hook that `ordain hook install` wrote.
bool is_ours(const Value& hook) {
  const Value* command = hook.is(Kind::map) ? map_find(*hook.map, "command") : nullptr;
  return command != nullptr && command->is(Kind::string) &&
         command->as_text().find("ordain-hook") != std::string_view::npos;
}

/// The new group of one event: the hook, for all tools.
Value make_group(Arena& arena, Client client, std::string_view command) {
  const Dialect dialect = dialect_of(client);
  std::vector<MapEntry> hook;
  if (client == Client::gemini) hook.push_back({Value::string("name"), Value::string("ordain")});
  hook.push_back({Value::string("type"), Value::string("command")});
  hook.push_back({Value::string("command"), Value::string(command)});
  hook.push_back({Value::string("timeout"), Value::integer(dialect.timeout)});
  if (client == Client::claude) hook.push_back({Value::string("onFailure"), Value::string("block")});
  std::vector<MapEntry> group;
  if (!dialect.matcher.empty()) group.push_back({Value::string("matcher"), Value::string(dialect.matcher)});
  group.push_back({Value::string("hooks"), make_list(arena, {make_object(arena, hook)})});
  return make_object(arena, group);
}

/// The groups of one event without our hooks. A group that had nothing else goes.
std::vector<Value> without_ours(Arena& arena, const Value& groups, size_t* removed) {
  std::vector<Value> out;
  for (const Value& group : groups.as_list()) {
    const Value* hooks = list_member(group, "hooks");
    if (hooks == nullptr) {
      out.push_back(group);
      continue;
    }
    std::vector<Value> others;
    for (const Value& hook : hooks->as_list()) {
      if (!is_ours(hook)) others.push_back(hook);
    }
    const size_t gone = hooks->aux - others.size();
    *removed += gone;
    if (gone == 0) {
      out.push_back(group);
    } else if (!others.empty()) {
      out.push_back(with_member(arena, group, "hooks", make_list(arena, others)));
    }
  }
  return out;
}

/// The groups of one event with our group once. If it is there already, nothing moves.
Value with_group(Arena& arena, const Value& groups, const Value& group) {
  size_t removed = 0;
  std::vector<Value> out = without_ours(arena, groups, &removed);
  const auto all = groups.as_list();
  const auto same = std::count_if(all.begin(), all.end(), [&](const Value& each) { return equal(each, group); });
  if (removed == 1 && same == 1) return groups;
  out.push_back(group);
  return make_list(arena, out);
}

void append_pretty(std::string& out, const Value& value, size_t depth) {
  const std::string inner(2 * (depth + 1), ' ');
  const char* separator = "\n";
  if (value.is(Kind::map) && value.map->count > 0) {
    out += '{';
    for (const MapEntry& entry : value.map->all()) {
      out += separator + inner;
      append_json_string(out, entry.key.as_text());
      out += ": ";
      append_pretty(out, entry.value, depth + 1);
      separator = ",\n";
    }
    out += "\n" + std::string(2 * depth, ' ') + "}";
  } else if (value.is(Kind::list) && value.aux > 0) {
    out += '[';
    for (const Value& item : value.as_list()) {
      out += separator + inner;
      append_pretty(out, item, depth + 1);
      separator = ",\n";
    }
    out += "\n" + std::string(2 * depth, ' ') + "]";
  } else {
    out += to_json(value);
  }
}

}  // namespace

std::string hook_command(const std::string& program, Client client, const std::string& socket,
                         const std::optional<uint32_t>& owner) {
  // What follows a program that is gone is left to no client's shell: fish would end the line there.
  std::string out = fmt::format(
      "/bin/sh -c '\"$0\" \"$@\" || {{ echo \"ordain-hook gave no answer, so the call is denied\" >&2; exit 2; }}' {} "
      "{} "
      "--socket {}",
      shell_quoted(program), to_string(client), shell_quoted(socket));
  if (owner) out += fmt::format(" --owner {}", *owner);
  return out;
}

Result<std::string> add_hooks(std::string_view settings, Client client, const std::string& command) {
  Arena arena;
  const bool blank = settings.find_first_not_of(" \t\r\n") == std::string_view::npos;
  const Result<Value> parsed = parse_json(arena, blank ? "{}" : settings);
  if (!parsed) {
    return bad("not plain JSON (" + parsed.error().message +
               "). Comments and trailing commas would be lost, so please remove them first, or add the hook by hand: "
               "--dry-run with an empty HOME shows it");
  }
  if (!parsed->is(Kind::map)) return bad("not a JSON object");
  const Value* present = map_find(*parsed->map, "hooks");
  if (present != nullptr && !present->is(Kind::map)) return bad("`hooks` is not an object");
  Value hooks = present != nullptr ? *present : make_object(arena, {});
  const Value group = make_group(arena, client, command);
  for (const std::string_view event : dialect_of(client).events) {
    const Value* groups = map_find(*hooks.map, event);
    if (groups != nullptr && !groups->is(Kind::list)) return bad(fmt::format("`hooks.{}` is not a list", event));
    hooks =
        with_member(arena, hooks, event, with_group(arena, groups != nullptr ? *groups : make_list(arena, {}), group));
  }
  const Value changed = with_member(arena, *parsed, "hooks", hooks);
  if (!blank && equal(*parsed, changed)) return std::string(settings);
  std::string out;
  append_pretty(out, changed, 0);
  return out + "\n";
}

bool hooks_are_off(std::string_view settings) {
  Arena arena;
  const Result<Value> parsed = parse_json(arena, settings);
  const Value* off = parsed && parsed->is(Kind::map) ? map_find(*parsed->map, "disableAllHooks") : nullptr;
  return off != nullptr && off->is(Kind::boolean) && off->as_bool();
}

}  // namespace ordain::cli
