// redact: replaces parts of a value tree, as `redact` rules oblige. The original is never changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/value.h"

namespace ordain::detail {

/// A copy of `root` in which what `path` leads to is `with`; everything else is shared with `root`. `path` is as a rule
/// writes it, from the root's name: `input.card.number`, `output.rows[*].iban`, `output`. `[*]` is every element of a
/// list, or every value of a map. What is not there is not replaced. `arena` has no limit; the result lives as long as
/// arena, root and `with`.
/// @returns false if `path` cannot be read, or begins with another name than `root_name`; then nothing may be released.
bool redact(Arena& arena, const Value& root, std::string_view root_name, std::string_view path, const Value& with,
            Value* out);

/// A value that a path leads to, with the path to it alone: `output.rows[2].iban`.
struct FoundValue {
  std::string path;
  Value value;
};

/// Appends every value of `root` that `path` leads to, what `redact` would replace.
void find_values(const Value& root, std::string_view root_name, std::string_view path, std::vector<FoundValue>* out);

}  // namespace ordain::detail
