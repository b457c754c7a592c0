// json.h reads the parts of a message and writes messages.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/value.h"

namespace ordain::lsp {

/// @returns what lies at the end of the path of members; nullptr if something on the way is absent, null, or not an
/// object
const Value* find_value(const Value& from, std::initializer_list<std::string_view> path);
/// The text there, or "".
std::string_view find_text(const Value& from, std::initializer_list<std::string_view> path);
std::optional<int64_t> find_integer(const Value& from, std::initializer_list<std::string_view> path);
/// Whether `true` is there.
bool find_flag(const Value& from, std::initializer_list<std::string_view> path);

/// Writes an object, member by member. Texts that are not UTF-8 are written with escapes of their bytes.
class JsonObject {
 public:
  JsonObject& add_text(std::string_view key, std::string_view text);
  JsonObject& add_number(std::string_view key, int64_t number);
  JsonObject& add_flag(std::string_view key, bool flag);
  JsonObject& add_json(std::string_view key, std::string_view json);
  std::string json() const { return out_ + "}"; }

 private:
  void begin(std::string_view key);
  std::string out_ = "{";
};

std::string json_array(const std::vector<std::string>& elements);
std::string json_string(std::string_view text);

}  // namespace ordain::lsp
