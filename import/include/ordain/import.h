// The importers translate policies of other engines into .policy text.
#pragma once

#include <cstdint>
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

/// What a document of tools or schemas is written as.
enum class SchemaKind : uint8_t {
  any,          ///< recognised by its parts
  mcp,          ///< the result of `tools/list`, or its tools
  openai,       ///< tools of type "function"
  anthropic,    ///< tools with `input_schema`
  json_schema,  ///< one schema, which is the input of one capability
  openapi,      ///< an OpenAPI or Swagger document: a capability for each operation
};

struct SchemaOptions {
  SchemaKind kind = SchemaKind::any;
  std::string server;  ///< NAME in the capabilities' names, `mcp.NAME.TOOL`; "" for the tools' own names
};

/// Reads a file, but at most one byte more than import_schema accepts.
ORDAIN_API Result<std::string> read_schema_file(const std::string& path);

/// Declares a capability for each tool or operation of a JSON document. References to other documents are never
/// followed. The text is formatted and compiles without errors. See docs/import.md.
ORDAIN_API Imported import_schema(const std::string& path, const SchemaOptions& options,
                                  const ReadFile& read = read_schema_file);

}  // namespace ordain::importer
