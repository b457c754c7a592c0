// hover.cc writes descriptions from declarations and the comments at them.
#include "lsp/hover.h"

#include <vector>

#include "compiler/parse/token_scan.h"
#include "lsp/code_help.h"
#include "lsp/members.h"
#include "lsp/place.h"
#include "lsp/state_members.h"

namespace ordain::lsp {
namespace {

std::string in_fence(std::string_view code) { return "```ordain\n" + std::string(code) + "\n```"; }

void add_paragraph(std::string& out, std::string_view text) {
  if (text.empty()) return;
  if (!out.empty()) out += "\n\n";
  out += text;
}

std::string_view kind_word(const Symbol& symbol) {
  switch (symbol.kind) {
    case SymbolKind::capability:
      return "capability";
    case SymbolKind::let:
    case SymbolKind::fixture:
      return "let";
    case SymbolKind::state:
      return to_string(symbol.state);
    case SymbolKind::policy:
      return "policy";
    case SymbolKind::rule:
      return "rule";
    default:
      return "label";
  }
}

// A statement as it is written, up to its `;`, or the head of a longer one.
std::string statement_text(std::string_view text, size_t offset, bool head_only) {
  constexpr size_t kMostBytes = 600;
  for (const Extent& extent : statements_of(text)) {
    if (offset < extent.begin || offset >= extent.end) continue;
    std::string_view out = text.substr(extent.begin, extent.end - extent.begin);
    if (head_only) out = out.substr(0, out.find('{'));
    while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.remove_suffix(1);
    if (out.size() <= kMostBytes) return std::string(out);
    return std::string(out.substr(0, out.find('\n'))) + " ...";
  }
  return "";
}

std::string_view what_it_does(RuleKind kind) {
  switch (kind) {
    case RuleKind::deny:
      return "Denies";
    case RuleKind::require_approval:
      return "Requires an approval for";
    case RuleKind::allow:
      return "Allows";
    case RuleKind::redact:
      return "Redacts parts of";
    case RuleKind::warn:
      return "Warns of";
  }
  return "";
}

// What a rule decides: "Denies calls of `pay` before they run."
std::string decision_of(const syntax::PolicyDecl& policy, const syntax::RuleDecl& rule) {
  std::string targets;
  for (const syntax::Target& target : policy.targets) {
    targets += (targets.empty() ? "`" : ", `") + std::string(target.text) + "`";
  }
  const bool before = policy.stage == Stage::before;
  const std::string condition = rule.when != nullptr ? " that its condition holds for" : "";
  return std::string(what_it_does(rule.kind)) + " calls of " + targets + condition +
         (before ? ", before they run." : ", after they ran.");
}

std::string rule_decision(const SetModel& model, const Occurrence& definition) {
  for (const syntax::PolicyDecl& policy : model.files()[definition.span.file].policies) {
    for (const syntax::RuleDecl& rule : policy.rules) {
      const bool here = rule.span.begin <= definition.span.begin && definition.span.end <= rule.span.end;
      if (here) return decision_of(policy, rule);
    }
  }
  return "";
}

std::string rule_text(const SetModel& model, const Occurrence& definition) {
  for (const syntax::PolicyDecl& policy : model.files()[definition.span.file].policies) {
    const auto text_of = [&](const syntax::RuleDecl& rule) {
      const bool here = rule.span.begin <= definition.span.begin && definition.span.end <= rule.span.end;
      return here ? model.sources()[rule.span.file]->text.substr(rule.span.begin, rule.span.end - rule.span.begin) : "";
    };
    for (const syntax::RuleDecl& rule : policy.rules) {
      if (std::string out = text_of(rule); !out.empty()) return out;
    }
    for (const syntax::LabelRuleDecl& rule : policy.label_rules) {
      if (std::string out = text_of(rule.rule); !out.empty()) return out;
    }
  }
  return "";
}

std::string describe_symbol(SetModel& model, const Occurrence& at) {
  const Symbol& symbol = model.symbols().symbols()[at.symbol];
  const std::string_view name = symbol.kind == SymbolKind::fixture ? bare_name(symbol.name) : symbol.name;
  std::string out = "**" + std::string(kind_word(symbol)) + "** `" + std::string(name) + "`";
  if (symbol.kind == SymbolKind::let) {
    if (const std::string type = model.type_of_let(symbol.name); !type.empty()) out += ": `" + type + "`";
  }
  bool defined = false;
  for (const Occurrence& each : model.symbols().of_symbol(at.symbol)) {
    if (!each.defines) continue;
    defined = true;
    const std::string_view text = model.sources()[each.span.file]->text;
    std::string code;
    if (symbol.kind == SymbolKind::rule) {
      code = rule_text(model, each);
    } else if (symbol.kind != SymbolKind::fixture) {
      code = statement_text(text, each.span.begin, symbol.kind == SymbolKind::policy);
    }
    if (!code.empty()) add_paragraph(out, in_fence(code));
    if (const auto count = model.data_values(each.span)) {
      add_paragraph(out, "The file has " + std::to_string(*count) + (*count == 1 ? " value." : " values."));
    }
    if (symbol.kind == SymbolKind::rule) add_paragraph(out, rule_decision(model, each));
    add_paragraph(out, comment_of(text, each.span.begin));
    break;
  }
  if (!defined && symbol.kind == SymbolKind::capability)
    add_paragraph(out, "It is not declared: its input is not checked.");
  return out;
}

std::string describe_members(const SetModel& model, const std::vector<Member>& members) {
  std::string out;
  for (const Member& member : members) {
    const std::string path = (member.owner.empty() ? "" : member.owner + ".") + member.name;
    if (member.owner.empty()) {
      const bool scalar = member.type != nullptr && member.type->kind != TypeKind::record;
      add_paragraph(out, "`" + path + "`" + (scalar ? ": `" + type_text(member) + "`" : ""));
      add_paragraph(out, describe_root(member.name));
      return out;
    }
    add_paragraph(out, in_fence(path + ": " + type_text(member)));
    if (member.span.file < model.sources().size()) {
      add_paragraph(out, comment_of(model.sources()[member.span.file]->text, member.span.begin));
    }
  }
  return out;
}

// A method is called by its bare name, other functions by their whole name.
std::string describe_called(const FunctionTable& functions, const DottedWord& word) {
  std::string whole;
  for (const std::string_view segment : word.segments) whole += (whole.empty() ? "" : ".") + std::string(segment);
  const std::string out = describe_function(functions, whole);
  return !out.empty() ? out : describe_function(functions, word.segments.back());
}

// `spend.left`: what is read of a history, rate or budget.
std::string describe_state_member(SetModel& model, uint32_t file, const DottedWord& word) {
  const std::string_view text = model.sources()[file]->text;
  size_t end = word.begin;
  if (word.segments.size() < 2 || end < 2) return "";
  end -= text[end - 1] == '?' ? 2 : 1;
  const auto state = state_before(model.symbols(), model.files()[file].package.text, text, end);
  const StateMemberHelp* help = state ? find_state_member(*state, word.segments.back()) : nullptr;
  if (help == nullptr) return "";
  const std::string type = model.type_at(file, word.begin);
  std::string out = in_fence(std::string(to_string(*state)) + "." + std::string(help->name) + ": " +
                             (type.empty() ? std::string(help->type) : type));
  add_paragraph(out, help->text);
  return out;
}

// The code in a comment that accepts a warning: `// ordain: allow(CODE) REASON`.
std::string code_in_comment(std::string_view text, size_t offset) {
  const size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view line = text.substr(begin, text.find('\n', offset) - begin);
  const size_t word = line.find("ordain: allow(");
  if (word == std::string_view::npos || !place_at(text, offset).in_comment) return "";
  const std::string_view rest = line.substr(line.find('(', word) + 1);
  return std::string(rest.substr(0, rest.find(')')));
}

}  // namespace

std::string describe_function(const FunctionTable& functions, std::string_view name) {
  const Function* function = functions.find(name);
  if (function == nullptr) return "";
  std::string code, doc;
  bool grows = false;
  for (const Overload* overload : function->overloads) {
    grows = grows || overload->cost != nullptr;
    code += (code.empty() ? "" : "\n") + std::string(name) + ": " + overload->signature;
    if (doc.find(overload->doc) == std::string::npos) add_paragraph(doc, overload->doc);
  }
  std::string out = in_fence(code);
  add_paragraph(out, doc);
  if (grows) add_paragraph(out, "What it costs of the condition's budget grows with its arguments.");
  return out;
}

std::string describe_code(std::string_view code) {
  const auto help = find_code_help(code);
  if (!help) return "";
  std::string out = "**" + help->code + "** (" + help->severity + "): " + help->meaning;
  if (!help->example.empty()) add_paragraph(out, "For example " + help->example);
  add_paragraph(out, help->section);
  return out;
}

std::string describe_place(SetModel& model, uint32_t file, size_t offset) {
  const std::string_view text = model.sources()[file]->text;
  if (const std::string code = code_in_comment(text, offset); !code.empty()) return describe_code(code);
  if (const Occurrence* found = model.symbols().find(file, offset)) return describe_symbol(model, *found);
  const DottedWord word = dotted_word_at(text, offset);
  if (word.segments.empty()) return "";
  if (const std::string out = describe_state_member(model, file, word); !out.empty()) return out;
  if (word.is_called) {
    if (const std::string out = describe_called(model.functions(), word); !out.empty()) return out;
  }
  const std::vector<Member> members = find_members(model, place_at(text, word.begin), word.segments);
  if (!members.empty()) return describe_members(model, members);
  const std::string type = model.type_at(file, word.begin);
  return type.empty() ? "" : in_fence(type);
}

}  // namespace ordain::lsp
