// redact replaces parts of a value tree, as `redact` rules demand. It never changes the original.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/value.h"

namespace ordain::detail {

/// @returns whether `path` can be redacted in `root`: it can be read, and leads only through lists, maps,
/// null, and what is absent. A value of another shape, such as a string where the path names a field,
/// may hide what the rule meant, so nothing may be released then. Ask this of the original value: an
/// earlier redaction may have put a string in place of a record.
bool fits_redaction(const Value& root, std::string_view root_name, std::string_view path);

/// Copies `root`, with `with` in place of every value that `path` leads to; everything else is
/// shared with `root`. `path` is written as in a rule, starting with the root's name:
/// `input.card.number`, `output.rows[*].iban`, `output`. `[*]` is every element of a list, or every
/// value of a map. Absent values are not replaced, nor is anything where the path does not fit (see fits_redaction).
/// `arena` has no limit; the result lives as long
/// as arena, root and `with`.
/// @returns false if `path` cannot be read, or begins with a name other than `root_name`; then
/// nothing may be released
bool redact(Arena& arena, const Value& root, std::string_view root_name, std::string_view path, const Value& with,
            Value* out);

/// A value that a path leads to, with its own path: `output.rows[2].iban`.
struct FoundValue {
  std::string path;
  Value value;
};

/// Appends every value of `root` that `redact` would replace for `path`.
void find_values(const Value& root, std::string_view root_name, std::string_view path, std::vector<FoundValue>* out);

}  // namespace ordain::detail
