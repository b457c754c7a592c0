// statements.cc builds declarations: names, types, capabilities, and the heads of policies.
#include "compiler/parse/statements.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include "compiler/parse/literal.h"
#include "compiler/parse/tree.h"

namespace ordain::parsing {
namespace {

using P = grammar::OrdainParser;

}  // namespace

// Joins the tokens of a dotted name, without the space between them and without backticks.
std::string_view StatementBuilder::joined(const antlr4::ParserRuleContext* tree) const {
  const Token& first = first_token(tree);
  const Token& last = last_token(tree);
  std::string_view text = tokens_.text(first.begin, last.end);
  size_t length = 0;
  for (uint32_t i = first.index; i <= last.index; ++i) length += tokens_.text(tokens_.at(i)).size();
  if (length == text.size() && text.find('`') == std::string_view::npos) return text;
  std::string out;
  for (uint32_t i = first.index; i <= last.index; ++i) out += expressions_.name(tokens_.at(i));
  return state_.arena.copy(out);
}

syntax::Name StatementBuilder::name(P::NameContext* tree) const {
  return {tokens_.text(first_token(tree)), span(tree)};
}

syntax::Name StatementBuilder::path(P::PathContext* tree) const { return {joined(tree), span(tree)}; }

bool StatementBuilder::text(P::TextContext* tree, syntax::Name* out) const {
  const Token& token = first_token(tree);
  out->span = span(token);
  return decode_text(state_, tokens_.text(token), token.begin, &out->text);
}

bool StatementBuilder::capability_name(P::CapabilityNameContext* tree, syntax::Name* out) const {
  if (is<P::PathContext>(tree->children[0])) {
    *out = path(child<P::PathContext>(tree, 0));
    return true;
  }
  if (!text(child<P::TextContext>(tree, 0), out)) return false;
  if (!out->text.empty()) return true;
  state_.error("syntax", out->span, "a capability's name cannot be empty");
  return false;
}

bool StatementBuilder::import(P::ImportDeclContext* tree, syntax::ImportDecl* out) const {
  if (is<P::TextContext>(tree->children[1])) return text(child<P::TextContext>(tree, 1), &out->path);
  out->path = path(child<P::PathContext>(tree, 1));
  return true;
}

bool StatementBuilder::option(P::OptionDeclContext* tree, syntax::OptionDecl* out) {
  out->name = name(child<P::NameContext>(tree, 1));
  if (is<P::NameContext>(tree->children[3])) {
    out->value = name(child<P::NameContext>(tree, 3));
    return true;
  }
  const Token& token = token_at(tree, 3);
  out->value = {tokens_.text(token), span(token)};
  out->literal = expressions_.literal(token);
  return out->literal != nullptr;
}

bool StatementBuilder::let(P::LetDeclContext* tree, syntax::LetDecl* out) {
  out->name = name(child<P::NameContext>(tree, 1));
  if (is<P::DataFileContext>(tree->children[3])) return data_file(child<P::DataFileContext>(tree, 3), out);
  out->value = expressions_.build(child<P::ExprContext>(tree, 3));
  return out->value != nullptr;
}

bool StatementBuilder::data_file(P::DataFileContext* tree, syntax::LetDecl* out) const {
  const syntax::Name word = name(child<P::NameContext>(tree, 0));
  if (word.text != "data") {
    state_.error("syntax", word.span, "expected an expression or `data`, found " + quote(word.text));
    return false;
  }
  auto* data = state_.arena.make<syntax::DataFile>();
  data->span = span(tree);
  bool good = text(child<P::TextContext>(tree, 1), &data->path);
  if (is<P::NameContext>(tree->children[2])) {
    const syntax::Name second = name(child<P::NameContext>(tree, 2));
    good = text(child<P::TextContext>(tree, 3), &data->column) && good;
    if (second.text != "column") {
      state_.error("syntax", second.span, "expected `column` or `of`, found " + quote(second.text));
      good = false;
    }
  }
  data->type = type(static_cast<P::TypeRefContext*>(tree->children.back()));
  out->data = data;
  return good;
}

bool StatementBuilder::fixture(P::LetDeclContext* tree, syntax::LetDecl* out) {
  out->name = name(child<P::NameContext>(tree, 1));
  if (is<P::DataFileContext>(tree->children[3])) {
    state_.error("syntax", span(child<P::DataFileContext>(tree, 3)), "a test cannot read a data file",
                 "write the `let` outside of the test");
    return false;
  }
  out->value = expressions_.build_record(child<P::ExprContext>(tree, 3));
  return out->value != nullptr;
}

bool StatementBuilder::context_entry(P::ContextEntryContext* tree, syntax::ContextEntry* out) const {
  out->name = name(child<P::NameContext>(tree, 0));
  out->record = record(child<P::RecordContext>(tree, 1));
  return true;
}

syntax::RecordSyntax* StatementBuilder::record(P::RecordContext* tree) const {
  auto* out = state_.arena.make<syntax::RecordSyntax>();
  out->open = first_token(tree).getType() == P::K_OPEN;
  out->span = span(tree);
  std::vector<syntax::FieldSyntax> fields;
  std::unordered_map<std::string_view, Span> first;  // by name
  for (antlr4::tree::ParseTree* node : tree->children) {
    if (!is<P::FieldContext>(node)) continue;
    auto* field = static_cast<P::FieldContext*>(node);
    const Token& word = first_token(field);
    syntax::Name field_name{expressions_.name(word), span(word)};
    if (const auto [known, is_new] = first.try_emplace(field_name.text, field_name.span); !is_new) {
      state_.error("duplicate-field", field_name.span, "field " + quote(field_name.text) + " is declared twice")
          .notes.push_back({Severity::note, "", "first declared here", known->second, "", {}});
    }
    fields.push_back({field_name, type(child<P::TypeRefContext>(field, 2))});
  }
  out->fields = state_.arena.copy(fields);
  return out;
}

syntax::TypeSyntax* StatementBuilder::type(P::TypeRefContext* tree) const {
  auto* out = state_.arena.make<syntax::TypeSyntax>();
  const bool secret = is_token(tree->children[0]);
  const size_t first = secret ? 1 : 0;
  if (tree->children.size() == first + 1) {
    type_option(child<P::TypeOptionContext>(tree, first), out);
  } else {
    std::vector<syntax::TypeSyntax*> options;
    for (size_t i = first; i < tree->children.size(); i += 2) {
      options.push_back(state_.arena.make<syntax::TypeSyntax>());
      type_option(child<P::TypeOptionContext>(tree, i), options.back());
    }
    out->options = state_.arena.copy(options);
  }
  out->secret = secret;
  out->span = span(tree);
  return out;
}

void StatementBuilder::type_option(P::TypeOptionContext* tree, syntax::TypeSyntax* out) const {
  out->span = span(tree);
  if (is<P::RecordContext>(tree->children[0])) {
    out->record = record(child<P::RecordContext>(tree, 0));
  } else if (is<P::TypeLiteralContext>(tree->children[0])) {
    out->is_value = true;
    out->value = type_value(child<P::TypeLiteralContext>(tree, 0));
  } else {
    named_type(tree, out);
  }
}

void StatementBuilder::named_type(P::TypeOptionContext* tree, syntax::TypeSyntax* out) const {
  out->name = joined(child<P::PathContext>(tree, 0));
  std::vector<syntax::TypeSyntax*> params;
  std::vector<syntax::TypeBound> bounds;
  for (size_t i = 2; i < tree->children.size(); i += 2) {
    auto* argument = child<P::TypeArgumentContext>(tree, i);
    if (is<P::TypeRefContext>(argument->children[0])) {
      params.push_back(type(child<P::TypeRefContext>(argument, 0)));
    } else {
      bounds.push_back(
          {name(child<P::NameContext>(argument, 0)), type_number(child<P::TypeNumberContext>(argument, 1))});
    }
  }
  out->params = state_.arena.copy(params);
  out->bounds = state_.arena.copy(bounds);
}

// The value is absent after an error.
Value StatementBuilder::type_value(P::TypeLiteralContext* tree) const {
  if (is<P::TypeNumberContext>(tree->children[0])) return type_number(child<P::TypeNumberContext>(tree, 0));
  if (is_token(tree->children[0])) return Value::boolean(first_token(tree).getType() == P::K_TRUE);
  syntax::Name decoded;
  return text(child<P::TextContext>(tree, 0), &decoded) ? Value::string(decoded.text) : Value();
}

Value StatementBuilder::type_number(P::TypeNumberContext* tree) const {
  const Token& token = last_token(tree);
  const bool negative = tree->children.size() == 2;
  const std::string_view digits = tokens_.text(token);
  Value out;
  bool good = false;
  if (token.getType() == P::FLOAT) {
    good = decode_float(state_, digits, span(tree), negative, &out);
  } else if (token.getType() == P::INT) {
    good = decode_int(state_, digits, span(tree), negative, &out);
  } else if (negative) {
    state_.error("number-range", span(tree), "a uint cannot be negative");
  } else {
    good = decode_uint(state_, digits, span(tree), &out);
  }
  return good ? out : Value();
}

// Reports a property or clause that occurs a second time.
bool StatementBuilder::first_of_its_kind(const Token& word) {
  for (const Token* other : seen_) {
    if (other->getType() != word.getType()) continue;
    state_.error("duplicate-property", span(word), quote(tokens_.text(word)) + " is given twice")
        .notes.push_back({Severity::note, "", "first given here", span(*other), "", {}});
    return false;
  }
  seen_.push_back(&word);
  return true;
}

void StatementBuilder::capability_property(P::CapabilityPropertyContext* tree, syntax::CapabilityDecl* out) {
  const Token& word = first_token(tree);
  if (!first_of_its_kind(word)) return;
  std::vector<syntax::Name> values;
  bool good = true;
  for (antlr4::tree::ParseTree* node : tree->children) {
    syntax::Name value;
    if (is<P::NameContext>(node)) {
      values.push_back(name(static_cast<P::NameContext*>(node)));
    } else if (is<P::TextContext>(node)) {
      good = text(static_cast<P::TextContext*>(node), &value) && good;
      values.push_back(value);
    }
  }
  if (!good) return;
  switch (word.getType()) {
    case P::K_TYPE:
      out->type = values[0];
      break;
    case P::K_RISK:
      out->risk = values[0];
      break;
    case P::K_OWNER:
      out->owner = values[0];
      break;
    case P::K_DESCRIPTION:
      out->description = values[0];
      break;
    case P::K_EFFECT:
      out->effects = state_.arena.copy(values);
      break;
    case P::K_SCOPES:
      out->scopes = state_.arena.copy(values);
      break;
    case P::K_TAGS:
      out->tags = state_.arena.copy(values);
      break;
    case P::K_LABELS:
      out->labels = state_.arena.copy(values);
      break;
    case P::K_INPUT:
      out->input = record(child<P::RecordContext>(tree, 1));
      break;
    default:
      out->output = record(child<P::RecordContext>(tree, 1));
      break;
  }
}

syntax::Target StatementBuilder::target(P::TargetContext* tree) const {
  syntax::Target out;
  out.span = span(tree);
  if (!is<P::TextContext>(tree->children[0])) {
    out.text = joined(tree);
    return out;
  }
  out.quoted = true;
  syntax::Name decoded;
  if (text(child<P::TextContext>(tree, 0), &decoded)) {
    out.text = decoded.text;
    if (out.text.empty()) state_.error("syntax", out.span, "a capability's name cannot be empty");
  }
  return out;
}

void StatementBuilder::policy_head(P::PolicyHeadContext* tree, syntax::PolicyDecl* out) const {
  out->name = name(child<P::NameContext>(tree, 1));
  const Token& stage = token_at(tree, 3);
  out->stage_span = span(stage);
  out->stage = stage.getType() == P::K_BEFORE ? Stage::before : Stage::after;
  std::vector<syntax::Target> targets;
  for (size_t i = 4; i < tree->children.size(); i += 2) targets.push_back(target(child<P::TargetContext>(tree, i)));
  out->targets = state_.arena.copy(targets);
}

void StatementBuilder::policy_property(P::PolicyPropertyContext* tree, bool after_rules, syntax::PolicyDecl* out) {
  const Token& word = first_token(tree);
  if (!first_of_its_kind(word)) return;
  if (after_rules) {
    state_.error("misplaced-property", span(word), quote(tokens_.text(word)) + " must come before the policy's rules");
  }
  syntax::Name value;
  if (!text(child<P::TextContext>(tree, 1), &value)) return;
  (word.getType() == P::K_VERSION ? out->version : out->description) = value.text;
}

}  // namespace ordain::parsing
