// message reads JSON-RPC messages. The checks of names follow from how known servers read: Go's decoder ignores case,
// and others take the first or the last of several members.
#include "agents/mcp/message.h"

#include <cmath>

#include "agents/mcp/json_text.h"
#include "ordain/json.h"

namespace ordain::mcp {
namespace {

/// Lower case as a reader that ignores case sees it: of the letters outside ASCII, only the long s and the Kelvin sign
/// fold to ASCII letters.
std::string fold_case(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("\xC5\xBF")) {
      out += 's';
      at += 1;
    } else if (text.substr(at).starts_with("\xE2\x84\xAA")) {
      out += 'k';
      at += 2;
    } else {
      out += text[at] >= 'A' && text[at] <= 'Z' ? static_cast<char>(text[at] - 'A' + 'a') : text[at];
    }
  }
  return out;
}

/// @returns "" for what is not an id
std::string key_of_id(const Value& id) {
  constexpr double kExact = 9007199254740992.0;  // integers up to here are doubles
  if (id.is(Kind::string)) return "s" + std::string(id.as_text());
  if (id.is(Kind::floating) && std::trunc(id.d) == id.d && std::fabs(id.d) <= kExact) {
    return "n" + to_json(Value::integer(static_cast<int64_t>(id.d)));
  }
  if (id.is(Kind::integer) || id.is(Kind::unsigned_integer) || id.is(Kind::floating)) return "n" + to_json(id);
  return "";
}

Error bad_message(std::string why) { return {"bad_message", std::move(why)}; }

}  // namespace

const Value* member(const Value& value, std::string_view name) {
  return value.is(Kind::map) ? map_find(*value.map, name) : nullptr;
}

std::string_view text_member(const Value& value, std::string_view name) {
  const Value* found = member(value, name);
  return found != nullptr && found->is(Kind::string) ? found->as_text() : std::string_view();
}

std::string find_confusable(const Value& map, std::initializer_list<std::string_view> names) {
  if (!map.is(Kind::map)) return "";
  for (const MapEntry& entry : map.map->all()) {
    const std::string_view key = entry.key.as_text();
    if (key.size() > 64) continue;
    const std::string folded = fold_case(key);
    for (const std::string_view name : names) {
      if (key != name && folded == fold_case(name)) return std::string(key);
    }
  }
  return "";
}

bool is_broken_by_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line.find('\r') != std::string_view::npos;
}

Result<Message> read_message(std::string_view text, const Value& value) {
  Message out;
  out.text = text;
  out.value = value;
  if (!value.is(Kind::map)) return bad_message("a message must be an object");
  if (const std::string odd = find_confusable(value, {"jsonrpc", "id", "method", "params", "result", "error"});
      !odd.empty()) {
    return bad_message("the member `" + odd + "` could be taken for another one");
  }
  const Value* id = member(value, "id");
  if (id != nullptr && !id->is(Kind::null)) {
    out.key = key_of_id(*id);
    if (out.key.empty()) return bad_message("`id` must be a string or a number");
    if (const auto piece = find_member(text, whole(text), "id")) out.id = piece->of(text);
  }
  const Value* method = member(value, "method");
  const bool answers = member(value, "result") != nullptr || member(value, "error") != nullptr;
  if (method == nullptr) {
    out.kind = answers ? MessageKind::response : MessageKind::other;
    return out;
  }
  if (!method->is(Kind::string)) return bad_message("`method` must be a string");
  if (answers) return bad_message("a message cannot both call a method and have a result");
  if (id != nullptr && id->is(Kind::null)) return bad_message("the `id` of a request must not be null");
  out.method = method->as_text();
  out.kind = id == nullptr ? MessageKind::notification : MessageKind::request;
  return out;
}

}  // namespace ordain::mcp
