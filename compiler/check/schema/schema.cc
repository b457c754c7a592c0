// schema.cc declares the schema's names: built-in roots, what `context` adds to them, and the
// capabilities.
#include <algorithm>
#include <cctype>
#include <utility>

#include "compiler/check/schema/state.h"

namespace ordain::policy {
namespace {

Root host_root(std::string name, Bank bank, bool id_for_string, std::vector<RecordField> fields) {
  Root root;
  root.name = std::move(name);
  root.extensible = true;
  root.meaning.bank = bank;
  root.meaning.host = true;
  root.meaning.id_for_string = id_for_string;
  // Absent names and lists read as "" and []; other types do not have a harmless default.
  for (const RecordField& field : fields) {
    if (field.type->kind == TypeKind::string || field.type->kind == TypeKind::list) {
      root.meaning.builtins.emplace(field.name);
    }
  }
  root.spans.assign(fields.size(), kBuiltinSpan);
  root.fields = std::move(fields);
  return root;
}

std::vector<Root> builtin_roots() {
  const Type* string = &types::kString;
  const Type* strings = &types::kListString;
  std::vector<Root> roots;
  roots.push_back(host_root("agent", Bank::context, true,
                            {{"id", string, false},
                             {"parent_id", string, false},
                             {"chain_depth", &types::kInt, false},
                             {"roles", strings, false},
                             {"scopes", strings, false}}));
  for (const char* name : {"principal", "tenant", "environment"}) {
    roots.push_back(host_root(name, Bank::context, true, {{"id", string, false}}));
  }
  roots.push_back(host_root("session", Bank::context, true, {{"id", string, false}, {"labels", strings, false}}));
  roots.push_back(host_root("resource", Bank::call, false, {{"id", string, false}, {"type", string, false}}));
  roots.push_back(host_root("action", Bank::call, false,
                            {{"id", string, false},
                             {"trace_id", string, false},
                             {"parent_id", string, false},
                             {"type", string, false},
                             {"target", string, false},
                             {"description", string, false},
                             {"risk", &kRiskType, false},
                             {"elapsed", &types::kDuration, false}}));
  roots.push_back(host_root("capability", Bank::call, false,
                            {{"name", string, false},
                             {"type", string, false},
                             {"owner", string, false},
                             {"risk", &kRiskType, false},
                             {"scopes", strings, false},
                             {"tags", strings, false},
                             {"reversible", &types::kBool, false},
                             {"external", &types::kBool, false}}));
  roots.back().extensible = false;  // filled from the declaration, not by the host
  Root metadata;
  metadata.name = "metadata";
  metadata.extensible = true;
  metadata.open = true;
  roots.push_back(std::move(metadata));
  Root now;
  now.name = "now";
  now.scalar = &types::kTimestamp;
  now.meaning.host = true;
  roots.push_back(std::move(now));
  return roots;
}

std::string described(const RecordField& field) {
  return field.optional ? "optional(" + to_string(*field.type) + ")" : to_string(*field.type);
}

void add_context_field(SchemaState& state, Root& root, const RecordField& field, Span span) {
  for (size_t i = 0; i < root.fields.size(); ++i) {
    const RecordField& known = root.fields[i];
    if (known.name != field.name) continue;
    if (known.optional == field.optional && type_key(state, *known.type) == type_key(state, *field.type)) return;
    Diagnostic& error = state.diagnostics.error("conflicting-context", span,
                                                "`" + root.name + "." + std::string(field.name) + "` is already " +
                                                    described(known) + ", not " + described(field));
    if (root.spans[i].file != kBuiltinSpan.file) {
      error.notes.push_back({Severity::note, "", "first declared here", root.spans[i], "", {}});
    } else {
      error.help = "this attribute is built in";
    }
    return;
  }
  root.fields.push_back(field);
  root.spans.push_back(span);
}

void check_context_entry(SchemaState& state, const syntax::ContextEntry& entry) {
  std::vector<std::string> names;
  Root* root = nullptr;
  for (Root& candidate : state.roots) {
    if (!candidate.extensible) continue;
    names.push_back(candidate.name);
    if (candidate.name == entry.name.text) root = &candidate;
  }
  if (root == nullptr) {
    state.diagnostics.error("unknown-context", entry.name.span,
                            "the context has no record " + quoted(entry.name.text) + " to extend",
                            did_you_mean(entry.name.text, names));
    return;
  }
  if (entry.record == nullptr) return;
  refuse_secrets(state, *entry.record);
  const Type* type = record_type(state, *entry.record, root->name);
  // Undeclared metadata may be anything; declared metadata has the declared fields only.
  if (!root->declared && root->name == "metadata") root->open = false;
  root->declared = true;
  root->open = root->open || entry.record->open;
  for (const RecordField& field : type->record->fields) {
    Span span = entry.name.span;
    for (const syntax::FieldSyntax& written : entry.record->fields) {
      if (written.name.text == field.name) {
        span = written.name.span;
        break;
      }
    }
    add_context_field(state, *root, field, span);
  }
}

const char* const kEffects[] = {"read",       "write",        "delete",   "execute", "network",
                                "reversible", "irreversible", "external", "internal"};

double risk_of(SchemaState& state, const syntax::Name& word) {
  if (const std::optional<Risk> risk = find_risk(word.text)) return static_cast<double>(*risk);
  UnknownRisk unknown = describe_unknown_risk(word.text, '`');
  state.diagnostics.error("unknown-risk", word.span, std::move(unknown.message), std::move(unknown.help));
  return static_cast<double>(Risk::critical);
}

void check_effects(SchemaState& state, const syntax::CapabilityDecl& decl, Capability& out) {
  auto conflict = [&](const syntax::Name& word, std::string_view other) {
    if (out.has_effect(other)) {
      state.diagnostics.error("conflicting-effects", word.span,
                              "a capability cannot be both " + quoted(other) + " and " + quoted(word.text));
    }
  };
  for (const syntax::Name& word : decl.effects) {
    if (std::find(std::begin(kEffects), std::end(kEffects), word.text) == std::end(kEffects)) {
      state.diagnostics.error("unknown-effect", word.span, "no effect is called " + quoted(word.text),
                              did_you_mean(word.text, {std::begin(kEffects), std::end(kEffects)}));
      continue;
    }
    if (out.has_effect(word.text)) {
      state.diagnostics.error("duplicate-effect", word.span, quoted(word.text) + " stands twice");
      continue;
    }
    if (word.text == "reversible") conflict(word, "irreversible");
    if (word.text == "irreversible") conflict(word, "reversible");
    if (word.text == "external") conflict(word, "internal");
    if (word.text == "internal") conflict(word, "external");
    out.effects.emplace_back(word.text);
  }
}

void add_capability(SchemaState& state, const syntax::CapabilityDecl& decl) {
  std::string name(decl.name.text);
  auto known = state.capability_ids.find(name);
  if (known != state.capability_ids.end()) {
    Diagnostic& error =
        state.diagnostics.error("duplicate-capability", decl.name.span, quoted(name) + " is declared twice");
    error.notes.push_back(
        {Severity::note, "", "first declared here", state.shapes[known->second].decl->name.span, "", {}});
    return;
  }
  if (name.empty() || name.find('*') != std::string::npos) {
    state.diagnostics.error("bad-capability-name", decl.name.span,
                            name.empty() ? "a capability needs a name" : "a capability's name cannot hold `*`");
  }
  Capability out;
  out.name = name;
  out.declared = true;
  if (decl.type) out.type = std::string(decl.type->text);
  if (decl.risk) out.risk = risk_of(state, *decl.risk);
  if (decl.owner) out.owner = std::string(decl.owner->text);
  if (decl.description) out.description = std::string(decl.description->text);
  check_effects(state, decl, out);
  for (const syntax::Name& scope : decl.scopes) out.scopes.emplace_back(scope.text);
  for (const syntax::Name& tag : decl.tags) out.tags.emplace_back(tag.text);
  if (decl.input != nullptr) out.secrets = secret_paths(state, *decl.input, "input");
  if (decl.output != nullptr) {
    for (std::string& path : secret_paths(state, *decl.output, "output")) out.secrets.push_back(std::move(path));
  }

  CapabilityShape shape;
  shape.decl = &decl;
  // A declaration is complete: without `input` the capability takes no fields. The output of a tool
  // is often unknown, so without `output` anything may come.
  static const syntax::RecordSyntax kNoFields{};
  shape.input = record_type(state, decl.input != nullptr ? *decl.input : kNoFields, name + ".input");
  if (decl.output != nullptr) shape.output = record_type(state, *decl.output, name + ".output");
  state.capability_ids.emplace(std::move(name), static_cast<CapabilityId>(state.set.schema.capabilities.size()));
  state.set.schema.capabilities.push_back(std::move(out));
  state.shapes.push_back(shape);
}

}  // namespace

void declare_roots(SchemaState& state) { state.roots = builtin_roots(); }

void check_contexts(SchemaState& state) {
  for (const syntax::File& file : state.files) {
    for (const syntax::ContextDecl& context : file.contexts) {
      for (const syntax::ContextEntry& entry : context.entries) check_context_entry(state, entry);
    }
  }
}

void check_capabilities(SchemaState& state) {
  for (const syntax::File& file : state.files) {
    for (const syntax::CapabilityDecl& decl : file.capabilities) add_capability(state, decl);
  }
}

void finish_roots(SchemaState& state) {
  for (Root& root : state.roots) {
    if (root.scalar != nullptr) {
      root.meaning.type = root.scalar;
    } else {
      RecordType* record = state.arena.make<RecordType>();
      record->name = state.arena.copy(root.name);
      record->open = root.open;
      record->fields = state.arena.copy(root.fields);
      Type* type = state.arena.make<Type>();
      type->kind = TypeKind::record;
      type->record = record;
      root.meaning.type = type;
    }
    for (int stage = 0; stage < 2; ++stage) state.stage_roots[stage].emplace(root.name, root.meaning);
  }
  RootName& action = state.stage_roots[0].find("action")->second;
  action.unavailable.emplace("elapsed");
  action.unavailable_why = "`action.elapsed` exists only in after rules";
}

}  // namespace ordain::policy
