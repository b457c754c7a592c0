// FieldFilter lets a reader of JSON say which fields of objects it needs, so that the others are
// checked but not built.
#pragma once

#include <cstddef>
#include <string_view>

#include "ordain/json.h"

namespace ordain {

/// `record` is the filter's own handle for a kind of object. Below a nullptr everything is kept.
class FieldFilter {
 public:
  virtual ~FieldFilter() = default;
  /// Whether an object of `size` fields can have fields that are not needed.
  virtual bool may_leave_out(const void* record, size_t size) const = 0;
  /// Whether the field is needed. @param hint the place of the last field found, for the filter's
  /// use; 0 at first.
  virtual bool needs(const void* record, std::string_view name, size_t* hint) const = 0;
  /// The handle for the object in that field.
  virtual const void* below(const void* record, std::string_view name) const = 0;
};

/// Parses as parse_json does, but leaves out the fields that `filter` does not need. They are
/// checked all the same.
Result<Value> parse_json_filtered(Arena& arena, std::string_view text, const FieldFilter& filter, const void* record);

}  // namespace ordain
