// overloads.cc resolves overloads: it finds the rows of a function that the static types admit, and
// whether they prove one.
#include <algorithm>

#include "compiler/check/expression/checker.h"

namespace ordain::checking {
namespace {

bool is_implemented(const Overload& overload) {
  return overload.call != nullptr || overload.preparation.call != nullptr;
}

// Beside other rows, a row that accepts anything and returns dyn is for values whose type is known
// only at run time.
bool is_catch_all(const Overload& overload, size_t rows) {
  return rows > 1 && overload.params.size() > 1 && overload.result->kind == TypeKind::dyn &&
         std::all_of(overload.params.begin(), overload.params.end(),
                     [](const Type* param) { return param->kind == TypeKind::param; });
}

// A cheap test that rules out rows whose kinds cannot fit, so that unification runs only for the
// few others.
bool may_fit(const Type& argument, const Type& param) {
  if (is_dyn_or_error(&argument) || argument.kind == TypeKind::param || argument.kind == TypeKind::null_type)
    return true;
  if (is_dyn_or_error(&param) || param.kind == TypeKind::param) return true;
  if (argument.kind == TypeKind::record && param.kind == TypeKind::map) return true;
  return argument.kind == param.kind;
}

std::string signature_of(const Overload& overload) {
  if (!overload.signature.empty()) return overload.signature;
  std::string out = overload.member ? to_string(*overload.params[0]) + ".(" : "(";
  for (size_t i = overload.member ? 1 : 0; i < overload.params.size(); ++i) {
    if (out.back() != '(') out += ", ";
    out += to_string(*overload.params[i]);
  }
  return out + ") -> " + to_string(*overload.result);
}

// Lists signatures that the function does accept: a handful, those with the same style of call
// first.
std::string signatures_like(const FunctionRef& function, bool member, size_t arguments) {
  std::vector<const Overload*> rows = function.declared;
  if (function.function != nullptr) {
    rows.insert(rows.begin(), function.function->overloads.begin(), function.function->overloads.end());
  }
  auto unlikeness = [&](const Overload& row) { return (row.member != member) + (row.params.size() != arguments); };
  std::vector<std::string> shown;
  for (int unlike = 0; unlike <= 2; ++unlike) {
    for (const Overload* row : rows) {
      if (unlikeness(*row) == unlike && shown.size() < 4) shown.push_back("`" + signature_of(*row) + "`");
    }
  }
  std::string out;
  for (size_t i = 0; i < shown.size(); ++i) {
    out += i == 0 ? "it is " : i + 1 == rows.size() ? " or " : ", ";
    out += shown[i];
  }
  if (rows.size() > shown.size()) out += ", and " + std::to_string(rows.size() - shown.size()) + " more";
  return out;
}

}  // namespace

std::string_view display_name(std::string_view function) {
  if (function == "@in") return "in";
  if (function == "_[_]") return "[]";
  if (function == "_[?_]") return "[?]";
  if (function == "-_") return "-";
  if (function.size() > 2 && function.front() == '_' && function.back() == '_') {
    return function.substr(1, function.size() - 2);
  }
  return function;
}

ExprChecker::Match ExprChecker::match(const FunctionRef& function, bool member, const std::vector<Node*>& args) {
  Match out;
  std::vector<const Type*> given;
  for (const Node* arg : args) given.push_back(arg->type);
  auto consider = [&](const Overload& overload, size_t rows) {
    if (overload.member != member || overload.params.size() != args.size()) return;
    if (is_catch_all(overload, rows)) return;
    for (size_t i = 0; i < given.size(); ++i) {
      if (!may_fit(*infer_.shallow(given[i]), *overload.params[i])) return;
    }
    Inference::Names names;
    std::vector<const Type*> params;
    for (const Type* param : overload.params) params.push_back(infer_.instantiate(param, names));
    if (!infer_.assignable(given, params)) return;
    const Type* result = infer_.applied(infer_.instantiate(overload.result, names));
    if (out.rows.empty()) {
      out.result = result;
    } else if (out.result->kind != TypeKind::dyn && !same_type(*result, *out.result)) {
      out.result = &types::kDyn;
    }
    out.rows.push_back(&overload);
  };
  if (function.function != nullptr) {
    const auto& rows = function.function->overloads;
    for (const Overload* overload : rows) consider(*overload, rows.size());
  }
  for (const Overload* overload : function.declared) consider(*overload, 1);
  if (out.rows.size() > 1) prefer_exact(out, given);
  return out;
}

// Beside a row for exactly these types, a more general row that would also fit does not count.
void ExprChecker::prefer_exact(Match& match, const std::vector<const Type*>& given) {
  for (const Overload* row : match.rows) {
    bool exact = true;
    for (size_t i = 0; i < given.size() && exact; ++i) {
      exact = same_type(*infer_.proven(given[i]), *row->params[i]) && row->params[i]->kind != TypeKind::dyn;
    }
    if (!exact) continue;
    match.result = row->result;
    match.rows = {row};
    return;
  }
}

// Evaluators call a proven row without checking the arguments' kinds.
bool ExprChecker::is_proven(const Overload& overload, const std::vector<Node*>& args) const {
  if (!is_implemented(overload)) return false;
  for (size_t i = 0; i < args.size(); ++i) {
    Kind wanted = kind_of(*overload.params[i]);
    if (wanted != Kind::absent && infer_.proven_kind(args[i]->type) != wanted) return false;
  }
  return true;
}

void ExprChecker::report_no_match(const Expr& e, const FunctionRef& function, bool member,
                                  const std::vector<Node*>& args) {
  std::string given;
  for (size_t i = member ? 1 : 0; i < args.size(); ++i) {
    if (!given.empty()) given += ", ";
    given += describe(args[i]->type);
  }
  std::string name(display_name(function.name));
  std::string message = "`" + name + "` does not take (" + given + ")";
  if (member) message += " on " + describe(args[0]->type);
  std::string help = literal_help(args);
  if (help.empty()) help = operand_help(e, function.name, args);
  if (help.empty()) help = signatures_like(function, member, args.size());
  error("no-matching-overload", e.at, std::move(message), std::move(help));
}

// Suggests how to write a number that is an int where the other operand is a double, or the other
// way round.
std::string ExprChecker::literal_help(const std::vector<Node*>& args) const {
  if (args.size() != 2) return "";
  for (size_t i = 0; i < 2; ++i) {
    const Node& literal = *args[i];
    const Type* other = infer_.shallow(args[1 - i]->type);
    if (literal.kind != NodeKind::constant) continue;
    const Value& value = literal.value;
    if (other->kind == TypeKind::list || other->kind == TypeKind::map) other = infer_.shallow(other->params[0]);
    if (value.is(Kind::integer) && other->kind == TypeKind::floating) {
      return "write `" + std::to_string(value.i) + ".0`";
    }
    if (value.is(Kind::integer) && other->kind == TypeKind::unsigned_integer && value.i >= 0) {
      return "write `" + std::to_string(value.i) + "u`";
    }
    if (value.is(Kind::floating) && other->kind == TypeKind::integer && value.d > -1e15 && value.d < 1e15 &&
        value.d == static_cast<double>(static_cast<int64_t>(value.d))) {
      return "write `" + std::to_string(static_cast<int64_t>(value.d)) + "`";
    }
  }
  return "";
}

}  // namespace ordain::checking
