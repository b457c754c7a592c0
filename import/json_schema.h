// json_schema turns JSON Schemas into types of the policy language. A schema comes from a server or a vendor, so it is
// hostile input: what it can make the reader do is bounded, and what a type cannot say is noted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "ordain/diagnostic.h"
#include "ordain/value.h"

namespace ordain::importer {

/// Where something stands in a document, for messages. A chain on the stack, written out only when it is needed.
struct SchemaPlace {
  const SchemaPlace* outer = nullptr;
  std::string_view name;  ///< a key; empty for an element of a list
  size_t index = 0;

  SchemaPlace key(std::string_view n) const { return {this, n, 0}; }
  SchemaPlace element(size_t n) const { return {this, {}, n}; }
  std::string text() const;  ///< "tools[2].inputSchema.properties.amount"
};

/// What schemas say that types do not. Equal notes become one warning, with the first place and their number.
class SchemaNotes {
 public:
  void add(std::string message, const SchemaPlace& place);
  void report(Diagnostics& diagnostics) const;

 private:
  struct Note {
    std::string place;
    size_t count = 0;
  };
  std::map<std::string, Note> notes_;
  size_t left_out_ = 0;  ///< further notes, of messages that are not kept
};

/// @returns the member of an object; nullptr if `object` is not one, or lacks it
const Value* member(const Value& object, std::string_view key);

/// A record of the fields that `append_field` has written. One with descriptions has each field on a line of its own.
std::string record_of(std::string fields, bool open);

class SchemaReader {
 public:
  /// @param document what `#/...` refers to; must outlive the reader
  /// @param size bytes of the document's text, in proportion to which the reader works
  SchemaReader(const Value& document, size_t size, SchemaNotes& notes)
      : document_(document), work_left_(100'000 + 2 * size), notes_(notes) {}

  /// A record as it stands after `input` or `output`: `{ a: int }`, `open { ... }`.
  /// @param open whether the record is open if the schema does not say
  std::string record(const Value& schema, const SchemaPlace& place, bool open);
  /// The type of a field: `int(1, 100)`, `optional(string)`.
  std::string field_type(const Value& schema, const SchemaPlace& place, bool required);
  /// Appends a field with its description, as a line of a record. @returns false if no field can have the name
  bool append_field(std::string& out, std::string_view name, std::string_view description, const std::string& type);

  /// Follows a `$ref` that stands alone, as OpenAPI's parameters have it. @returns nullptr if it leads nowhere
  const Value* follow(const Value& value, const SchemaPlace& place);

  /// Whether the schemas refer to each other so often that they were not read to the end.
  bool exhausted() const { return work_left_ == 0; }
  void set_open(bool open) { open_ = open; }

 private:
  /// All the objects that say something about one value: a schema, what it refers to, and its `allOf`.
  using View = std::vector<const MapRep*>;

  /// One of the types of a union.
  struct Option {
    std::string_view kind;  ///< "string", "int", ...
    std::string text;
    bool wide = false;  ///< without limits: it includes the others of its kind
  };
  struct Typed {
    std::vector<Option> options;
    std::unordered_set<std::string> seen;      ///< texts of the options
    std::vector<std::string_view> wide_kinds;  ///< of the options without limits
    bool nullable = false;
    bool anything = false;  ///< dyn
    bool compound = false;  ///< the one option is a list, a map or a record
  };

  bool spend(uint64_t work);
  Typed read(const Value& schema, const SchemaPlace& place, int depth);
  bool collect(const Value& schema, View& view, const SchemaPlace& place);
  Typed of_view(const View& view, const SchemaPlace& place, int depth);
  bool note_keywords(const View& view, const SchemaPlace& place, bool combined);
  Typed any_of(const Value& schemas, const SchemaPlace& place, int depth);
  bool add_values(Typed& out, const View& view, const SchemaPlace& place);
  bool add_value(Typed& out, const Value& value);
  void add_named(Typed& out, std::string_view name, const View& view, const SchemaPlace& place, int depth,
                 bool unknown);
  std::string list(const View& view, const SchemaPlace& place, int depth);
  std::string object(const View& view, const SchemaPlace& place, int depth, bool unknown, bool top);
  std::string map(const View& view, const SchemaPlace& place, int depth);
  std::string fields(const View& view, const SchemaPlace& place, int depth, bool* all_declared);
  std::string integer(const View& view, const SchemaPlace& place);
  std::string real(const View& view, const SchemaPlace& place);
  const Value* resolve(std::string_view reference);

  static void add(Typed& out, Option option);
  static void join(Typed& out, Typed other);
  static Typed dyn();
  static std::string text_of_options(const Typed& typed);
  static std::string field_text(const Typed& typed, bool required);
  static const Value* find(const View& view, std::string_view key);
  static std::string sizes(const View& view, std::string_view least, std::string_view most);

  const Value& document_;
  uint64_t work_left_;
  SchemaNotes& notes_;
  std::vector<const MapRep*> followed_;  ///< by `$ref`, from the outermost schema to the one being read
  bool open_ = false;
};

}  // namespace ordain::importer
