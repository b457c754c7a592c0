// tests.cc checks test blocks as strictly as calls are bound, so that a test that cannot run is
// found when it is written.
#include <algorithm>
#include <set>
#include <utility>

#include "compiler/check/policy/test_scope.h"

namespace ordain::policy {
namespace {

void add_fact(TestScope& test, std::vector<std::string_view> path, const syntax::Expr* value) {
  if (value == nullptr || test.state.diagnostics.has_errors()) return;
  test.out.steps.back().facts.push_back(
      {std::move(path), check_once(test.state, test.scope, *value, nullptr, nullptr, nullptr)});
}

// Adds the fields of the record that a call is `like`, except those that the call sets itself.
// @returns false if it is not a record
bool add_like_fields(TestScope& test, const syntax::CallStep& call, std::vector<FieldValue>& fields) {
  Diagnostics& diagnostics = test.state.diagnostics;
  const syntax::Expr& record = literal_of(test, *call.like);
  if (record.kind != syntax::ExprKind::map) {
    const Type* got = type_of(test, *call.like);
    if (got->kind != TypeKind::error) {
      diagnostics.error("type-mismatch", call.like->span, "`like` needs a record, this is " + to_string(*got),
                        "write a record, or the name of a `let` whose value is one");
    }
    return false;
  }
  for (size_t i = 0; i + 1 < record.args.size(); i += 2) {
    if (record.args[i] == nullptr) continue;
    const std::string_view name = key_name(*record.args[i]);
    if (name.empty()) {
      diagnostics.error("type-mismatch", record.args[i]->span, "the name of a field must be a text");
      continue;
    }
    const bool own = std::any_of(call.input.begin(), call.input.end(),
                                 [&](const syntax::FieldInit& field) { return field.name.text == name; });
    if (!own) fields.push_back({name, record.args[i]->span, record.args[i + 1]});
  }
  return true;
}

void check_input(TestScope& test, const syntax::CallStep& call, const Type* input) {
  std::vector<FieldValue> fields;
  for (const syntax::FieldInit& field : call.input) fields.push_back({field.name.text, field.name.span, field.value});
  const bool complete = call.like == nullptr || add_like_fields(test, call, fields);
  if (input != nullptr && complete) {
    fit_fields(test, fields, *input->record, call.capability.span);
  } else {
    for (const FieldValue& field : fields) {
      if (field.value != nullptr) type_of(test, *field.value);
    }
  }
  for (const FieldValue& field : fields) add_fact(test, {"input", field.name}, field.value);
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
    if (literal_of(test, *binding.value).kind == syntax::ExprKind::map) {
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
  // The policy is a part of a rule's name, and is easily left out.
  const std::string ending = "." + std::string(expect.by.text);
  const auto whole =
      std::find_if(names.begin(), names.end(), [&](const std::string& name) { return name.ends_with(ending); });
  state.diagnostics.error(
      "test-unknown-rule", expect.by.span, "no rule is called " + quoted(expect.by.text),
      whole == names.end() ? did_you_mean(expect.by.text, names) : "did you mean " + quoted(*whole) + "?");
  return kNone;
}

// Where state is declared, a call that `returns` is decided before, too; an expectation is of its last decision.
bool is_decided(const State& state, const syntax::CallStep& call, Stage stage) {
  if (stage == Stage::after) return call.has_returns;
  return !call.has_returns || state.set.histories.any();
}

void check_expect(TestScope& test, const syntax::ExpectStep& expect, const syntax::CallStep* call) {
  State& state = test.state;
  if (call == nullptr) {
    state.diagnostics.error("test-without-call", expect.span, "`expect` comes before any `call`");
  }
  test.out.steps.push_back({.kind = typed::TestStep::expectation, .span = expect.span, .effect = expect.effect});
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
  } else if (call != nullptr && !is_decided(state, *call, info.stage)) {
    error = &state.diagnostics.error("test-wrong-stage", expect.by.span,
                                     quoted(info.name) + " is a rule on " + quoted(to_string(info.stage)),
                                     call->has_returns ? "a call that `returns` is decided after it ran"
                                                       : "what is decided after a call needs what it `returns`");
  }
  if (error == nullptr) return;
  error->notes.push_back({Severity::note, "", "defined here", state.set.rule_spans[rule], "", {}});
}

// Only calls that share state make a story.
bool is_story(TestScope& test, Span span) {
  if (test.state.set.histories.any()) return true;
  test.state.diagnostics.error("story-without-state", span,
                               "the calls of this test have nothing to do with one another, as no state is declared",
                               "declare a `history`, a `rate`, a `budget` or a `label`");
  return false;
}

void check_wait(TestScope& test, const syntax::WaitStep& wait) {
  if (!is_story(test, wait.span)) return;
  test.out.steps.push_back({.kind = typed::TestStep::wait, .span = wait.span, .duration = wait.duration->value});
}

void check_answer(TestScope& test, const syntax::AnswerStep& answer, const syntax::CallStep* call) {
  if (!is_story(test, answer.span)) return;
  if (call == nullptr) {
    test.state.diagnostics.error("test-without-call", answer.span, "this comes before any `call`");
    return;
  }
  const bool fails = answer.what == syntax::AnswerStep::fails;
  if (fails && call->has_returns) {
    test.state.diagnostics.error("test-fails-and-returns", answer.span, "a call that fails `returns` nothing");
    return;
  }
  const typed::TestStep::Kind kind = fails                                        ? typed::TestStep::fails
                                     : answer.what == syntax::AnswerStep::approve ? typed::TestStep::approve
                                                                                  : typed::TestStep::reject;
  test.out.steps.push_back(
      {.kind = kind, .span = answer.span, .group = answer.group.text, .approver = answer.approver.text});
}

// @returns false if the values of tests may not grow any further
bool spend_on(TestScope& test, const syntax::CallStep& call) {
  constexpr uint64_t kCallNodes = 20;  // what a call without values costs
  bool good = spend(test, kCallNodes) && spend(test, call.like) && spend(test, call.returns);
  for (const syntax::FieldInit& field : call.input) good = good && spend(test, field.value);
  for (const syntax::Binding& binding : call.with) good = good && spend(test, binding.value);
  return good;
}

// Reports mistakes in the shape of a test's table. @returns whether it can be used
bool check_table(TestScope& test, const syntax::RowsStep& rows) {
  Diagnostics& diagnostics = test.state.diagnostics;
  if (rows.rows.empty()) {
    diagnostics.error("bad-rows", rows.span, "this table has no row, so the test would check nothing");
    return false;
  }
  bool good = true;
  for (const syntax::RowDecl& row : rows.rows) {
    if (row.values.size() == rows.columns.size()) continue;
    diagnostics
        .error("bad-rows", row.span,
               "this row has " + std::to_string(row.values.size()) + " values, the table names " +
                   std::to_string(rows.columns.size()))
        .notes.push_back({Severity::note, "", "named here", rows.span, "", {}});
    good = false;
  }
  return good;
}

// Finds the table of a test. @returns false after reporting a mistake
bool find_table(TestScope& test, const syntax::TestDecl& decl, const syntax::RowsStep** out) {
  bool called = false;
  for (const syntax::TestStep& step : decl.steps) {
    called = called || step.kind == syntax::TestStep::Kind::call;
    if (step.kind != syntax::TestStep::Kind::rows) continue;
    if (called || *out != nullptr) {
      test.state.diagnostics.error("bad-rows", step.rows.span,
                                   called ? "`rows` must come before the test's first `call`" : "a test has one table");
      return false;
    }
    *out = &step.rows;
  }
  return *out == nullptr || check_table(test, **out);
}

// Checks the steps of a test, for one row if the test has a table.
void check_steps(TestScope& test, const syntax::TestDecl& decl, const syntax::RowDecl* row) {
  forget_fixtures(test);
  const size_t first = test.out.steps.size();
  const syntax::CallStep* call = nullptr;
  for (const syntax::TestStep& step : decl.steps) {
    if (test.work.exhausted) return;
    switch (step.kind) {
      case syntax::TestStep::Kind::let:
        define_fixture(test, step.let.name, step.let.value);
        break;
      case syntax::TestStep::Kind::rows:
        for (size_t i = 0; i < step.rows.columns.size(); ++i) {
          define_fixture(test, step.rows.columns[i], row->values[i]);
        }
        break;
      case syntax::TestStep::Kind::call:
        call = &step.call;
        if (spend_on(test, step.call)) check_call(test, step.call);
        break;
      case syntax::TestStep::Kind::expect:
        check_expect(test, step.expect, call);
        break;
      case syntax::TestStep::Kind::wait:
        check_wait(test, step.wait);
        break;
      case syntax::TestStep::Kind::answer:
        check_answer(test, step.answer, call);
        break;
    }
  }
  if (row == nullptr) return;
  for (const syntax::ExpectStep& expect : row->expects) check_expect(test, expect, call);
  for (size_t i = first; i < test.out.steps.size(); ++i) test.out.steps[i].row = row->span;
}

// Removes what is reported after `from` for one row and was reported for an earlier row.
void forget_earlier_rows(State& state, size_t from, std::set<std::string>& earlier) {
  std::vector<Diagnostic>& items = state.diagnostics.items;
  const auto key = [](const Diagnostic& item) {
    return item.code + "|" + std::to_string(item.span.file) + ":" + std::to_string(item.span.begin) + "|" +
           item.message;
  };
  const auto first = items.begin() + static_cast<std::ptrdiff_t>(from);
  items.erase(std::remove_if(first, items.end(), [&](const Diagnostic& item) { return earlier.contains(key(item)); }),
              items.end());
  for (size_t i = from; i < items.size(); ++i) earlier.insert(key(items[i]));
}

void check_test(TestScope& test, const syntax::TestDecl& decl) {
  test.out = {.name = decl.name.text, .span = decl.name.span};
  const syntax::RowsStep* table = nullptr;
  if (!find_table(test, decl, &table)) return;
  std::set<std::string> reported;
  const std::span<const syntax::RowDecl> rows = table != nullptr ? table->rows : std::span<const syntax::RowDecl>();
  for (const syntax::RowDecl& row : rows) {
    const size_t before = test.state.diagnostics.items.size();
    check_steps(test, decl, &row);
    forget_earlier_rows(test.state, before, reported);
  }
  if (table == nullptr) check_steps(test, decl, nullptr);
  const bool expects = std::any_of(decl.steps.begin(), decl.steps.end(),
                                   [](const auto& step) { return step.kind == syntax::TestStep::Kind::expect; }) ||
                       std::any_of(rows.begin(), rows.end(), [](const auto& row) { return !row.expects.empty(); });
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
  TestWork work = measure_lets(state);
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
        scope = std::make_unique<TestScope>(TestScope{state, work, package});
        open_scope(*scope);
      }
      if (!work.exhausted) check_test(*scope, test);
    }
  }
}

}  // namespace ordain::policy
