// parse_dump writes the syntax tree as s-expressions, short enough for tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "compiler/parse/parse.h"
#include "compiler/parse/syntax.h"
#include "ordain/json.h"

namespace ordain::testing {

inline std::string dump_value(const Value& value) {
  switch (value.kind) {
    case Kind::unsigned_integer:
      return std::to_string(value.u) + "u";
    case Kind::bytes: {
      std::string out = "b\"";
      for (char c : value.as_text()) {
        constexpr char kHex[] = "0123456789abcdef";
        out += kHex[static_cast<unsigned char>(c) >> 4];
        out += kHex[c & 15];
      }
      return out + "\"";
    }
    case Kind::duration:
      return std::to_string(value.i) + "s" + (value.nanos() != 0 ? std::to_string(value.nanos()) + "ns" : "");
    default:
      return to_json(value);
  }
}

inline std::string dump(const syntax::Expr* expr) {
  using syntax::ExprKind;
  if (expr == nullptr) return "null-expr";
  auto args = [&](size_t from) {
    std::string out;
    for (size_t i = from; i < expr->args.size(); ++i) {
      bool pairs = expr->kind == ExprKind::map || expr->kind == ExprKind::message;
      size_t first = expr->kind == ExprKind::message ? 1 : 0;
      size_t entry = pairs ? (i - first) / 2 : i;
      bool flagged =
          i >= first && (!pairs || (i - first) % 2 == 0) && entry < expr->optionals.size() && expr->optionals[entry];
      out += (flagged ? " ?" : " ") + dump(expr->args[i]);
    }
    return out;
  };
  std::string name = (expr->leading_dot ? "." : "") + std::string(expr->name);
  switch (expr->kind) {
    case ExprKind::literal:
      return dump_value(expr->value);
    case ExprKind::ident:
      return name;
    case ExprKind::select:
      return "(" + std::string(expr->optional ? ".?" : ".") + name + args(0) + ")";
    case ExprKind::call:
      return "(" + std::string(expr->member ? "~" : "") + name + args(0) + ")";
    case ExprKind::list:
      return "[" + (expr->args.empty() ? "" : args(0).substr(1)) + "]";
    case ExprKind::map:
      return "{" + (expr->args.empty() ? "" : args(0).substr(1)) + "}";
    case ExprKind::message:
      return "(message" + args(0) + ")";
  }
  return "?";
}

inline std::string dump(const syntax::RecordSyntax& record);

inline std::string dump(const syntax::TypeSyntax& type) {
  std::string out = type.secret ? "secret " : "";
  if (type.record != nullptr) return out + dump(*type.record);
  if (type.is_value) return out + dump_value(type.value);
  for (const syntax::TypeSyntax* option : type.options) out += (option == type.options[0] ? "" : "|") + dump(*option);
  out += type.name;
  if (type.params.empty() && type.bounds.empty()) return out;
  out += '(';
  for (const syntax::TypeSyntax* param : type.params) out += (out.back() == '(' ? "" : " ") + dump(*param);
  for (const syntax::TypeBound& bound : type.bounds) {
    out += (out.back() == '(' ? "" : " ") + std::string(bound.name.text) + "=" + dump_value(bound.value);
  }
  return out + ')';
}

inline std::string dump(const syntax::RecordSyntax& record) {
  std::string out = record.open ? "open{" : "{";
  for (const syntax::FieldSyntax& field : record.fields) {
    if (out.back() != '{') out += " ";
    out += std::string(field.name.text) + ":" + dump(*field.type);
  }
  return out + "}";
}

inline std::string dump(const syntax::RuleDecl& rule) {
  std::string out = "(" + std::string(to_string(rule.kind));
  if (!rule.name.text.empty()) out += " " + std::string(rule.name.text);
  if (!rule.path.empty()) out += " @";
  for (const syntax::PathStep& step : rule.path) {
    if (step.field.empty()) {
      out += "[*]";
    } else {
      out += (&step == &rule.path[0] ? "" : ".") + std::string(step.field);
    }
  }
  auto clause = [&](const char* word, const syntax::Expr* value) {
    if (value != nullptr) out += std::string(" ") + word + "=" + dump(value);
  };
  clause("when", rule.when);
  clause("because", rule.because);
  clause("from", rule.from);
  if (rule.need != 0) out += " need=" + std::to_string(rule.need);
  if (!rule.distinct) out += " distinct=false";
  clause("expires", rule.expires);
  clause("with", rule.with);
  return out + ")";
}

inline std::string dump(const syntax::CapabilityDecl& decl) {
  std::string out = "capability " + std::string(decl.name.text);
  auto one = [&](const char* word, const std::optional<syntax::Name>& name) {
    if (name) out += std::string(" ") + word + "=" + std::string(name->text);
  };
  auto many = [&](const char* word, std::span<const syntax::Name> names) {
    for (const syntax::Name& name : names)
      out += (&name == &names[0] ? std::string(" ") + word + "=" : std::string(",")) + std::string(name.text);
  };
  one("type", decl.type);
  one("risk", decl.risk);
  one("owner", decl.owner);
  one("description", decl.description);
  many("effect", decl.effects);
  many("scopes", decl.scopes);
  many("tags", decl.tags);
  many("labels", decl.labels);
  if (decl.input != nullptr) out += " input=" + dump(*decl.input);
  if (decl.output != nullptr) out += " output=" + dump(*decl.output);
  return out + "\n";
}

inline std::string dump(const syntax::PolicyDecl& policy) {
  std::string out =
      "policy " + std::string(policy.name.text) + " " + (policy.stage == Stage::before ? "before" : "after");
  for (const syntax::Target& target : policy.targets) {
    out += (target.quoted ? " \"" : " ") + std::string(target.text) + (target.quoted ? "\"" : "");
  }
  if (!policy.version.empty()) out += " version=" + std::string(policy.version);
  if (!policy.description.empty()) out += " description=" + std::string(policy.description);
  out += "\n";
  for (const syntax::RuleDecl& rule : policy.rules) out += "  " + dump(rule) + "\n";
  for (const syntax::LabelRuleDecl& rule : policy.label_rules) {
    out += std::string("  ") + (rule.is_clear ? "clear " : "label ") + std::string(rule.label.text);
    if (!rule.rule.name.text.empty()) out += " as " + std::string(rule.rule.name.text);
    if (rule.rule.when != nullptr) out += " when=" + dump(rule.rule.when);
    if (rule.rule.from != nullptr) out += " from=" + dump(rule.rule.from);
    out += "\n";
  }
  return out;
}

inline std::string dump(const syntax::ExpectStep& expect) {
  std::string out = "expect " + std::string(expect.effect);
  return expect.by.text.empty() ? out : out + " by " + std::string(expect.by.text);
}

inline std::string dump(const syntax::CallStep& call) {
  std::string out = "call " + std::string(call.capability.text);
  for (const syntax::FieldInit& field : call.input) out += " " + std::string(field.name.text) + ":" + dump(field.value);
  if (call.like != nullptr) out += " like " + dump(call.like);
  if (call.has_returns) out += " returns " + dump(call.returns);
  for (const syntax::Binding& binding : call.with)
    out += " with " + std::string(binding.path.text) + "=" + dump(binding.value);
  return out;
}

inline std::string dump(const syntax::RowsStep& rows) {
  std::string out = "rows";
  for (const syntax::Name& column : rows.columns) out += " " + std::string(column.text);
  for (const syntax::RowDecl& row : rows.rows) {
    out += "\n    row";
    for (const syntax::Expr* value : row.values) out += " " + dump(value);
    for (const syntax::ExpectStep& expect : row.expects) out += " " + dump(expect);
  }
  return out;
}

inline std::string dump(const syntax::AnswerStep& answer) {
  constexpr const char* kAnswers[] = {"fails", "approve", "reject"};
  std::string out = kAnswers[answer.what];
  if (!answer.group.text.empty()) out += " from " + std::string(answer.group.text);
  if (!answer.approver.text.empty()) out += " as " + std::string(answer.approver.text);
  return out;
}

inline std::string dump(const syntax::TestStep& step) {
  switch (step.kind) {
    case syntax::TestStep::Kind::call:
      return dump(step.call);
    case syntax::TestStep::Kind::expect:
      return dump(step.expect);
    case syntax::TestStep::Kind::let:
      return "let " + std::string(step.let.name.text) + "=" + dump(step.let.value);
    case syntax::TestStep::Kind::rows:
      return dump(step.rows);
    case syntax::TestStep::Kind::wait:
      return "wait " + dump(step.wait.duration);
    case syntax::TestStep::Kind::answer:
      return dump(step.answer);
  }
  return "?";
}

inline std::string dump(const syntax::StateDecl& decl) {
  std::string out = std::string(to_string(decl.kind)) + " " + std::string(decl.name.text);
  if (!decl.verb.text.empty()) out += " " + std::string(decl.verb.text);
  for (const syntax::Target& target : decl.targets) out += " " + std::string(target.text);
  if (decl.total != nullptr) out += " total=" + dump(decl.total);
  if (decl.limit != 0) out += " limit=" + std::to_string(decl.limit);
  if (decl.burst) out += " burst=" + std::to_string(*decl.burst);
  if (decl.amount != nullptr) out += " amount=" + dump(decl.amount);
  if (decl.is_signed) out += " signed";
  if (decl.when != nullptr) out += " when=" + dump(decl.when);
  for (const syntax::Name& key : decl.keys) out += " by=" + std::string(key.text);
  if (decl.window != nullptr) out += " window=" + dump(decl.window);
  if (decl.up_to) out += " up_to=" + std::to_string(*decl.up_to);
  if (!decl.period.text.empty()) out += " period=" + std::string(decl.period.text);
  if (!decl.zone.text.empty()) out += " zone=" + std::string(decl.zone.text);
  if (decl.settle != nullptr) out += " settle=" + dump(decl.settle);
  return out + "\n";
}

inline std::string dump(const syntax::TestDecl& test) {
  std::string out = "test " + std::string(test.name.text) + "\n";
  for (const syntax::TestStep& step : test.steps) out += "  " + dump(step) + "\n";
  return out;
}

inline std::string dump(const syntax::File& file) {
  std::string out;
  if (!file.package.text.empty()) out += "package " + std::string(file.package.text) + "\n";
  for (const auto& import : file.imports) out += "import " + std::string(import.path.text) + "\n";
  for (const auto& option : file.options)
    out += "option " + std::string(option.name.text) + "=" + std::string(option.value.text) + "\n";
  for (const auto& context : file.contexts) {
    out += "context";
    for (const auto& entry : context.entries) out += " " + std::string(entry.name.text) + "=" + dump(*entry.record);
    out += "\n";
  }
  for (const auto& capability : file.capabilities) out += dump(capability);
  for (const auto& let : file.lets) out += "let " + std::string(let.name.text) + "=" + dump(let.value) + "\n";
  for (const auto& state : file.states) out += dump(state);
  for (const auto& label : file.labels) out += "label " + std::string(label.text) + "\n";
  for (const auto& policy : file.policies) out += dump(policy);
  for (const auto& test : file.tests) out += dump(test);
  return out;
}

/// A text and the result of parsing it. Keeps both alive.
struct Parsed {
  Arena arena;
  Diagnostics diagnostics;
  syntax::File file;
  syntax::Expr* expression = nullptr;

  std::string_view text(Span span) const {
    return std::string_view(diagnostics.sources[0]->text).substr(span.begin, span.end - span.begin);
  }

  /// One line per diagnostic: line:column code: message [| help]
  std::string report() const {
    std::string out;
    for (const Diagnostic& item : diagnostics.items) {
      LineColumn at = line_column(*diagnostics.sources[0], item.span.begin);
      out += std::to_string(at.line) + ":" + std::to_string(at.column) + " " + item.code + ": " + item.message;
      if (!item.help.empty()) out += " | " + item.help;
      out += "\n";
    }
    return out;
  }
};

inline std::unique_ptr<Parsed> parse_file(std::string text, const ParseLimits& limits = {}) {
  auto out = std::make_unique<Parsed>();
  out->diagnostics.sources.push_back(std::make_shared<Source>(Source{"test.policy", std::move(text)}));
  out->file = parse(out->arena, out->diagnostics, 0, limits);
  return out;
}

inline std::unique_ptr<Parsed> parse_text(std::string text, const ParseLimits& limits = {}) {
  auto out = std::make_unique<Parsed>();
  out->diagnostics.sources.push_back(std::make_shared<Source>(Source{"test.policy", std::move(text)}));
  out->expression = parse_expression(out->arena, out->diagnostics, 0, limits);
  return out;
}

}  // namespace ordain::testing
