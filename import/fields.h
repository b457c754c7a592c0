// Typed reading of a YAML map: every key that is asked for is known, and what is left over is a mistake.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "import/yaml.h"

namespace ordain::importer {

/// Reads one map. Mistakes go to the diagnostics; a field with a mistake reads as absent.
class Fields {
 public:
  /// `what` names the map in messages: "a rule". A node that is no map is an error, and has no fields.
  Fields(Diagnostics& diagnostics, const Yaml& node, std::string what);

  /// Whatever stands there; nullptr if nothing does.
  const Yaml* any(const std::string& key);
  /// A text that is not empty.
  std::optional<std::string> text(const std::string& key);
  /// One text, or a list of them; empty only if absent or wrong.
  std::vector<std::string> texts(const std::string& key);
  std::optional<double> number(const std::string& key);
  /// A whole number from 0 to 1,000,000.
  std::optional<int> count(const std::string& key);
  /// One of `choices`.
  std::optional<std::string> choice(const std::string& key, const std::vector<std::string>& choices);
  /// A list; nullptr if absent.
  const Yaml* list(const std::string& key);
  /// A map; nullptr if absent.
  const Yaml* map(const std::string& key);

  /// Reports every key that nothing asked for, with what may have been meant.
  void finish();

  const Yaml& node() const { return node_; }
  Diagnostics& diagnostics() { return diagnostics_; }

 private:
  void wrong_type(const std::string& key, const Yaml& node, std::string_view wanted);

  Diagnostics& diagnostics_;
  const Yaml& node_;
  std::string what_;
  std::set<std::string> known_;
};

/// A text, or an error that `what` must be one.
std::optional<std::string> text_of(Diagnostics& diagnostics, const Yaml& node, std::string_view what);

/// Reports a value that is none of `choices`.
void wrong_choice(Diagnostics& diagnostics, const Yaml& node, std::string_view what,
                  const std::vector<std::string>& choices);

}  // namespace ordain::importer
