// A message is one JSON-RPC message as the proxy reads it: what kind it is, and whom an answer is for. Reading is
// strict where another reader could see something else in the same bytes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/result.h"
#include "ordain/value.h"

namespace ordain::mcp {

enum class MessageKind : uint8_t {
  request,       ///< a method and an id
  notification,  ///< a method without an id
  response,      ///< a result or an error
  other,         ///< an object that is none of these
};

struct Message {
  MessageKind kind = MessageKind::other;
  std::string_view text;  ///< the bytes of the message
  Value value;            ///< a map
  std::string method;
  std::string id;   ///< as it stands in the text; "" if there is none, or if it is null
  std::string key;  ///< the id, alike for all ways to write it; numbers and strings differ
};

/// Reads the object `value` that `text` was parsed to. @returns error "bad_message" for an object in which readers
/// could see different messages: a member whose name differs from a known one only in case, a method that is not a
/// string, an id that is neither a string nor a number, or a result beside a method
Result<Message> read_message(std::string_view text, const Value& value);

/// The name of a member in `map` that differs from one of `names` only in case; "" if there is none. Some readers take
/// such a member for the other.
std::string find_confusable(const Value& map, std::initializer_list<std::string_view> names);

/// The member of a map; nullptr if `value` is not a map or has no such member.
const Value* member(const Value& value, std::string_view name);
/// The text of a member; "" if it is not a string.
std::string_view text_member(const Value& value, std::string_view name);

/// Whether a carriage return stands within the line, where some readers see the end of a message.
bool is_broken_by_return(std::string_view line);

}  // namespace ordain::mcp
