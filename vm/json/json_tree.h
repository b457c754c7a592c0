// JsonTree is JSON under construction, in which fields are set by their paths.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "ordain/json.h"

namespace ordain::detail {

/// An object with these fields, or finished text.
struct JsonTree {
  std::map<std::string, JsonTree, std::less<>> fields;
  std::string text;  ///< "" for an object
};

inline void append_json_tree(std::string& out, const JsonTree& tree) {
  if (!tree.text.empty()) {
    out += tree.text;
    return;
  }
  const char* separator = "{";
  for (const auto& [name, field] : tree.fields) {
    out += std::exchange(separator, ", ");
    append_json_string(out, name);
    out += ": ";
    append_json_tree(out, field);
  }
  out += tree.fields.empty() ? "{}" : "}";
}

}  // namespace ordain::detail
