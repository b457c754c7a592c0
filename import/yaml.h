// yaml parses YAML text into a tree that records positions. It supports only the part of YAML that
// policy files need, and refuses constructs that make a text mean something other than it shows
// (aliases, tags, several documents, repeated keys).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/diagnostic.h"

namespace ordain::importer {

inline constexpr size_t kMaxYamlBytes = size_t{1} << 20;
inline constexpr size_t kMaxYamlKeys = 1000;  // in one map
inline constexpr int kMaxYamlDepth = 32;

struct Yaml {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  bool quoted = false;      ///< a scalar in quotes or a block: always text
  std::string text;         ///< of a scalar
  std::vector<Yaml> keys;   ///< of a map: scalars, without repetition
  std::vector<Yaml> items;  ///< of a list; of a map, the values, beside `keys`
  Span span;

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  /// @returns whether YAML reads the scalar as text: it is quoted, or it is not null, a bool or a
  /// number
  bool is_text() const;
  /// @returns the value of a plain scalar that is a finite decimal number
  std::optional<double> number() const;
};

/// @returns "a map", "a list", "a number" ... for messages
std::string_view kind_name(const Yaml& node);

/// Reads `diagnostics.sources[file]`, which must be one document. @returns nothing after reporting
/// the mistake.
std::optional<Yaml> read_yaml(Diagnostics& diagnostics, uint32_t file);

}  // namespace ordain::importer
