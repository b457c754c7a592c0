// breadth.cc reports what is wider than it need be: an `allow` for every capability, fields without a
// type, and declarations that nothing uses.
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/diagnostic/words.h"
#include "compiler/lint/lint.h"

namespace ordain::lint {
namespace {

bool is_for_everything(const syntax::PolicyDecl& policy) {
  for (const syntax::Target& target : policy.targets) {
    if (target.text == "*") return true;
  }
  return false;
}

bool has_no_condition(const syntax::RuleDecl& rule) {
  return rule.when == nullptr || (rule.when->kind == syntax::ExprKind::literal && rule.when->value.is(Kind::boolean) &&
                                  rule.when->value.as_bool());
}

class UntypedFields {
 public:
  explicit UntypedFields(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void visit(const syntax::RecordSyntax* record) {
    if (record == nullptr) return;
    for (const syntax::FieldSyntax& field : record->fields) {
      if (field.type != nullptr) visit(*field.type, field.name);
    }
  }

 private:
  void visit(const syntax::TypeSyntax& type, const syntax::Name& field) {
    visit(type.record);
    for (const syntax::TypeSyntax* param : type.params) {
      if (param != nullptr) visit(*param, field);
    }
    for (const syntax::TypeSyntax* option : type.options) visit(*option, field);
    if (type.name != "dyn") return;
    diagnostics_.warning(
        "untyped-field", type.span,
        quoted(field.text) + " may hold anything, so mistakes in its use are found only when it is read",
        "declare what it holds, such as `string` or `list(string)`");
  }

  Diagnostics& diagnostics_;
};

}  // namespace

void warn_broad_allows(Diagnostics& diagnostics, const std::vector<syntax::File>& files) {
  for (const syntax::File& file : files) {
    for (const syntax::PolicyDecl& policy : file.policies) {
      if (policy.stage != Stage::before || !is_for_everything(policy)) continue;
      for (const syntax::RuleDecl& rule : policy.rules) {
        if (rule.kind != RuleKind::allow || !has_no_condition(rule)) continue;
        diagnostics.warning("broad-allow", rule.word,
                            "this allows every call, also of capabilities that are added later",
                            "name the capabilities, or give the rule a condition such as `action.risk <= \"low\"`");
      }
    }
  }
}

void warn_untyped_fields(Diagnostics& diagnostics, const std::vector<syntax::File>& files) {
  UntypedFields fields(diagnostics);
  for (const syntax::File& file : files) {
    for (const syntax::CapabilityDecl& decl : file.capabilities) {
      fields.visit(decl.input);
      fields.visit(decl.output);
    }
    for (const syntax::ContextDecl& context : file.contexts) {
      for (const syntax::ContextEntry& entry : context.entries) fields.visit(entry.record);
    }
  }
}

void warn_unused(Diagnostics& diagnostics, const std::vector<syntax::File>& files, const typed::PolicySet& set) {
  for (const typed::UnusedName& let : set.unused_lets) {
    diagnostics.warning("unused-let", let.span, "nothing uses " + quoted(let.name), "remove it");
  }
  for (const typed::UnusedName& import : set.unused_imports) {
    diagnostics.warning("unused-import", import.span, "this file uses no `let` of " + quoted(import.name), "remove it");
  }
  if (set.rules.empty()) return;
  std::unordered_map<std::string_view, CapabilityId> ids;
  for (CapabilityId id = 0; id < set.schema.capabilities.size(); ++id)
    ids.emplace(set.schema.capabilities[id].name, id);
  for (const syntax::File& file : files) {
    for (const syntax::CapabilityDecl& decl : file.capabilities) {
      const auto found = ids.find(decl.name.text);
      if (found == ids.end()) continue;
      const bool decided = !set.lists[0][found->second].rules.empty() || !set.lists[1][found->second].rules.empty();
      if (decided) continue;
      diagnostics.warning("unused-capability", decl.name.span,
                          "no rule is about " + quoted(decl.name.text) + ", so the host's default decides its calls",
                          "write a policy on it, or remove it");
    }
  }
}

}  // namespace ordain::lint
