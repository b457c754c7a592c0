#include "agents/hook/answers.h"

#include <utility>

#include "agents/hook/withhold.h"
#include "ordain/json.h"
#include "vm/json/redact.h"

namespace ordain::agents {
namespace {

constexpr size_t kLongestReason = 4000;

/// At most so many bytes of a text, ending with a whole character.
std::string shortened(std::string text) {
  if (text.size() <= kLongestReason) return text;
  size_t end = kLongestReason;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text + "...";
}

/// Writes one JSON object, member by member.
class Object {
 public:
  Object& text(std::string_view key, std::string_view value) {
    begin(key);
    append_json_string(out_, value);
    return *this;
  }
  Object& json(std::string_view key, std::string_view value) {
    begin(key);
    out_ += value;
    return *this;
  }
  std::string close() { return std::move(out_) + "}"; }

 private:
  void begin(std::string_view key) {
    out_ += out_.size() > 1 ? "," : "";
    append_json_string(out_, key);
    out_ += ':';
  }
  std::string out_ = "{";
};

Answer make_answer(Object object) { return {.out = object.close() + "\n"}; }

/// The object that Claude Code and Codex read for one event.
Object begin_specific(const HookCall& call) { return Object().text("hookEventName", call.event_name); }

Answer deny_before(const HookCall& call, const std::string& reason) {
  if (call.client == Client::gemini) return make_answer(Object().text("decision", "deny").text("reason", reason));
  Object inner = begin_specific(call);
  if (call.moment == Moment::permission) {
    inner.json("decision", Object().text("behavior", "deny").text("message", reason).close());
  } else {
    inner.text("permissionDecision", "deny").text("permissionDecisionReason", reason);
  }
  return make_answer(Object().json("hookSpecificOutput", inner.close()));
}

/// Claude Code's member that puts another output in place of the tool's. Versions before it have one
/// for MCP servers only.
std::string claude_output(const HookCall& call, const Value& output) {
  const std::string json = to_json(output);
  Object inner = begin_specific(call);
  inner.json("updatedToolOutput", json);
  if (call.from_mcp) inner.json("updatedMCPToolOutput", json);
  return inner.close();
}

Answer withhold(Arena& arena, const HookCall& call, const std::string& reason) {
  if (call.client == Client::gemini) return make_answer(Object().text("decision", "deny").text("reason", reason));
  Object object;
  object.text("decision", "block").text("reason", reason);
  if (call.client == Client::claude && call.moment == Moment::after) {
    const Value blank =
        call.from_mcp ? blank_mcp_output(arena, call.output, reason) : blank_output(arena, call.output, reason);
    object.json("hookSpecificOutput", claude_output(call, blank));
  }
  return make_answer(std::move(object));
}

Answer deny_call(Arena& arena, const HookCall& call, const std::string& why) {
  const std::string reason = shortened(why);
  return call.is_after() ? withhold(arena, call, reason) : deny_before(call, reason);
}

/// Applies all redactions to a value. @returns false if one does not fit it
bool apply(Arena& arena, const Verdict& verdict, std::string_view root, Value* value) {
  const Value original = *value;
  for (const ParsedDecision::Obligation& each : verdict.redactions) {
    if (!detail::fits_redaction(original, root, each.path)) return false;
    if (!detail::redact(arena, *value, root, each.path, each.with.root(), value)) return false;
  }
  return true;
}

Answer change_input(Arena& arena, const HookCall& call, const Verdict& verdict) {
  Value input = call.input;
  const bool applied = apply(arena, verdict, "input", &input);
  if (!applied || !input.is(Kind::map) || input.map->count != call.their_fields.size()) {
    return deny_call(arena, call, "the policy redacts a part of the input that this tool's input does not have");
  }
  if (call.moment == Moment::permission) return {};  // the hook of the call itself changes the input
  const std::string json = to_json(with_their_names(arena, call, input));
  if (call.client == Client::gemini) {
    return make_answer(Object().json("hookSpecificOutput", begin_specific(call).json("tool_input", json).close()));
  }
  Object inner = begin_specific(call);
  // Without "allow", Codex refuses the new input, and runs the old one.
  inner.text("permissionDecision", "allow")
      .text("permissionDecisionReason", "the policy allows this call with parts of its input redacted")
      .json("updatedInput", json);
  return make_answer(Object().json("hookSpecificOutput", inner.close()));
}

/// What the model reads of an output of Gemini CLI's.
std::string gemini_text(const Value& output) {
  const Value* content = output.is(Kind::map) ? map_find(*output.map, "llmContent") : &output;
  if (content == nullptr) content = &output;
  return content->is(Kind::string) ? std::string(content->as_text()) : to_json(*content);
}

Answer change_output(Arena& arena, const HookCall& call, const Verdict& verdict) {
  Value output = call.output;
  if (!apply(arena, verdict, "output", &output)) {
    return deny_call(arena, call, "the policy redacts a part of the output that this tool's output does not have");
  }
  if (call.client == Client::gemini) {
    // The reason of a denial takes the place of the output. An empty one would not.
    const std::string text = gemini_text(output);
    return make_answer(Object().text("decision", "deny").text("reason", text.empty() ? "[redacted]" : text));
  }
  if (call.client == Client::claude && call.moment == Moment::after) {
    return make_answer(
        Object().json("hookSpecificOutput", claude_output(call, keep_kinds(arena, call.output, output))));
  }
  return deny_call(arena, call,
                   "the policy redacts parts of this output, and the client cannot replace it, so all of it is "
                   "withheld");
}

}  // namespace

Verdict make_denial(std::string reason) { return {.denied = true, .reason = std::move(reason)}; }

Verdict verdict_of(const ParsedDecision& decision, std::string_view waiting) {
  Verdict out;
  if (decision.effect == Effect::allow) {
    for (const ParsedDecision::Obligation& each : decision.obligations) {
      if (each.kind == RuleKind::redact) out.redactions.push_back(each);
    }
    return out;
  }
  out.denied = true;
  const bool asks = decision.effect == Effect::require_approval;
  out.reason = asks ? "Ordain: this call needs the approval of a person" : "Ordain denied this";
  if (!decision.rule.empty()) out.reason += ", by the rule " + decision.rule;
  if (!decision.reason.empty()) out.reason += ": " + decision.reason;
  if (asks && !waiting.empty()) {
    out.reason += ". It waits as " + std::string(waiting) +
                  ". When a person has approved it (ordain approvals approve " + std::string(waiting) +
                  " --db DIR), make the same call again.";
  }
  return out;
}

Answer write_answer(Arena& arena, const HookCall& call, const Verdict& verdict) {
  if (call.moment == Moment::unknown) return refuse(verdict.reason);
  if (verdict.denied) return deny_call(arena, call, verdict.reason);
  if (verdict.redactions.empty()) return {};
  return call.is_after() ? change_output(arena, call, verdict) : change_input(arena, call, verdict);
}

Answer refuse(std::string_view reason) {
  return {.error = "ordain-hook: " + shortened(std::string(reason)) + "\n", .exit_code = 2};
}

}  // namespace ordain::agents
