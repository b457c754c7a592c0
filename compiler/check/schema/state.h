// SchemaState holds the declarations of a policy set while it is checked: roots, capabilities and
// their types.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/check/expression/scope.h"
#include "compiler/check/expression/typed.h"
#include "compiler/diagnostic/words.h"
#include "compiler/parse/syntax.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"

namespace ordain::policy {

/// A span that does not occur in any source, for built-in declarations.
inline constexpr Span kBuiltinSpan{UINT32_MAX, 0, 0};

/// A root record (agent, action, ...) while `context` blocks extend it. A scalar root (now) has
/// `scalar` instead of fields.
struct Root {
  std::string name;
  RootName meaning;
  const Type* scalar = nullptr;
  bool extensible = false;
  bool open = false;
  bool declared = false;  ///< a `context` block names it
  std::vector<RecordField> fields;
  std::vector<Span> spans;  ///< by field: its first declaration
};

/// A capability's declaration, resolved. `input` and `output` are nullptr if anything fits.
struct CapabilityShape {
  const syntax::CapabilityDecl* decl = nullptr;  ///< nullptr if only a target names it
  const Type* input = nullptr;
  const Type* output = nullptr;
};

struct SchemaState {
  Arena& arena;
  Diagnostics& diagnostics;
  const std::vector<syntax::File>& files;

  typed::PolicySet set = {};
  std::vector<Root> roots = {};
  std::vector<CapabilityShape> shapes = {};  ///< by capability; one more at the end, for undeclared ones
  std::unordered_map<std::string, CapabilityId> capability_ids = {};
  std::map<std::string, RootName, std::less<>> stage_roots[2] = {};  ///< without input and output
  std::unordered_map<const RecordType*, std::string> record_keys = {};
};

// --- schema.cc: contexts and capabilities to types
void declare_roots(SchemaState& state);
void check_contexts(SchemaState& state);
void check_capabilities(SchemaState& state);
void finish_roots(SchemaState& state);

// --- types.cc: the types that declarations write
const Type* record_type(SchemaState& state, const syntax::RecordSyntax& syntax, std::string name);
/// The structure of a type as text: equal for equal types.
std::string type_key(SchemaState& state, const Type& type);

// --- secrets.cc: the fields whose values no record, request or message may hold
/// @returns the paths below `root` ("input", "output") that the record declares `secret`, sorted. They are written as
/// in a `redact`: "input.keys[*].token".
std::vector<std::string> secret_paths(SchemaState& state, const syntax::RecordSyntax& record, const std::string& root);
/// Reports every `secret` in a record where none has a meaning.
void refuse_secrets(SchemaState& state, const syntax::RecordSyntax& record);

// --- bindings.cc: the records that calls are bound against; slots numbered
void declare_records(SchemaState& state);
void bind_slots(SchemaState& state);

}  // namespace ordain::policy
