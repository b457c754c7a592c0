// test_values.cc checks whether the values of a test fit the declarations, as strictly as calls are
// bound. A name is checked as the value that it stands for.
#include <algorithm>
#include <cmath>
#include <utility>

#include "compiler/check/policy/test_scope.h"

namespace ordain::policy {
namespace {

void misfit(TestScope& test, Span span, const std::string& what, const Type& wanted, std::string_view got) {
  test.state.diagnostics.error("type-mismatch", span,
                               quoted(what) + " must be " + to_string(wanted) + ", this is " + std::string(got));
}

bool fit_map_literal(TestScope& test, const syntax::Expr& value, const Type& type, const std::string& what) {
  if (type.kind == TypeKind::record) {
    std::vector<FieldValue> fields;
    for (size_t i = 0; i + 1 < value.args.size(); i += 2) {
      if (value.args[i] == nullptr) continue;
      fields.push_back({key_name(*value.args[i]), value.args[i]->span, value.args[i + 1]});
    }
    return fit_fields(test, fields, *type.record, value.span);
  }
  bool ok = true;
  for (size_t i = 0; i + 1 < value.args.size(); i += 2) {
    if (value.args[i] != nullptr) ok = fit_value(test, *value.args[i], *type.params[0], false, what) && ok;
    if (value.args[i + 1] != nullptr)
      ok = fit_value(test, *value.args[i + 1], *type.params[1], false, what + "[*]") && ok;
  }
  return ok;
}

bool fit_list_literal(TestScope& test, const syntax::Expr& value, const Type& type, const std::string& what) {
  bool ok = true;
  for (const syntax::Expr* element : value.args) {
    if (element != nullptr) ok = fit_value(test, *element, *type.params[0], false, what + "[*]") && ok;
  }
  return ok;
}

bool is_number(const Type& type) {
  return type.kind == TypeKind::integer || type.kind == TypeKind::unsigned_integer || type.kind == TypeKind::floating;
}

// @returns whether a value of type `from` may fit where a call's data must be `to`, by the table
// that calls are bound by
bool may_fit(const Type& from, const Type& to) {
  if (from.kind == TypeKind::dyn || from.kind == TypeKind::error || to.kind == TypeKind::dyn ||
      to.kind == TypeKind::error) {
    return true;
  }
  if (same_shape(from, to) || (is_number(from) && is_number(to))) return true;
  if (from.kind == TypeKind::string) {
    return to.kind == TypeKind::timestamp || to.kind == TypeKind::duration || to.kind == TypeKind::bytes;
  }
  if (from.kind == TypeKind::map) return to.kind == TypeKind::record || to.kind == TypeKind::map;
  return from.kind == TypeKind::list && to.kind == TypeKind::list && may_fit(*from.params[0], *to.params[0]);
}

const Type* type_of_literal(const Value& value) {
  switch (value.kind) {
    case Kind::null:
      return &types::kNull;
    case Kind::boolean:
      return &types::kBool;
    case Kind::integer:
      return &types::kInt;
    case Kind::unsigned_integer:
      return &types::kUint;
    case Kind::floating:
      return &types::kDouble;
    case Kind::string:
      return &types::kString;
    case Kind::bytes:
      return &types::kBytes;
    default:
      return &types::kDyn;
  }
}

bool fits_literal(const Value& value, const Type& type) {
  if (type.kind == TypeKind::dyn && !type.params.empty()) {
    return std::any_of(type.params.begin(), type.params.end(), [&](const Type* option) {
      return may_fit(*type_of_literal(value), *option) && fits_literal(value, *option);
    });
  }
  if (type.limits != nullptr && value.kind == kind_of(type)) return meets_limits(type, value);
  if (type.kind == TypeKind::integer && value.is(Kind::floating)) {
    return value.d == std::floor(value.d) && std::abs(value.d) < 9.2e18;
  }
  if (type.kind == TypeKind::floating && value.is(Kind::integer)) {
    return static_cast<int64_t>(static_cast<double>(value.i)) == value.i;
  }
  return true;
}

bool fit_risk(TestScope& test, const syntax::Expr& value, const Type& got) {
  if (is_number(got) || got.kind == TypeKind::dyn || got.kind == TypeKind::error) return true;
  if (value.kind == syntax::ExprKind::literal && value.value.is(Kind::string)) {
    std::string_view name = value.value.as_text();
    if (find_risk(name)) return true;
    UnknownRisk unknown = describe_unknown_risk(name, '`');
    test.state.diagnostics.error("unknown-risk", value.span, std::move(unknown.message), std::move(unknown.help));
    return false;
  }
  misfit(test, value.span, "risk", types::kDouble, to_string(got));
  return false;
}

bool fit_written(TestScope& test, const syntax::Expr& value, const Type& type, bool optional, const std::string& what) {
  if (value.kind == syntax::ExprKind::map && (type.kind == TypeKind::record || type.kind == TypeKind::map)) {
    return fit_map_literal(test, value, type, what);
  }
  if (value.kind == syntax::ExprKind::list && type.kind == TypeKind::list)
    return fit_list_literal(test, value, type, what);
  const Type* got = type_of(test, value);
  if (&type == &kRiskType) return fit_risk(test, value, *got);
  if (got->kind == TypeKind::null_type && optional) return true;
  bool literal = value.kind == syntax::ExprKind::literal;
  if (may_fit(*got, type) && (!literal || fits_literal(value.value, type))) return true;
  const bool outside = literal && value.value.is(Kind::string) && is_limited(type);
  misfit(test, value.span, what, type, outside ? '"' + std::string(value.value.as_text()) + '"' : to_string(*got));
  return false;
}

}  // namespace

std::string_view key_name(const syntax::Expr& key) {
  if (key.kind == syntax::ExprKind::ident) return key.name;
  if (key.kind == syntax::ExprKind::literal && key.value.is(Kind::string)) return key.value.as_text();
  return {};
}

bool fit_fields(TestScope& test, const std::vector<FieldValue>& fields, const RecordType& record, Span whole) {
  bool ok = true;
  std::set<std::string_view> seen;
  Diagnostics& diagnostics = test.state.diagnostics;
  for (const FieldValue& field : fields) {
    std::string path = std::string(record.name) + "." + std::string(field.name);
    if (!seen.insert(field.name).second) {
      diagnostics.error("duplicate-field", field.span, quoted(field.name) + " stands twice");
      ok = false;
      continue;
    }
    const RecordField* known = record.find(field.name);
    if (known != nullptr) {
      ok = (field.value == nullptr || fit_value(test, *field.value, *known->type, known->optional, path)) && ok;
    } else if (!record.open) {
      diagnostics.error("unknown-field", field.span, quoted(record.name) + " has no field " + quoted(field.name),
                        did_you_mean(field.name, field_names(record)));
      ok = false;
    } else if (field.value != nullptr) {
      type_of(test, *field.value);
    }
  }
  for (const RecordField& field : record.fields) {
    if (field.optional || seen.contains(field.name)) continue;
    diagnostics.error("test-missing-field", whole, quoted(record.name) + " needs a value for " + quoted(field.name));
    ok = false;
  }
  return ok;
}

bool fit_value(TestScope& test, const syntax::Expr& given, const Type& type, bool optional, const std::string& what) {
  const syntax::Expr& value = literal_of(test, given);
  std::vector<Diagnostic>& items = test.state.diagnostics.items;
  const size_t before = items.size();
  const bool ok = fit_written(test, value, type, optional, what);
  for (size_t i = before; &value != &given && i < items.size(); ++i) {
    items[i].notes.push_back({Severity::note, "", "used here", given.span, "", {}});
  }
  return ok;
}

}  // namespace ordain::policy
