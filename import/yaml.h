// YAML text to a tree that knows its places. Only the part of YAML that policy files need: what makes a text mean
// something else than it shows (aliases, tags, several documents, repeated keys) is refused.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/diagnostic.h"

namespace ordain::importer {

inline constexpr size_t kMaxYamlBytes = size_t{1} << 20;
inline constexpr size_t kMaxYamlKeys = 1000;  // of one map
inline constexpr int kMaxYamlDepth = 32;

struct Yaml {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  bool quoted = false;      ///< a scalar in quotes or a block: always a text
  std::string text;         ///< of a scalar
  std::vector<Yaml> keys;   ///< of a map: scalars, none twice
  std::vector<Yaml> items;  ///< of a list; of a map, the values, beside `keys`
  Span span;

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  /// A scalar that YAML reads as a text: quoted, or no null, bool or number.
  bool is_text() const;
  /// A plain scalar that is a finite decimal number.
  std::optional<double> number() const;
};

/// "a map", "a list", "a number" ...: for messages.
std::string_view kind_name(const Yaml& node);

/// Reads `diagnostics.sources[file]`, one document. @returns nothing after reporting why.
std::optional<Yaml> read_yaml(Diagnostics& diagnostics, uint32_t file);

}  // namespace ordain::importer
