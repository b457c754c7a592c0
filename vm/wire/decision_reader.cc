// Reads decisions from JSON: the inverse of decision_json, for answers of a remote decision
// point.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <span>
#include <utility>

#include "ordain/decision_json.h"

namespace ordain {
namespace {

using enum DecisionCode;
constexpr std::array kEffects = {Effect::allow, Effect::require_approval, Effect::deny};
constexpr std::array kStages = {Stage::before, Stage::after};
constexpr std::array kCodes = {rule, default_effect, invalid_input, missing_context, evaluation_error, budget_exceeded};
constexpr std::array kObligations = {RuleKind::redact, RuleKind::warn};

// Takes the members of one JSON object. The first invalid member becomes the error, and nothing is
// read after it.
class Members {
 public:
  /// @param error set only if it is empty. `where` is put before the names in its message.
  Members(const Value& value, std::string* error, std::string where = "")
      : error_(error), where_(std::move(where)), map_(value.is(Kind::map) ? value.map : nullptr) {
    if (map_ == nullptr) fail(where_.empty() ? "a decision is a JSON object" : where_ + " must be an object");
  }

  /// Returns nullptr if the object does not have the member, or after an error.
  const Value* find(std::string_view name) const {
    return map_ != nullptr && error_->empty() ? map_find(*map_, name) : nullptr;
  }
  void require(std::string_view name) {
    if (map_ != nullptr && map_find(*map_, name) == nullptr) wrong(name, "is missing");
  }
  void text(std::string_view name, std::string* out) {
    const Value* value = find(name);
    if (value == nullptr) return;
    value->is(Kind::string) ? void(*out = value->as_text()) : wrong(name, "must be a string");
  }
  void text_or_null(std::string_view name, std::string* out) {
    const Value* value = find(name);
    if (value != nullptr && !value->is(Kind::null)) text(name, out);
  }
  void texts(std::string_view name, std::vector<std::string>* out) {
    each(name, "must be a list of strings", [&](const Value& value, size_t) {
      if (!value.is(Kind::string)) return wrong(name, "must be a list of strings");
      out->emplace_back(value.as_text());
    });
  }
  /// Reads a number of at least `least`, which must not be negative.
  template <typename Number>
  void number(std::string_view name, int64_t least, Number* out) {
    const Value* value = find(name);
    if (value == nullptr) return;
    constexpr uint64_t kMost = std::min<uint64_t>(std::numeric_limits<Number>::max(), INT64_MAX);
    if (!value->is(Kind::integer) || value->i < least || static_cast<uint64_t>(value->i) > kMost) {
      return wrong(name, fmt::format("must be an integer from {} to {}", least, kMost));
    }
    *out = static_cast<Number>(value->i);
  }
  void boolean(std::string_view name, bool* out) {
    const Value* value = find(name);
    if (value == nullptr) return;
    value->is(Kind::boolean) ? void(*out = value->as_bool()) : wrong(name, "must be true or false");
  }
  /// Reads the name of one of `choices`.
  template <typename Choice>
  void choice(std::string_view name, std::span<const Choice> choices, Choice* out) {
    const Value* value = find(name);
    if (value == nullptr) return;
    std::string names;
    for (const Choice each : choices) {
      if (value->is(Kind::string) && value->as_text() == to_string(each)) return void(*out = each);
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", to_string(each));
    }
    wrong(name, "must be one of " + names);
  }
  template <typename Take>
  void each(std::string_view name, const char* what, const Take& take) {
    const Value* value = find(name);
    if (value == nullptr) return;
    if (!value->is(Kind::list)) return wrong(name, what);
    size_t place = 0;
    for (const Value& element : value->as_list()) {
      if (error_->empty()) take(element, place++);
    }
  }

  void wrong(std::string_view name, std::string_view what) {
    fail(fmt::format("`{}{}{}` {}", where_, where_.empty() ? "" : ".", name, what));
  }

 private:
  void fail(std::string message) {
    if (error_->empty()) *error_ = std::move(message);
  }

  std::string* error_;
  std::string where_;
  const MapRep* map_;
};

ParsedDecision::Obligation take_obligation(const Value& value, size_t place, std::string* error) {
  ParsedDecision::Obligation out;
  Members members(value, error, fmt::format("obligations[{}]", place));
  members.require("kind");
  members.choice<RuleKind>("kind", kObligations, &out.kind);
  members.text_or_null("rule", &out.rule);
  if (out.kind == RuleKind::warn) {
    members.text("reason", &out.reason);
    return out;
  }
  members.require("path");
  members.text("path", &out.path);
  members.require("with");
  if (const Value* with = members.find("with")) out.with = Document::copy_of(*with);
  return out;
}

AskingRule take_need(const Value& value, size_t place, std::string* error) {
  AskingRule out;
  Members members(value, error, fmt::format("approvals[{}]", place));
  members.text_or_null("rule", &out.rule);
  members.require("from");
  members.texts("from", &out.from);
  members.require("need");
  members.number("need", 1, &out.need);
  members.boolean("distinct", &out.distinct);
  if (const Value* expires = members.find("expires_seconds"); expires != nullptr && !expires->is(Kind::null)) {
    members.number("expires_seconds", 1, &out.expires_seconds);
  }
  std::sort(out.from.begin(), out.from.end());
  out.from.erase(std::unique(out.from.begin(), out.from.end()), out.from.end());
  if (out.need > std::max<size_t>(1, out.from.size())) members.wrong("need", "is more than the groups in `from`");
  return out;
}

ParsedDecision::Fault take_fault(const Value& value, std::string* error) {
  ParsedDecision::Fault out;
  Members members(value, error, "fault");
  members.text_or_null("rule", &out.rule);
  members.text("code", &out.code);
  members.text("message", &out.message);
  members.text("file", &out.file);
  members.number("line", 0, &out.line);
  members.number("column", 0, &out.column);
  return out;
}

/// Two lists of groups that differ leave open who must approve.
void agree_on_groups(Members& members, ParsedDecision& out) {
  std::set<std::string> needed;
  for (const AskingRule& rule : out.approvals) needed.insert(rule.from.begin(), rule.from.end());
  const bool named = members.find("from") != nullptr;
  if (named && needed != std::set<std::string>(out.from.begin(), out.from.end())) {
    return members.wrong("approvals", "names other groups than `from`");
  }
  out.from.assign(needed.begin(), needed.end());
}

std::string take_decision(const Value& root, ParsedDecision& out) {
  std::string error;
  Members members(root, &error);
  members.require("effect");
  members.choice<Effect>("effect", kEffects, &out.effect);
  members.number("event", 0, &out.event);
  members.choice<Stage>("stage", kStages, &out.stage);
  members.text("capability", &out.capability);
  members.choice<DecisionCode>("code", kCodes, &out.code);
  members.text_or_null("rule", &out.rule);
  members.text_or_null("policy", &out.policy);
  members.text_or_null("policy_version", &out.policy_version);
  members.text("reason", &out.reason);
  members.texts("matched", &out.matched);
  members.each("obligations", "must be a list", [&](const Value& value, size_t place) {
    out.obligations.push_back(take_obligation(value, place, &error));
  });
  members.texts("from", &out.from);
  if (const Value* expires = members.find("expires_seconds"); expires != nullptr && !expires->is(Kind::null)) {
    members.number("expires_seconds", 1, &out.expires_seconds.emplace());
  }
  members.each("approvals", "must be a list",
               [&](const Value& value, size_t place) { out.approvals.push_back(take_need(value, place, &error)); });
  if (error.empty() && !out.approvals.empty()) agree_on_groups(members, out);
  if (const Value* fault = members.find("fault"); fault != nullptr && !fault->is(Kind::null)) {
    out.fault = take_fault(*fault, &error);
  }
  return error;
}

/// Returns the error that error_json wrote, or nothing if `root` is not such an error.
std::optional<Error> refusal(const Value& root) {
  const Value* error = root.is(Kind::map) ? map_find(*root.map, "error") : nullptr;
  if (error == nullptr || !error->is(Kind::map)) return std::nullopt;
  std::string wrong, code, message;
  Members members(*error, &wrong, "error");
  members.text("code", &code);
  members.text("message", &message);
  if (!wrong.empty()) return std::nullopt;
  return Error{"refused", fmt::format("the event was refused: {}: {}", code, message)};
}

}  // namespace

Result<ParsedDecision> parse_decision(std::string_view json) {
  Arena arena;
  const Result<Value> root = parse_json(arena, json);
  if (!root) return root.error();
  if (std::optional<Error> refused = refusal(*root)) return *refused;
  ParsedDecision out;
  if (std::string error = take_decision(*root, out); !error.empty()) return Error{"bad_decision", std::move(error)};
  return out;
}

}  // namespace ordain
