// tests.cc checks test blocks as strictly as calls are bound, so that a test that cannot run is
// found when it is written.
#include <algorithm>
#include <cmath>
#include <utility>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {
namespace {

// The scope of a package's tests: it has lets but no facts, because a test brings its own.
struct TestScope {
  State& state;
  PackageId package = 0;
  Schema schema = {};
  Scope scope = {};
  typed::Test out = {};  ///< the test that is being checked
};

void open_scope(TestScope& test) {
  State& state = test.state;
  test.scope.schema = &test.schema;
  test.scope.functions = &state.functions;
  test.scope.container = state.packages[test.package].name;
  for (const auto& [name, id] : state.packages[test.package].visible_lets) {
    if (state.lets[id].reads_roots) continue;
    enter_lets(state, test.scope, test.package, Stage::before, state.undeclared(), true, {id}, nullptr);
  }
}

const Type* type_of(TestScope& test, const syntax::Expr& value) {
  typed::Expression checked = check_once(test.state, test.scope, value, nullptr, nullptr, nullptr);
  return checked.root != nullptr ? checked.root->type : &types::kError;
}

void add_fact(TestScope& test, std::vector<std::string_view> path, const syntax::Expr* value) {
  if (value == nullptr || test.state.diagnostics.has_errors()) return;
  test.out.steps.back().facts.push_back(
      {std::move(path), check_once(test.state, test.scope, *value, nullptr, nullptr, nullptr)});
}

bool fit_value(TestScope& test, const syntax::Expr& value, const Type& type, bool optional, const std::string& what);

void misfit(TestScope& test, Span span, const std::string& what, const Type& wanted, std::string_view got) {
  test.state.diagnostics.error("type-mismatch", span,
                               quoted(what) + " must be " + to_string(wanted) + ", this is " + std::string(got));
}

std::string_view key_name(const syntax::Expr& key) {
  if (key.kind == syntax::ExprKind::ident) return key.name;
  if (key.kind == syntax::ExprKind::literal && key.value.is(Kind::string)) return key.value.as_text();
  return {};
}

struct FieldValue {
  std::string_view name;
  Span span;
  const syntax::Expr* value = nullptr;
};

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
  if (same_type(from, to) || (is_number(from) && is_number(to))) return true;
  if (from.kind == TypeKind::string) {
    return to.kind == TypeKind::timestamp || to.kind == TypeKind::duration || to.kind == TypeKind::bytes;
  }
  if (from.kind == TypeKind::map) return to.kind == TypeKind::record || to.kind == TypeKind::map;
  return from.kind == TypeKind::list && to.kind == TypeKind::list && may_fit(*from.params[0], *to.params[0]);
}

bool fits_literal(const Value& value, const Type& type) {
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

bool fit_value(TestScope& test, const syntax::Expr& value, const Type& type, bool optional, const std::string& what) {
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
  misfit(test, value.span, what, type, to_string(*got));
  return false;
}

void check_input(TestScope& test, const syntax::CallStep& call, const Type* input) {
  std::vector<FieldValue> fields;
  for (const syntax::FieldInit& field : call.input) fields.push_back({field.name.text, field.name.span, field.value});
  if (input != nullptr) {
    fit_fields(test, fields, *input->record, call.capability.span);
    return;
  }
  for (const FieldValue& field : fields) {
    if (field.value != nullptr) type_of(test, *field.value);
  }
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    out.push_back(path.substr(0, dot));
    path.remove_prefix(dot + 1);
  }
  out.push_back(path);
  return out;
}

// @returns the type of the value that `with` sets; nullptr after an error
const Type* bound_type(TestScope& test, const syntax::Binding& binding, bool* optional) {
  std::vector<std::string_view> path = split(binding.path.text);
  Diagnostics& diagnostics = test.state.diagnostics;
  std::vector<std::string> names;
  const Root* root = nullptr;
  for (const Root& candidate : test.state.roots) {
    if (candidate.name == "capability") continue;  // set by the declaration
    names.push_back(candidate.name);
    if (candidate.name == path[0]) root = &candidate;
  }
  if (root == nullptr) {
    diagnostics.error("test-unknown-context", binding.path.span,
                      "`with` sets the host's facts; " + quoted(path[0]) + " is not one", did_you_mean(path[0], names));
    return nullptr;
  }
  const Type* type = root->meaning.type;
  for (size_t i = 1; i < path.size(); ++i) {
    if (type->kind == TypeKind::dyn) return type;
    if (type->kind == TypeKind::map) {
      type = type->params[1];
      continue;
    }
    if (type->kind != TypeKind::record) {
      diagnostics.error("unknown-field", binding.path.span, to_string(*type) + " has no field " + quoted(path[i]));
      return nullptr;
    }
    const RecordField* field = type->record->find(path[i]);
    if (field == nullptr && type->record->open) return &types::kDyn;
    if (field == nullptr) {
      diagnostics.error("unknown-field", binding.path.span,
                        quoted(type->record->name) + " has no field " + quoted(path[i]),
                        did_you_mean(path[i], field_names(*type->record)));
      return nullptr;
    }
    type = field->type;
    *optional = field->optional;
  }
  return type;
}

void check_binding(TestScope& test, const syntax::Binding& binding) {
  bool optional = false;
  const Type* type = bound_type(test, binding, &optional);
  if (binding.value == nullptr) return;
  if (type == nullptr) {
    type_of(test, *binding.value);
    return;
  }
  std::vector<std::string_view> path = split(binding.path.text);
  if (type->kind == TypeKind::record && path.size() == 1) {
    // A root may be given by its id or by some of its attributes; the other attributes are absent.
    if (binding.value->kind == syntax::ExprKind::map) {
      RecordType partial = *type->record;
      std::vector<RecordField> fields(partial.fields.begin(), partial.fields.end());
      for (RecordField& field : fields) field.optional = true;
      partial.fields = fields;
      Type partial_type = *type;
      partial_type.record = &partial;
      fit_value(test, *binding.value, partial_type, false, std::string(binding.path.text));
      add_fact(test, std::move(path), binding.value);
      return;
    }
    const RecordField* id = type->record->find("id");
    if (id != nullptr) {
      type = id->type;
      path.push_back("id");
    }
  }
  fit_value(test, *binding.value, *type, optional, std::string(binding.path.text));
  add_fact(test, std::move(path), binding.value);
}

void check_call(TestScope& test, const syntax::CallStep& call) {
  State& state = test.state;
  auto known = state.capability_ids.find(std::string(call.capability.text));
  const CapabilityShape* shape = nullptr;
  if (known != state.capability_ids.end()) {
    shape = &state.shapes[known->second];
  } else {
    std::vector<std::string> names;
    for (const auto& [name, id] : state.capability_ids) names.push_back(name);
    std::sort(names.begin(), names.end());
    bool matched = std::any_of(state.set.schema.globs.begin(), state.set.schema.globs.end(),
                               [&](const std::string& glob) { return glob_matches(glob, call.capability.text); });
    std::string message = "no capability " + quoted(call.capability.text) + " is declared";
    state.diagnostics.add(matched ? Severity::warning : Severity::error, "test-unknown-capability",
                          call.capability.span, std::move(message), did_you_mean(call.capability.text, names));
  }
  Stage stage = call.has_returns ? Stage::after : Stage::before;
  test.out.steps.push_back({.span = call.span, .capability = call.capability.text, .stage = stage});
  check_input(test, call, shape != nullptr ? shape->input : nullptr);
  for (const syntax::FieldInit& field : call.input) add_fact(test, {"input", field.name.text}, field.value);
  if (call.returns != nullptr) {
    const Type* output = shape != nullptr && shape->output != nullptr ? shape->output : &types::kDyn;
    fit_value(test, *call.returns, *output, false, std::string(call.capability.text) + ".output");
    add_fact(test, {"output"}, call.returns);
  }
  std::set<std::string_view> seen;
  for (const syntax::Binding& binding : call.with) {
    if (!seen.insert(binding.path.text).second) {
      state.diagnostics.error("duplicate-field", binding.path.span, quoted(binding.path.text) + " stands twice");
    }
    check_binding(test, binding);
  }
}

// @returns whether a rule of this kind can cause the effect that the test expects. Faults make
// rules of other kinds deny.
bool can_cause(RuleKind kind, std::string_view effect) {
  if (effect == "deny") return kind != RuleKind::allow && kind != RuleKind::warn;
  return effect == to_string(kind);
}

// @returns the rule that an expectation names; kNone after an error
RuleId named_rule(State& state, const syntax::ExpectStep& expect) {
  auto rule = state.rule_names.find(std::string(expect.by.text));
  if (rule != state.rule_names.end()) return rule->second;
  std::vector<std::string> names;
  for (const RuleInfo& info : state.set.rules) names.push_back(info.name);
  state.diagnostics.error("test-unknown-rule", expect.by.span, "no rule is called " + quoted(expect.by.text),
                          did_you_mean(expect.by.text, names));
  return kNone;
}

void check_expect(TestScope& test, const syntax::ExpectStep& expect, const syntax::CallStep* call) {
  State& state = test.state;
  if (call == nullptr) {
    state.diagnostics.error("test-without-call", expect.span, "`expect` comes before any `call`");
  }
  test.out.steps.push_back({.span = expect.span, .effect = expect.effect});
  if (expect.by.text.empty()) return;
  const RuleId rule = named_rule(state, expect);
  if (rule == kNone) return;
  test.out.steps.back().rule = rule;
  const RuleInfo& info = state.set.rules[rule];
  Diagnostic* error = nullptr;
  if (!can_cause(info.kind, expect.effect)) {
    error = &state.diagnostics.error(
        "test-wrong-effect", expect.by.span,
        quoted(info.name) + " is a rule to " + quoted(to_string(info.kind)) + ", it cannot " + quoted(expect.effect));
  } else if (call != nullptr && (info.stage == Stage::after) != call->has_returns) {
    error = &state.diagnostics.error("test-wrong-stage", expect.by.span,
                                     quoted(info.name) + " is a rule on " + quoted(to_string(info.stage)),
                                     call->has_returns ? "a call that `returns` is decided after it ran"
                                                       : "what is decided after a call needs what it `returns`");
  }
  if (error == nullptr) return;
  error->notes.push_back({Severity::note, "", "defined here", state.set.rule_spans[rule], "", {}});
}

void check_test(TestScope& test, const syntax::TestDecl& decl) {
  test.out = {.name = decl.name.text, .span = decl.name.span};
  const syntax::CallStep* call = nullptr;
  bool expects = false;
  for (const syntax::TestStep& step : decl.steps) {
    if (step.is_call) {
      call = &step.call;
      check_call(test, step.call);
    } else {
      check_expect(test, step.expect, call);
      expects = true;
    }
  }
  if (!expects) {
    test.state.diagnostics.warning("test-without-expect", decl.name.span,
                                   "this test expects nothing, so it cannot fail");
  }
  test.state.set.tests.push_back(std::move(test.out));
}

}  // namespace

void check_tests(State& state) {
  std::map<std::pair<PackageId, std::string>, Span> names;
  std::map<PackageId, std::unique_ptr<TestScope>> scopes;
  for (uint32_t file = 0; file < state.files.size(); ++file) {
    PackageId package = state.file_packages[file];
    for (const syntax::TestDecl& test : state.files[file].tests) {
      auto [first, added] = names.emplace(std::pair(package, std::string(test.name.text)), test.name.span);
      if (!added) {
        Diagnostic& error = state.diagnostics.error("duplicate-test", test.name.span,
                                                    "a test " + quoted(test.name.text) + " is already in this package");
        error.notes.push_back({Severity::note, "", "first defined here", first->second, "", {}});
      }
      std::unique_ptr<TestScope>& scope = scopes[package];
      if (scope == nullptr) {
        scope = std::make_unique<TestScope>(TestScope{state, package});
        open_scope(*scope);
      }
      check_test(*scope, test);
    }
  }
}

}  // namespace ordain::policy
