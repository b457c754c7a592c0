// JsonLine builds one JSON object, key by key, in the order of the calls.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/decide.h"
#include "ordain/json.h"
#include "runtime/identity/text.h"

namespace ordain::detail {

class JsonLine {
 public:
  /// Adds a value that is already JSON.
  JsonLine& raw(std::string_view key, std::string_view json) {
    out_ += out_.size() > 1 ? "," : "";
    append_json_string(out_, key);
    out_ += ':';
    out_ += json;
    return *this;
  }
  JsonLine& text(std::string_view key, std::string_view value) {
    std::string quoted;
    append_json_text(quoted, value);
    return raw(key, quoted);
  }
  /// Adds JSON that was read from a file. If the bytes are damaged and not one JSON value, they are
  /// added as a string.
  JsonLine& stored_json(std::string_view key, std::string_view json) {
    Arena arena;
    auto value = parse_json(arena, json);
    return value.ok() ? raw(key, to_json(*value)) : text(key, json);
  }
  /// Adds the text unless it is empty.
  JsonLine& optional_text(std::string_view key, std::string_view value) {
    return value.empty() ? *this : text(key, value);
  }
  JsonLine& texts(std::string_view key, const std::vector<std::string>& values) { return raw(key, list(values)); }
  std::string done() { return std::move(out_) + "}"; }

  static std::string list(const std::vector<std::string>& values) {
    std::string out = "[";
    for (const auto& value : values) {
      if (out.size() > 1) out += ',';
      append_json_text(out, value);
    }
    return out + "]";
  }

 private:
  std::string out_ = "{";
};

/// Writes what rules ask for, with the same keys as a decision.
inline std::string asking_json(const std::vector<AskingRule>& rules) {
  std::string out = "[";
  for (const AskingRule& rule : rules) {
    JsonLine line;
    line.text("rule", rule.rule).texts("from", rule.from).raw("need", std::to_string(rule.need));
    if (!rule.distinct) line.raw("distinct", "false");
    line.raw("expires_seconds", rule.expires_seconds == 0 ? "null" : std::to_string(rule.expires_seconds));
    if (out.size() > 1) out += ',';
    out += line.done();
  }
  return out + "]";
}

}  // namespace ordain::detail
