// The importers translate policies of other engines into .policy text.
#pragma once

#include <functional>
#include <string>

#include "ordain/diagnostic.h"
#include "ordain/export.h"
#include "ordain/result.h"

namespace ordain::importer {

struct ImportOptions {
  std::string time_zone;  ///< of times of day: "Europe/Paris", "-08:00"; "" for UTC
  bool declare = true;    ///< declare the capabilities that rules name, with open input
};

struct Imported {
  std::string policy;       ///< the text, which compiles without errors; "" after mistakes
  Diagnostics diagnostics;  ///< places in the YAML
};

/// Returns the text of a file. Called once for the file itself, and once for each file that it
/// extends.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// Reads a file, but at most one byte more than an importer accepts.
ORDAIN_API Result<std::string> read_yaml_file(const std::string& path);

/// Imports CapFence's format: deny, require_approval, allow, risk_levels, rules, extends. See
/// docs/import.md.
ORDAIN_API Imported import_capfence(const std::string& path, const ImportOptions& options,
                                    const ReadFile& read = read_yaml_file);

/// Imports Aegis's format: defaults, rules, plan_rules. See docs/import.md.
ORDAIN_API Imported import_aegis(const std::string& path, const ImportOptions& options,
                                 const ReadFile& read = read_yaml_file);

}  // namespace ordain::importer
