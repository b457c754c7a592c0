// tools collects what a document declares: tools of agents' protocols, or the operations of an OpenAPI document.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "import/json_schema.h"
#include "ordain/import.h"

namespace ordain::importer {

/// A capability to declare, with its records as policy text: `{ a: int }`, `open {}`.
struct ToolText {
  std::string name;
  std::string description;
  std::string input;
  std::string output;  ///< "" if it is not known
};

/// Reads the tools of a document. Mistakes are reported as `not-importable`, without a place in the text: messages name
/// the part of the document.
class ToolReader {
 public:
  ToolReader(const Value& document, SchemaReader& schemas, SchemaNotes& notes, Diagnostics& diagnostics)
      : document_(document), schemas_(schemas), notes_(notes), diagnostics_(diagnostics) {}

  /// @param fallback the name of the capability of a schema without title
  std::vector<ToolText> read(SchemaKind kind, const std::string& fallback);

 private:
  void read_tools(const Value& tools, SchemaKind kind, const SchemaPlace& place);
  void read_tool(const Value& tool, SchemaKind kind, const SchemaPlace& place);
  void read_schema(const std::string& fallback);
  std::string signature(const Value& parameters, const SchemaPlace& place);
  void add(std::string_view name, const Value* description, std::string input, std::string output,
           const SchemaPlace& place);
  void mistake(const SchemaPlace& place, const std::string& what);

  // --- openapi.cc
  void read_operations();
  void read_operation(std::string_view path, std::string_view method, const Value& item, const Value& operation,
                      const SchemaPlace& place);
  void add_parameters(const Value* parameters, const SchemaPlace& place, std::set<std::string>* names,
                      std::string* fields);
  void add_body(const Value& operation, const SchemaPlace& place, std::set<std::string>* names, std::string* fields);
  std::string response(const Value& operation, const SchemaPlace& place);
  const Value* json_content(const Value& holder);

  const Value& document_;
  SchemaReader& schemas_;
  SchemaNotes& notes_;
  Diagnostics& diagnostics_;
  std::vector<ToolText> tools_;
};

}  // namespace ordain::importer
