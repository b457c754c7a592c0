// FieldFilter: lets a reader of JSON say which fields of objects it needs, so that the rest is checked but not built.
#pragma once

#include <cstddef>
#include <string_view>

#include "ordain/json.h"

namespace ordain {

/// `record` is the filter's own word for a kind of object. Where it is nullptr, everything below is kept.
class FieldFilter {
 public:
  virtual ~FieldFilter() = default;
  /// Whether an object of `size` fields can have one that is not needed.
  virtual bool may_leave_out(const void* record, size_t size) const = 0;
  /// Whether the field is needed. @param hint the place of the last one found, for the filter's use; 0 at first
  virtual bool needs(const void* record, std::string_view name, size_t* hint) const = 0;
  /// What the object in that field is.
  virtual const void* below(const void* record, std::string_view name) const = 0;
};

/// parse_json that leaves out the fields which `filter` does not need. They are checked as parse_json checks them.
Result<Value> parse_json_filtered(Arena& arena, std::string_view text, const FieldFilter& filter, const void* record);

}  // namespace ordain
