// Converts JSON text to values and back. One document is one value tree in an arena.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/export.h"
#include "ordain/result.h"
#include "ordain/value.h"

namespace ordain {

/// Parses one JSON text and copies its strings into `arena`. Integers become int, or uint above
/// int64's range; numbers with a fraction or an exponent become double. Refuses duplicate keys,
/// invalid UTF-8, nesting deeper than 64 levels, and anything after the value. With `duplicate`
/// given, a repeated key is not refused: the first value counts, and `*duplicate` names the first
/// repetition (`duplicate key "x"`). A caller uses this to learn what a call is before it denies it.
/// @returns error code "bad_json" with the offset or the key.
ORDAIN_API Result<Value> parse_json(Arena& arena, std::string_view text, std::string* duplicate = nullptr);

/// Writes canonical JSON: keys are sorted by bytes, there is no white space, numbers have the
/// fewest digits that preserve them (a double keeps a fraction or an exponent: 5.0), timestamps and
/// durations are strings, and bytes are base64. Absent becomes null; an optional becomes its value
/// or null.
ORDAIN_API std::string to_json(const Value& value);

/// Appends `text` as a quoted and escaped JSON string.
ORDAIN_API void append_json_string(std::string& out, std::string_view text);

/// A parsed document that owns its memory. Copies share it; any number of threads may read it.
class ORDAIN_API Document {
 public:
  using LendsViews = void;  ///< root() is a view: keep the document, not only its root

  Document();
  static Result<Document> parse(std::string_view json);
  static Document copy_of(const Value& value);
  const Value& root() const& { return root_; }
  const Value& root() const&& = delete;  // its texts and parts would be gone
  std::string json() const { return to_json(root_); }

 private:
  std::shared_ptr<Arena> arena_;
  Value root_ = Value::null();
};

}  // namespace ordain
