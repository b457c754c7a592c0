// Policies of other engines as .policy text.
#pragma once

#include <functional>
#include <string>

#include "ordain/diagnostic.h"
#include "ordain/result.h"

namespace ordain::importer {

struct ImportOptions {
  std::string time_zone;  ///< of times of day: "Europe/Paris", "-08:00"; "": UTC
  bool declare = true;    ///< declare the capabilities that rules name, with open input
};

struct Imported {
  std::string policy;       ///< the text, which compiles without errors; "" if there were mistakes
  Diagnostics diagnostics;  ///< places in the YAML
};

/// Gives the text of a file. Called once for the file, and once for each that it extends.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// Reads at most one byte more than an importer accepts.
Result<std::string> read_yaml_file(const std::string& path);

/// CapFence's format: deny, require_approval, allow, risk_levels, rules, extends. See docs/import.md.
Imported import_capfence(const std::string& path, const ImportOptions& options, const ReadFile& read = read_yaml_file);

/// Aegis's format: defaults, rules, plan_rules. See docs/import.md.
Imported import_aegis(const std::string& path, const ImportOptions& options, const ReadFile& read = read_yaml_file);

}  // namespace ordain::importer
