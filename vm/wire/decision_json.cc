// Writes decisions as JSON.
#include "ordain/decision_json.h"

#include <fmt/format.h>

namespace ordain {
namespace {

// Appends members to one JSON object, in the order given.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  void raw(std::string_view key, std::string_view json) {
    begin(key);
    out_ += json;
  }
  void text(std::string_view key, std::string_view value) {
    begin(key);
    append_json_string(out_, value);
  }
  void text_or_null(std::string_view key, std::string_view value) {
    value.empty() ? raw(key, "null") : text(key, value);
  }
  void number(std::string_view key, uint64_t value) { raw(key, fmt::format("{}", value)); }
  void close() { out_ += '}'; }

 private:
  void begin(std::string_view key) {
    if (!first_) out_ += ", ";
    first_ = false;
    append_json_string(out_, key);
    out_ += ": ";
  }
  std::string& out_;
  bool first_ = true;
};

// A decision of another program may name a rule that this one does not have.
bool has_rule(const Program& program, RuleId rule) { return rule < program.rules().size(); }

std::string rule_json(const Program& program, RuleId rule) {
  std::string out;
  if (!has_rule(program, rule)) return "null";
  append_json_string(out, program.rules()[rule].name);
  return out;
}

template <typename Items, typename Append>
std::string array(const Items& items, Append append) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ", ";
    append(out, item);
  }
  return out + "]";
}

void append_obligation(const Program& program, std::string& out, const Obligation& obligation) {
  Object object(out);
  object.text("kind", to_string(obligation.kind));
  if (obligation.kind == RuleKind::redact) {
    object.text("path", obligation.path);
    object.raw("with", to_json(obligation.with));
  } else {
    object.text("reason", obligation.reason);
  }
  object.raw("rule", rule_json(program, obligation.rule));
  object.close();
}

void append_need(const Program& program, std::string& out, const ApprovalNeed& need) {
  Object object(out);
  object.raw("rule", rule_json(program, need.rule));
  object.raw("from", array(need.from, [](std::string& to, std::string_view group) { append_json_string(to, group); }));
  object.number("need", need.need);
  if (!need.distinct) object.raw("distinct", "false");
  object.raw("expires_seconds", need.expires_seconds == 0 ? "null" : fmt::format("{}", need.expires_seconds));
  object.close();
}

std::string fault_json(const Program& program, const Decision& decision) {
  if (!decision.fault) return "null";
  std::string out;
  Object object(out);
  object.raw("rule", rule_json(program, decision.fault_rule));
  object.text("code", fault_name(decision.fault.code));
  object.text("message", fault_message(decision.fault));
  if (decision.fault.location < program.locations().size()) {
    const Location& at = program.locations()[decision.fault.location];
    object.text("file", program.files()[at.file]);
    object.number("line", at.line);
    object.number("column", at.column);
  }
  object.close();
  return out;
}

}  // namespace

std::string decision_json(const Call& call, const Decision& decision, uint64_t event) {
  const Program& program = call.program();
  std::string out;
  Object object(out);
  object.number("event", event);
  object.text("stage", to_string(call.stage()));
  object.text("capability", call.capability().name);
  object.text("effect", to_string(decision.effect));
  object.text("code", to_string(decision.code));
  object.raw("rule", rule_json(program, decision.rule));
  object.text_or_null("policy", !has_rule(program, decision.rule) ? "" : program.rules()[decision.rule].policy);
  object.text_or_null("policy_version", program.policy_version(decision.rule));
  object.text("reason", decision.reason);
  object.raw("matched", array(decision.matched, [&](std::string& to, RuleId rule) { to += rule_json(program, rule); }));
  object.raw("obligations", array(decision.obligations, [&](std::string& to, const Obligation& obligation) {
               append_obligation(program, to, obligation);
             }));
  if (decision.effect == Effect::require_approval) {
    object.raw("from",
               array(decision.from, [](std::string& to, std::string_view group) { append_json_string(to, group); }));
    object.raw("expires_seconds", decision.expires_seconds == 0 ? "null" : fmt::format("{}", decision.expires_seconds));
    object.raw("approvals", array(decision.approvals,
                                  [&](std::string& to, const ApprovalNeed& need) { append_need(program, to, need); }));
  }
  object.raw("fault", fault_json(program, decision));
  object.close();
  return out;
}

std::string error_json(const Error& error, uint64_t event) {
  std::string out;
  Object object(out);
  object.number("event", event);
  std::string inner_text;
  Object inner(inner_text);
  inner.text("code", error.code);
  inner.text("message", error.message);
  inner.close();
  object.raw("error", inner_text);
  object.close();
  return out;
}

}  // namespace ordain
