#include "agents/hook/hook_call.h"

#include <utility>

#include "ordain/json.h"
#include "ordain/terminal_text.h"

namespace ordain::agents {
namespace {

using enum Client;

struct EventName {
  Client client;
  std::string_view name;
  Moment moment;
};

// Claude Code's WorktreeCreate is missing on purpose: a hook for it must create a worktree.
constexpr EventName kEvents[] = {
    {claude, "PreToolUse", Moment::before},
    {claude, "PermissionRequest", Moment::permission},
    {claude, "PostToolUse", Moment::after},
    {claude, "PostToolUseFailure", Moment::failed},
    {claude, "PermissionDenied", Moment::other},
    {claude, "UserPromptSubmit", Moment::other},
    {claude, "SessionStart", Moment::other},
    {claude, "SessionEnd", Moment::other},
    {claude, "SubagentStart", Moment::other},
    {claude, "SubagentStop", Moment::other},
    {claude, "Stop", Moment::other},
    {claude, "StopFailure", Moment::other},
    {claude, "PreCompact", Moment::other},
    {claude, "PostCompact", Moment::other},
    {claude, "Notification", Moment::other},
    {claude, "Setup", Moment::other},
    {claude, "InstructionsLoaded", Moment::other},
    {codex, "PreToolUse", Moment::before},
    {codex, "PermissionRequest", Moment::permission},
    {codex, "PostToolUse", Moment::after},
    {codex, "UserPromptSubmit", Moment::other},
    {codex, "SessionStart", Moment::other},
    {codex, "SessionEnd", Moment::other},
    {codex, "SubagentStart", Moment::other},
    {codex, "SubagentStop", Moment::other},
    {codex, "Stop", Moment::other},
    {codex, "Interrupt", Moment::other},
    {codex, "PreCompact", Moment::other},
    {codex, "PostCompact", Moment::other},
    {gemini, "BeforeTool", Moment::before},
    {gemini, "AfterTool", Moment::after},
    {gemini, "BeforeAgent", Moment::other},
    {gemini, "AfterAgent", Moment::other},
    {gemini, "BeforeModel", Moment::other},
    {gemini, "AfterModel", Moment::other},
    {gemini, "BeforeToolSelection", Moment::other},
    {gemini, "SessionStart", Moment::other},
    {gemini, "SessionEnd", Moment::other},
    {gemini, "Notification", Moment::other},
    {gemini, "PreCompress", Moment::other},
};

constexpr size_t kLongestClaim = 256;
constexpr size_t kLongestKey = 48 * 1024;

Moment moment_of(Client client, std::string_view event) {
  for (const EventName& each : kEvents) {
    if (each.client == client && each.name == event) return each.moment;
  }
  return Moment::unknown;
}

const Value* member(const Value& root, std::string_view name) { return map_find(*root.map, name); }

/// The text of a member; "" if there is no such text.
std::string_view text_member(const Value& root, std::string_view name) {
  const Value* value = member(root, name);
  return value != nullptr && value->is(Kind::string) ? value->as_text() : std::string_view();
}

/// A claim of the client, or "" where it is missing or implausibly long.
std::string claim(const Value& root, std::string_view name) {
  const std::string_view text = text_member(root, name);
  return text.size() <= kLongestClaim ? std::string(text) : std::string();
}

McpOrigin origin_of(Client client, const Value& root) {
  if (client == claude) return {.server = text_member(root, "mcp_server")};
  const Value* context = client == gemini ? member(root, "mcp_context") : nullptr;
  if (context == nullptr || !context->is(Kind::map)) return {};
  return {.server = text_member(*context, "server_name"), .tool = text_member(*context, "tool_name")};
}

std::string_view our_name(std::string_view theirs, std::span<const FieldName> fields) {
  for (const FieldName& each : fields) {
    if (!each.theirs.empty() && each.theirs == theirs) return each.ours;
  }
  return theirs;
}

/// Takes the input, with the names of the capability's declaration. @returns what is wrong with it
std::string take_input(Arena& arena, const Value& root, const Tool& tool, HookCall& call) {
  static constexpr MapRep kEmpty;
  const Value* input = member(root, "tool_input");
  if (input == nullptr) return "`tool_input` is missing";
  if (input->is(Kind::null)) {
    call.input = Value::map_of(&kEmpty);
    return "";
  }
  if (!input->is(Kind::map)) return "`tool_input` is not an object";
  const auto theirs = input->map->all();
  auto* entries = arena.array<MapEntry>(theirs.size());
  size_t count = 0;
  for (const MapEntry& entry : theirs) {
    call.their_fields.push_back(entry.key.as_text());
    entries[count++] = {Value::string(our_name(entry.key.as_text(), tool.fields)), entry.value};
  }
  uint32_t duplicate = UINT32_MAX;
  const MapRep* map = make_map(arena, {entries, count}, &duplicate);
  if (map == nullptr) {
    return "two fields of `tool_input` are the same one: " + terminal_text(call.their_fields.at(duplicate));
  }
  call.input = Value::map_of(map);
  return "";
}

/// Takes what the tool gave back. @returns what is wrong with it
std::string take_output(const Value& root, HookCall& call) {
  const Value* output = member(root, "tool_response");
  if (output == nullptr && call.moment == Moment::failed) output = member(root, "error");
  if (output == nullptr && call.moment == Moment::failed) output = member(root, "error_message");
  if (output == nullptr) return call.moment == Moment::failed ? "" : "`tool_response` is missing";
  call.output = *output;
  if (call.client != gemini || !output->is(Kind::map)) return "";
  const Value* error = member(*output, "error");
  if (error != nullptr && !error->is(Kind::null)) call.moment = Moment::failed;
  return "";
}

std::string take_tool(Arena& arena, const Value& root, HookCall& call) {
  const std::string_view name = text_member(root, "tool_name");
  if (name.empty()) return "`tool_name` is missing";
  call.from_mcp = name.starts_with("mcp_");
  const Result<Tool> tool = find_tool(call.client, name, origin_of(call.client, root));
  if (!tool) return tool.error().message;
  call.capability = tool->capability;
  return take_input(arena, root, *tool, call);
}

}  // namespace

Result<HookCall> read_hook_call(Arena& arena, Client client, std::string_view text) {
  std::string flaw;
  const Result<Value> root = parse_json(arena, text, &flaw);
  if (!root) return root.error();
  if (!root->is(Kind::map)) return Error{"bad_hook", "a hook's input is a JSON object"};
  HookCall call;
  call.client = client;
  call.event_name = claim(*root, "hook_event_name");
  if (call.event_name.empty()) return Error{"bad_hook", "`hook_event_name` is missing"};
  call.moment = moment_of(client, call.event_name);
  if (call.moment == Moment::other || call.moment == Moment::unknown) return call;
  call.session = claim(*root, "session_id");
  call.call_id = claim(*root, "tool_use_id");
  // All is taken even if the text has a flaw, because a denial needs the output to put another in its place.
  const std::string wrong_tool = take_tool(arena, *root, call);
  const std::string wrong_output = call.is_after() ? take_output(*root, call) : std::string();
  for (const std::string& each : {flaw, wrong_tool, wrong_output}) {
    if (call.flaw.empty()) call.flaw = each;
  }
  return call;
}

std::string event_json(const HookCall& call, Stage stage) {
  Arena arena;
  const auto named = [&](std::string_view id) {
    MapEntry* entry = arena.array<MapEntry>(1);
    *entry = {Value::string("id"), Value::string(id)};
    return Value::map_of(make_map(arena, {entry, 1}));
  };
  const Value agent = named(to_string(call.client)), session = named(call.session);
  Event event;
  event.capability = call.capability;
  event.stage = stage;
  event.agent = &agent;
  if (!call.session.empty()) event.session = &session;
  event.input = &call.input;
  if (stage == Stage::after) event.output = &call.output;
  return to_json(event);
}

Value with_their_names(Arena& arena, const HookCall& call, const Value& input) {
  const auto ours = input.map->all();
  auto* entries = arena.array<MapEntry>(ours.size());
  for (size_t n = 0; n < ours.size(); ++n) entries[n] = {Value::string(call.their_fields.at(n)), ours[n].value};
  return Value::map_of(make_map(arena, {entries, ours.size()}));
}

std::string call_key(const HookCall& call) {
  std::string key;
  for (const std::string_view part : {to_string(call.client), std::string_view(call.session),
                                      std::string_view(call.capability), std::string_view(call.call_id)}) {
    append_json_string(key, part);
  }
  if (call.call_id.empty()) key += to_json(call.input);
  return key.size() <= kLongestKey ? key : std::string();
}

}  // namespace ordain::agents
