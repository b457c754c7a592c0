// Fields reads a YAML map by type. It remembers every key that the importer asks for, so that the
// remaining keys can be reported as mistakes.
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
  /// `what` names the map in messages, for example "a rule". A node that is not a map is an error,
  /// and has no fields.
  Fields(Diagnostics& diagnostics, const Yaml& node, std::string what);

  /// @returns the value of any kind; nullptr if the key is absent
  const Yaml* any(const std::string& key);
  /// @returns a text that is not empty
  std::optional<std::string> text(const std::string& key);
  /// @returns one text or a list of them; empty only if absent or wrong
  std::vector<std::string> texts(const std::string& key);
  std::optional<double> number(const std::string& key);
  /// @returns a whole number from 0 to 1,000,000
  std::optional<int> count(const std::string& key);
  /// @returns one of `choices`
  std::optional<std::string> choice(const std::string& key, const std::vector<std::string>& choices);
  /// @returns a list; nullptr if absent
  const Yaml* list(const std::string& key);
  /// @returns a map; nullptr if absent
  const Yaml* map(const std::string& key);

  /// Reports every key that the importer did not ask for, with a suggestion.
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

/// @returns the text of a node, or nothing after reporting that `what` must be a text
std::optional<std::string> text_of(Diagnostics& diagnostics, const Yaml& node, std::string_view what);

/// Reports a value that is not one of `choices`.
void wrong_choice(Diagnostics& diagnostics, const Yaml& node, std::string_view what,
                  const std::vector<std::string>& choices);

}  // namespace ordain::importer
