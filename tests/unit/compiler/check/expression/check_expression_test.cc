// These tests cover the expression checker: types, names, overloads, macros, narrowing, and its
// errors.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "compiler/check/expression/check_expression.h"
#include "compiler/check/expression/scope.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

using typed::LoopKind;
using typed::Node;
using typed::NodeKind;

std::string shape(const Node& node, const Schema& schema);

std::string shapes(const Node& node, const Schema& schema) {
  std::string out;
  for (const Node* arg : node.args) out += " " + shape(*arg, schema);
  return out;
}

std::string loop_name(LoopKind loop) {
  switch (loop) {
    case LoopKind::all:
      return "all";
    case LoopKind::exists:
      return "exists";
    case LoopKind::exists_one:
      return "exists_one";
    case LoopKind::map:
      return "map";
    case LoopKind::filter:
      return "filter";
    case LoopKind::map_values:
      return "map_values";
    case LoopKind::map_entries:
      return "map_entries";
  }
  return "?";
}

std::string literal(const Value& value) {
  switch (value.kind) {
    case Kind::boolean:
      return value.as_bool() ? "true" : "false";
    case Kind::integer:
      return std::to_string(value.i);
    case Kind::unsigned_integer:
      return std::to_string(value.u) + "u";
    case Kind::floating:
      return std::to_string(value.d).substr(0, std::to_string(value.d).find('.') + 2);
    case Kind::string:
      return "'" + std::string(value.as_text()) + "'";
    case Kind::type:
      return "type:" + std::string(value.as_text());
    default:
      return std::string(type_name(value.kind));
  }
}

// @returns the tree as text: (operation operands...). A dynamic call has a `?`.
std::string shape(const Node& node, const Schema& schema) {
  std::string local = node.local == kNone ? "" : " #" + std::to_string(node.local);
  std::string second = node.local2 == kNone ? "" : " #" + std::to_string(node.local2);
  std::string args = shapes(node, schema);
  switch (node.kind) {
    case NodeKind::constant:
      return literal(node.value);
    case NodeKind::slot:
      return schema.slots[node.slot].path;
    case NodeKind::has_slot:
      return "has:" + schema.slots[node.slot].path;
    case NodeKind::optional_slot:
      return "optional:" + schema.slots[node.slot].path;
    case NodeKind::local:
      return local.substr(1);
    case NodeKind::select:
      return "(." + std::string(node.field) + args + ")";
    case NodeKind::has_field:
      return "(has." + std::string(node.field) + args + ")";
    case NodeKind::select_optional:
      return "(.?" + std::string(node.field) + args + ")";
    case NodeKind::call:
      return "(" + (node.overload != nullptr ? node.overload->id : "?" + node.function->name) + args + ")";
    case NodeKind::and_:
      return "(&&" + args + ")";
    case NodeKind::or_:
      return "(||" + args + ")";
    case NodeKind::not_:
      return "(!" + args + ")";
    case NodeKind::conditional:
      return "(?:" + args + ")";
    case NodeKind::equal:
      return "(==" + args + ")";
    case NodeKind::not_equal:
      return "(!=" + args + ")";
    case NodeKind::list:
      return "[" + (args.empty() ? args : args.substr(1)) + "]";
    case NodeKind::map:
      return "{" + (args.empty() ? args : args.substr(1)) + "}";
    case NodeKind::loop:
      return "(" + loop_name(node.loop) + local + second + args + ")";
    case NodeKind::let:
      return "(let" + local + args + ")";
    case NodeKind::fail:
      return "(fail " + std::string(fault_name(node.fault_code)) + ")";
  }
  return "?";
}

struct Field {
  std::string_view name;
  const Type* type;
  bool optional = false;
};

// Checks one expression in one environment: holds its meaning or its mistakes.
class Checked {
 public:
  Checked() { diagnostics.sources.push_back(nullptr); }

  const syntax::Expr* parse(const std::string& text) {
    kept_.push_back(diagnostics.sources[0]);  // trees view their text
    diagnostics.sources[0] = std::make_shared<Source>(Source{"e.cel", text});
    const syntax::Expr* out = parse_expression(arena, diagnostics, 0);
    EXPECT_NE(out, nullptr) << render(diagnostics);
    return out;
  }
  std::string result(const Schema& schema) const {
    if (!diagnostics.items.empty()) return errors();
    return shape(*expression.root, schema);
  }
  // @returns "code: message (help)" for each diagnostic
  std::string errors() const {
    std::string out;
    for (const Diagnostic& item : diagnostics.items) {
      out += item.code + ": " + item.message + (item.help.empty() ? "" : " (" + item.help + ")") + "\n";
    }
    return out;
  }
  std::string text(Span span) const { return diagnostics.sources[0]->text.substr(span.begin, span.end - span.begin); }

  Arena arena;
  Diagnostics diagnostics;
  typed::Expression expression;

 private:
  std::vector<std::shared_ptr<const Source>> kept_;
};

// --- lone expressions

class Lone : public Checked {
 public:
  explicit Lone(const std::string& text, ExpressionEnv env = {}) {
    const syntax::Expr* parsed = parse(text);
    if (parsed == nullptr) return;
    for (auto [name, type] : kVariables) env.variables.push_back({name, parse_type(arena, type)});
    CheckedExpression checked = check_expression(arena, diagnostics, *parsed, env, standard_library());
    expression = checked.expression;
    schema = std::move(checked.schema);
    type = to_string(*checked.type);
  }
  std::string outcome() const { return diagnostics.items.empty() ? type : errors(); }
  std::string tree() const { return result(schema); }

  static constexpr std::pair<const char*, const char*> kVariables[] = {
      {"i", "int"},
      {"u", "uint"},
      {"d", "double"},
      {"s", "string"},
      {"b", "bool"},
      {"x", "dyn"},
      {"t", "timestamp"},
      {"ints", "list(int)"},
      {"m", "map(string, int)"},
      {"a.b.c", "string"},
      {"ns.v", "int"},
      {"xs", "list(dyn)"},
      {"o", "optional_type(string)"},
  };
  Schema schema;
  std::string type;
};

struct TypeCase {
  const char* expression;
  const char* type;
};

TEST(CheckExpression, DeducesTheTypeThatCelDeduces) {
  const TypeCase cases[] = {
      {"1 + 2", "int"},
      {"[1, 2u]", "list(dyn)"},
      {"[1, x]", "list(dyn)"},
      {"[]", "list(dyn)"},
      {"{}", "map(dyn, dyn)"},
      {"{'a': 1, 'b': 'c'}", "map(string, dyn)"},
      {"[[], [1]]", "list(list(int))"},
      {"[[1], []]", "list(list(int))"},
      {"[optional.none(), optional.of(1)]", "list(optional_type(int))"},
      {"[optional.of(1), null]", "list(optional_type(int))"},
      {"[t, null][0]", "timestamp"},
      {"b ? 1 : x", "dyn"},
      {"b ? [] : ['a']", "list(string)"},
      {"b ? optional.of(1) : optional.none()", "optional_type(int)"},
      {"ints[0]", "int"},
      {"m['k']", "int"},
      {"m.k", "int"},
      {"m.?k", "optional_type(int)"},
      {"m[?'k']", "optional_type(int)"},
      {"o.orValue('')", "string"},
      {"x.y.z", "dyn"},
      {"x[0]", "dyn"},
      {"x + 1", "int"},
      {"x + x", "dyn"},
      {"x == 1", "bool"},
      {"size(x)", "int"},
      {"ints + []", "list(int)"},
      {"ints + x", "list(int)"},
      {"int", "type(int)"},
      {"type(1)", "type(int)"},
      {"type(x) == int", "bool"},
      {"google.protobuf.Timestamp", "type(timestamp)"},
      {"t - t", "duration"},
      {"i < d", "bool"},
      {"ints.map(n, string(n))", "list(string)"},
      {"math.greatest(1, 2u)", "dyn"},
      {"ints.filter(n, n > 1)", "list(int)"},
      {"m.filter(k, k != '')", "list(string)"},
      {"m.map(k, v, v)", "there"},
      {"ints.transformList(n, v, v + n)", "list(int)"},
      {"m.transformMap(k, v, string(v))", "map(string, string)"},
      {"ints.transformMap(n, v, 'x')", "map(int, string)"},
      {"m.transformMapEntry(k, v, {v: k})", "map(int, string)"},
      {"cel.bind(n, 1, n + 1)", "int"},
      {"o.optMap(v, size(v))", "optional_type(int)"},
      {"o.optFlatMap(v, optional.of(1u))", "optional_type(uint)"},
      {"([].map(n, n))[0].foo", "dyn"},
      {"[?o, 'a']", "list(string)"},
      {"{?'k': o}", "map(string, string)"},
      {"math.greatest(1, 2, 3)", "int"},
      {"math.greatest(1, 2)", "int"},
  };
  for (const TypeCase& test : cases) {
    Lone checked(test.expression);
    if (std::string(test.type) == "there") {  // map() has no form with two variables and a filter: v is the predicate
      EXPECT_NE(checked.outcome().find("undeclared-reference"), std::string::npos) << checked.outcome();
      continue;
    }
    EXPECT_EQ(checked.outcome(), test.type) << test.expression;
  }
}

struct ErrorCase {
  const char* expression;
  const char* code;
  const char* fragment;  ///< of "message (help)"
};

TEST(CheckExpression, RefusesWhatCelRefuses) {
  const ErrorCase cases[] = {
      {"1 == 'a'", "no-matching-overload", "does not compare int with string"},
      {"i == 5.0", "no-matching-overload", "write `5`"},
      {"d == 5", "no-matching-overload", "write `5.0`"},
      {"d + 500", "no-matching-overload", "write `500.0`"},
      {"1 + 'a'", "no-matching-overload", "`+` does not take (int, string)"},
      {"1 + 2u", "no-matching-overload", "write"},
      {"s.startsWith(1)", "no-matching-overload", "`startsWith` does not take (int) on string"},
      {"s.startsWith(1)", "no-matching-overload", "string.(string) -> bool"},
      {"i && b", "type-mismatch", "an operand of `&&` must be bool, this is int"},
      {"!s", "type-mismatch", "must be bool, this is string"},
      {"s ? 1 : 2", "type-mismatch", "the condition of `?:` must be bool"},
      {"b ? 1 : 'a'", "type-mismatch", "int and string"},
      {"nope", "undeclared-reference", "there is no `nope`"},
      {"imts.k", "undeclared-reference", "did you mean `ints`?"},
      {"siez(s)", "unknown-function", "did you mean `size`?"},
      {"s.startWith('a')", "unknown-function", "did you mean `startsWith`?"},
      {"math.abss(1)", "unknown-function", "did you mean `math.abs`?"},
      {"ints.exist(n, true)", "unknown-function", "did you mean `exists`?"},
      {"i.field", "no-fields", "a value of type int has no fields"},
      {"ints.field", "no-fields", "list(int)"},
      {"i.all(n, true)", "type-mismatch", "goes through a list or a map, this is int"},
      {"ints.all(n, n)", "type-mismatch", "the predicate of `all` must be bool, this is int"},
      {"ints.map(n, n, n)", "type-mismatch", "the filter of `map` must be bool"},
      {"ints.all(n.m, true)", "invalid-macro", "plain name"},
      {"ints.all(n, n, true)", "invalid-macro", "different names"},
      {"has(i)", "invalid-macro", "has() takes a field selection"},
      {"has(m['k'])", "invalid-macro", "has() takes a field selection"},
      {"[?1]", "type-mismatch", "after `?` comes an optional, this is int"},
      {"s.optMap(v, v)", "type-mismatch", "needs an optional, this is string"},
      {"o.optFlatMap(v, v)", "type-mismatch", "needs an optional, this is string"},
      {"ints.transformMapEntry(k, v, v)", "type-mismatch", "makes maps of entries, this is int"},
      {"1 in ['a']", "no-matching-overload", "`in` does not take (int, list(string))"},
      {"ints['a']", "no-matching-overload", "`[]` does not take (list(int), string)"},
      {"null < 1", "no-matching-overload", "(null_type, int)"},
      {"s.matches('(')", "invalid-regex", ""},
      {"Account{id: 1}", "unsupported-message", ""},
      {"cel.index(0)", "invalid-macro", "names nothing here"},
      {"null == 1", "no-matching-overload", "null_type with int"},
  };
  for (const ErrorCase& test : cases) {
    Lone checked(test.expression);
    ASSERT_EQ(checked.diagnostics.items.size(), 1u) << test.expression << "\n" << checked.outcome();
    EXPECT_EQ(checked.diagnostics.items[0].code, test.code) << test.expression << "\n" << checked.outcome();
    EXPECT_NE(checked.errors().find(test.fragment), std::string::npos) << test.expression << "\n" << checked.outcome();
  }
}

TEST(CheckExpression, ReportsEveryErrorOnceAndOnlyItself) {
  Lone checked("nope1 + 1 == 2 || siez(s) > 'a' || s.startsWith(1)");
  ASSERT_EQ(checked.diagnostics.items.size(), 3u) << checked.errors();
  EXPECT_EQ(checked.diagnostics.items[0].code, "undeclared-reference");
  EXPECT_EQ(checked.diagnostics.items[1].code, "unknown-function");
  EXPECT_EQ(checked.diagnostics.items[2].code, "no-matching-overload");
  EXPECT_EQ(checked.text(checked.diagnostics.items[0].span), "nope1");
  EXPECT_EQ(checked.type, "bool");
}

struct ShapeCase {
  const char* expression;
  const char* tree;
};

TEST(CheckExpression, ChoosesTheOverloadWhereTypesProveIt) {
  const ShapeCase cases[] = {
      {"i + 1", "(add_int64 i 1)"},
      {"x + 1", "(?_+_ x 1)"},
      {"i < d", "(less_int64_double i d)"},
      {"ints[0]", "(index_list ints 0)"},
      {"x[0]", "(?_[_] x 0)"},
      {"ints[x]", "(?_[_] ints x)"},
      {"m['k'] + 1", "(add_int64 (index_map m 'k') 1)"},
      {"1 in ints", "(in_list 1 ints)"},
      {"x in ints", "(in_list x ints)"},
      {"1 in x", "(?@in 1 x)"},
      {"xs[0] + 1", "(?_+_ (index_list xs 0) 1)"},
      // The checker takes an element of `list(int) + dyn` for an int, but that is not proven.
      {"(ints + x)[0] + 1", "(?_+_ (index_list (?_+_ ints x) 0) 1)"},
      {"[t, null][0] > t", "(?_>_ (index_list [t null_type] 0) t)"},
      {"b ? 1 : 2", "(?: b 1 2)"},
      {"a.b.c", "a.b.c"},
      {"a.b.c.startsWith('x')", "(starts_with_string a.b.c 'x')"},
      {"math.greatest(1, 2, 3)", "(math_@max_list_int [1 2 3])"},
  };
  for (const ShapeCase& test : cases) {
    Lone checked(test.expression);
    std::string tree = checked.tree();
    if (std::string(test.expression).starts_with("math.greatest")) {  // the library's row id
      EXPECT_TRUE(tree.ends_with(" [1 2 3])") && tree[1] != '?') << tree;
      continue;
    }
    EXPECT_EQ(tree, test.tree) << test.expression;
  }
}

TEST(CheckExpression, ExpandsMacros) {
  const ShapeCase cases[] = {
      {"has(m.k)", "(has.k m)"},
      {"has(x.y.z)", "(has.z (.y x))"},
      {"has(m.?k.y)", "no"},
      {"ints.all(n, n == 1)", "(all #0 ints (== #0 1))"},
      {"ints.exists(n, n == 1)", "(exists #0 ints (== #0 1))"},
      {"ints.exists_one(n, n == 1)", "(exists_one #0 ints (== #0 1))"},
      {"ints.existsOne(n, v, n == v)", "(exists_one #0 #1 ints (== #0 #1))"},
      {"ints.map(n, n == 1)", "(map #0 ints (== #0 1))"},
      {"ints.map(n, n == 1, n)", "(map #0 ints #0 (== #0 1))"},
      {"ints.filter(n, n == 1)", "(filter #0 ints (== #0 1))"},
      {"m.transformList(k, v, v == 1, k)", "(map #0 #1 m #0 (== #1 1))"},
      {"m.transformMap(k, v, v == 1, k)", "(map_values #0 #1 m #0 (== #1 1))"},
      {"m.transformMapEntry(k, v, {v: k})", "(map_entries #0 #1 m {#1 #0})"},
      {"cel.bind(n, i, n == n)", "(let #0 i (== #0 #0))"},
      {"cel.block([i, cel.index(0) == 1], cel.index(1))", "(let #0 i (let #1 (== #0 1) #1))"},
      {"ints.map(cel.iterVar(0, 0), cel.iterVar(0, 0) == 1)", "(map #0 ints (== #0 1))"},
      {"ints.map(n, ints.map(n, n == 1))", "(map #0 ints (map #1 ints (== #1 1)))"},
      {"o.optMap(v, v)",
       "(let #0 o (?: (optional_hasValue #0) (optional_of (let #1 (optional_value #0) #1)) (optional_none)))"},
      {"b && (b && i == 1) && b", "(&& b b (== i 1) b)"},
      {"b || b && b", "(|| b (&& b b))"},
      {"m.all(n, n == 'a')", "(all #0 m (== #0 'a'))"},
  };
  for (const ShapeCase& test : cases) {
    Lone checked(test.expression);
    std::string tree = checked.tree();
    if (std::string(test.tree) == "no") {
      EXPECT_NE(tree.find("no-fields"), std::string::npos) << tree;     // int has no fields
    } else if (std::string(test.expression).starts_with("o.optMap")) {  // any row names
      EXPECT_TRUE(tree.starts_with("(let #0 o (?: (")) << tree;
      EXPECT_EQ(tree.find('?', 14), std::string::npos) << "all calls are proven: " << tree;
    } else {
      EXPECT_EQ(tree, test.tree) << test.expression;
    }
  }
}

TEST(CheckExpression, ResolvesNamesInTheContainerFirst) {
  ExpressionEnv env;
  env.container = "ns.inner";
  EXPECT_EQ(Lone("v", env).tree(), "ns.v");
  EXPECT_EQ(Lone(".ns.v", env).tree(), "ns.v");
  EXPECT_NE(Lone(".v", env).outcome().find("undeclared-reference"), std::string::npos);
  env.variables.push_back({"v", &types::kString});
  EXPECT_EQ(Lone("v == 1", env).tree(), "(== ns.v 1)");
  EXPECT_EQ(Lone(".v == 'a'", env).tree(), "(== v 'a')");
  // A macro's variable hides both; a leading dot bypasses it.
  EXPECT_EQ(Lone("ints.all(v, v == 1)", env).tree(), "(all #0 ints (== #0 1))");
  EXPECT_EQ(Lone("ints.all(v, .v == 'a')", env).tree(), "(all #0 ints (== v 'a'))");
  // The longest name wins over a field of a shorter one; a variable of a macro over both.
  env.variables.push_back({"v.w", &types::kBool});
  EXPECT_EQ(Lone(".v.w", env).tree(), "v.w");
  EXPECT_EQ(Lone("[{'w': 1}].all(v, v.w == 1)", env).tree(), "(all #0 [{'w' 1}] (== (.w #0) 1))");
}

TEST(CheckExpression, DeclaredFunctionsAreTypedAndFault) {
  ExpressionEnv env;
  Overload declared;
  declared.name = "ns.fn";
  declared.id = "fn_string_int";
  declared.signature = "(string, list(A)) -> A";
  env.declared_functions.push_back(declared);
  Lone checked("ns.fn('a', [1])", env);
  EXPECT_EQ(checked.outcome(), "int");
  EXPECT_EQ(checked.tree(), "(fail no_such_overload)");
  EXPECT_NE(Lone("ns.fn(1, [1])", env).outcome().find("no-matching-overload"), std::string::npos);
  env.container = "ns";
  EXPECT_EQ(Lone("fn('a', ['b'])", env).outcome(), "string");
}

TEST(CheckExpression, UncheckedNamesAndFunctionsFaultAtEvaluation) {
  ExpressionEnv env;
  env.checked = false;
  EXPECT_EQ(Lone("nope", env).tree(), "(fail undeclared_reference)");
  EXPECT_EQ(Lone("nope.f() || true", env).tree(), "(|| (fail undeclared_reference) true)");
  EXPECT_EQ(Lone("1 == 'a'", env).tree(), "(== 1 'a')");
  EXPECT_EQ(Lone("i.pancakes", env).tree(), "(.pancakes i)");
  EXPECT_EQ(Lone("'a' && 1 < 'b'", env).tree(), "(&& 'a' (?_<_ 1 'b'))");
  EXPECT_EQ(Lone("ints.all(n, n)", env).tree(), "(all #0 ints #0)");
  Lone typed("i + 1", env);
  EXPECT_EQ(typed.expression.root->args[0]->type->kind, TypeKind::dyn);
}

TEST(CheckExpression, AVariableThatIsNotBoundMayFault) {
  Lone checked("i == 1");
  EXPECT_TRUE(checked.expression.root->may_fault);
  ASSERT_EQ(checked.schema.slots.size(), std::size(Lone::kVariables));
  EXPECT_EQ(checked.schema.slots[0].path, "i");
  EXPECT_EQ(checked.schema.slots[3].index, 3u);
  EXPECT_FALSE(checked.schema.slots[0].host);
}

TEST(CheckExpression, LongRunsAreFlat) {
  std::string run = "b";
  for (int i = 0; i < 20'000; ++i) run += " || i == " + std::to_string(i);
  Lone flat(run);
  ASSERT_TRUE(flat.diagnostics.items.empty()) << flat.errors().substr(0, 500);
  EXPECT_EQ(flat.expression.root->args.size(), 20'001u);
}

// --- expressions of rules

class Rule : public Checked {
 public:
  Rule() {
    const Type* address =
        record("pay.input.address", false, {{"street", &types::kString}, {"zip", &types::kString, true}});
    const Type* item =
        record("pay.input.items[*]", false, {{"name", &types::kString}, {"note", &types::kString, true}});
    add("input", record("pay.input", false,
                        {{"amount", &types::kDouble},
                         {"recipient", &types::kString},
                         {"count", &types::kInt},
                         {"flag", &types::kBool},
                         {"note", &types::kString, true},
                         {"address", address, true},
                         {"home", address},
                         {"items", types::list_of(arena, item)}}));
    RootName& output = add("output", record("pay.output", true, {{"text", &types::kString}}));
    output.unavailable.emplace("");
    output.unavailable_why = "`output` exists only in after rules";
    add("result", record("pay.result", true, {{"text", &types::kString}}));
    RootName& agent = add("agent", record("agent", false,
                                          {{"id", &types::kString},
                                           {"roles", &types::kListString},
                                           {"team", &types::kString},
                                           {"clearance", &types::kInt}}));
    agent.host = true;
    agent.bank = Bank::context;
    agent.builtins = {"id", "roles"};
    RootName& environment = add("environment", record("environment", false, {{"id", &types::kString}}));
    environment.host = true;
    environment.builtins = {"id"};
    environment.id_for_string = true;
    RootName& action = add("action", record("action", false, {{"risk", &kRiskType}, {"elapsed", &types::kDuration}}));
    action.host = true;
    action.unavailable.emplace("elapsed");
    action.unavailable_why = "`action.elapsed` exists only in after rules";
    add("raw", &types::kDyn);
    scope.schema = &schema;
    scope.functions = &standard_library();
    scope.container = "acme.banking";
  }

  const Type* record(std::string_view name, bool open, const std::vector<Field>& fields) {
    std::vector<RecordField> out;
    for (const Field& field : fields) out.push_back({field.name, field.type, field.optional});
    RecordType* type = arena.make<RecordType>();
    type->name = name;
    type->open = open;
    type->fields = arena.copy(out);
    Type* of = arena.make<Type>();
    of->kind = TypeKind::record;
    of->record = type;
    return of;
  }
  RootName& add(const std::string& name, const Type* type) {
    RootName& root = scope.roots[name];
    root.type = type;
    return root;
  }
  /// Checks a `let` of the package.
  void let(const std::string& name, const std::string& text) {
    const syntax::Expr* parsed = parse(text);
    ASSERT_NE(parsed, nullptr);
    typed::Expression checked = check_in_scope(arena, diagnostics, scope, *parsed, nullptr);
    ASSERT_TRUE(diagnostics.items.empty()) << errors();
    scope.lets["acme.banking." + name] = checked.root;
  }
  Rule& check(const std::string& text, const Type* expected = nullptr, std::vector<MissingField>* missing = nullptr) {
    diagnostics.items.clear();
    const syntax::Expr* parsed = parse(text);
    if (parsed != nullptr) expression = check_in_scope(arena, diagnostics, scope, *parsed, expected, missing);
    return *this;
  }
  std::string tree(const std::string& text) { return check(text).result(schema); }
  bool may_fault(const std::string& text) {
    check(text);
    EXPECT_TRUE(diagnostics.items.empty()) << text << "\n" << errors();
    return expression.root->may_fault;
  }

  Schema schema;
  Scope scope;
};

TEST(CheckInScope, APathThroughRecordsIsOneSlot) {
  Rule rule;
  EXPECT_EQ(rule.tree("input.amount > 500.0"), "(greater_double input.amount 500.0)");
  EXPECT_EQ(rule.tree("input.home.street"), "input.home.street");
  EXPECT_EQ(rule.tree("size(input.home)"), "(size_map input.home)");
  EXPECT_EQ(rule.tree("input.items[0].name"), "(.name (index_list input.items 0))");
  EXPECT_EQ(rule.tree("has(input.amount)"), "has:input.amount");
  EXPECT_EQ(rule.tree("has(input.home.zip)"), "has:input.home.zip");
  EXPECT_EQ(rule.tree("input.?note"), "optional:input.note");
  EXPECT_EQ(rule.tree("input.?address.street"), "optional:input.address.street");
  EXPECT_EQ(rule.tree("input.?address.?zip.orValue('')").find("optional:input.address.zip") != std::string::npos, true);
  for (const Slot& slot : rule.schema.slots) EXPECT_NE(slot.path, "input");
  EXPECT_EQ(rule.schema.slots[0].path, "input.amount");
  size_t slots = rule.schema.slots.size();
  rule.check("input.amount > 1.0 && input.home.street == ''");
  EXPECT_EQ(rule.schema.slots.size(), slots) << "the same path and type is the same slot";
}

TEST(CheckInScope, AnUndeclaredCapabilitysPathsAreOptionalDynSlots) {
  Rule rule;
  EXPECT_EQ(rule.tree("raw.a.b == 'x'"), "(== raw.a.b 'x')");
  EXPECT_TRUE(rule.expression.root->may_fault);
  EXPECT_EQ(rule.tree("has(raw.a)"), "has:raw.a");
  EXPECT_EQ(rule.tree("has(raw.a.b)"), "(?: has:raw.a has:raw.a.b (fail no_such_field))");
  EXPECT_EQ(rule.tree("raw.a.?b"), "(?: has:raw.a optional:raw.a.b (fail no_such_field))");
  EXPECT_EQ(rule.tree("has(raw.a) && has(raw.a.b)"), "(&& has:raw.a has:raw.a.b)");
  EXPECT_EQ(rule.tree("raw.?a.?b"), "optional:raw.a.b");
  EXPECT_TRUE(rule.schema.slots[0].optional);
  EXPECT_EQ(rule.schema.slots[0].type->kind, TypeKind::dyn);
}

TEST(CheckInScope, MistakesNameTheRecordAndWhatHelps) {
  const ErrorCase cases[] = {
      {"input.amuont > 1.0", "unknown-field", "`pay.input` has no field `amuont` (did you mean `amount`?)"},
      {"input.home.stret == ''", "unknown-field", "`pay.input.address` has no field `stret`"},
      {"input.items.exists(i, i.nmae == '')", "unknown-field", "did you mean `name`?"},
      {"output.text == ''", "unavailable-in-stage", "`output` exists only in after rules"},
      {"action.elapsed > duration('1s')", "unavailable-in-stage", "`action.elapsed` exists"},
      {"inptu.amount > 1.0", "undeclared-reference", "did you mean `input`?"},
      {"input.amount > 'a'", "no-matching-overload", "(double, string)"},
      {"input.amount == 500", "no-matching-overload", "write `500.0`"},
      {"input.note == 'x'", "unguarded-optional", "`input.note` may be absent"},
      {"input.note == 'x'", "unguarded-optional", "`input.?note`"},
      {"input.address.street == 'x'", "unguarded-optional", "`input.address` may be absent"},
      {"has(input.address) && input.address.zip == ''", "unguarded-optional", "`input.address.zip`"},
      {"has(input.note) || input.note == ''", "unguarded-optional", ""},
      {"!has(input.note) && input.note == ''", "unguarded-optional", ""},
      {"has(input.note) ? true : input.note == ''", "unguarded-optional", ""},
      {"(has(input.note) || input.flag) && input.note == ''", "unguarded-optional", ""},
      {"input.note == '' && (input.amount > 1.0 || has(input.note))", "unguarded-optional", ""},
      {"has(input.address.zip)", "unguarded-optional", "`input.address` may be absent"},
      {"input.address.?zip.orValue('') == ''", "unguarded-optional", "`input.?address`"},
      {"has(input.items[0].note) && input.items[1].note == ''", "unguarded-optional", "`input.items[1].note`"},
      {"has(input.items[0].note) && input.items[1].note == ''", "unguarded-optional", "`input.items[1].?note`"},
      {"input.items.exists(i, has(i.note)) && input.items[0].note == ''", "unguarded-optional", ""},
      {"input.items.filter(i, !has(i.note)).exists(i, i.note == '')", "unguarded-optional", ""},
      {"input.items.map(i, has(i.note)).size() > 0 && input.items[0].note == ''", "unguarded-optional", ""},
      {"!input.items.all(i, has(i.note)) && input.items[0].note == ''", "unguarded-optional", ""},
      {"result.extra == 1", "unguarded-optional", "`result.extra`"},
      {"input.items.exists(i, i.note == '')", "unguarded-optional", "note"},
      {"input.items.exists(i, has(i.note)) && input.items.exists(j, j.note == '')", "unguarded-optional", "note"},
      {"action.risk >= 'hgih'", "unknown-risk", "did you mean \"high\"?"},
      {"action.risk in ['high', 'criticla']", "unknown-risk", "critical"},
  };
  for (const ErrorCase& test : cases) {
    Rule rule;
    rule.check(test.expression);
    ASSERT_EQ(rule.diagnostics.items.size(), 1u) << test.expression << "\n" << rule.errors();
    EXPECT_EQ(rule.diagnostics.items[0].code, test.code) << test.expression << "\n" << rule.errors();
    EXPECT_NE(rule.errors().find(test.fragment), std::string::npos) << test.expression << "\n" << rule.errors();
  }
}

TEST(CheckInScope, GuardsNarrow) {
  const char* guarded[] = {
      "has(input.note) && input.note == 'x'",
      "input.note == '' && (1 / input.count == 1 && has(input.note))",
      "!has(input.note) || input.note == 'x'",
      "has(input.note) ? input.note == 'x' : true",
      "!has(input.note) ? true : input.note == 'x'",
      "!(!has(input.note)) && input.note == 'x'",
      "!(has(input.note) && input.flag) || input.note == 'x'",
      "input.flag && (has(input.note) && input.count > 1) && input.note == 'x'",
      "(has(input.note) && input.count > 1 || has(input.note)) && input.note == 'x'",
      "(input.flag ? has(input.note) : false) && input.note == 'x'",
      "has(input.note) == true && input.note == 'x'",
      "has(input.note) != false && input.note == 'x'",
      "input.?note.hasValue() && input.note == 'x'",
      "has(input.address) && input.address.street == 'x'",
      "has(input.address) && has(input.address.zip) && input.address.zip == 'x' && input.address.street == ''",
      "input.?address.?zip.hasValue() && input.address.zip == 'x' && input.address.street == ''",
      "input.note == '' && has(input.note)",
      "input.note == '' || !has(input.note)",
      "has(input.items[0].note) && input.items[0].note == 'x'",
      "input.items.all(i, has(i.note)) && input.items[1].note == 'x'",
      "input.items.filter(i, has(i.note)).exists(i, i.note == 'x')",
      "(has(input.note) || has(input.address)) && !has(input.note) && input.address.street == 'x'",
      "has(result.extra) && result.extra == 1",
      "has(input.note) && ['a'].exists(e, input.note == e)",
      "input.items.exists(i, has(i.note) && i.note == 'x')",
      "input.items.map(i, has(i.note), i.note) == ['x']",
      "cel.bind(n, input.items[0], has(n.note) && n.note == 'x')",
  };
  for (const char* expression : guarded) {
    Rule rule;
    rule.check(expression, &types::kBool);
    EXPECT_TRUE(rule.diagnostics.items.empty()) << expression << "\n" << rule.errors();
    EXPECT_EQ(rule.expression.root->type->kind, TypeKind::boolean) << expression;
  }
}

TEST(CheckInScope, FieldsThatACapabilityDoesNotHaveAreCollected) {
  Rule rule;
  std::vector<MissingField> missing;
  rule.check("input.iban == 'x' && input.home.country == 'y'", &types::kBool, &missing);
  EXPECT_TRUE(rule.diagnostics.items.empty()) << rule.errors();
  ASSERT_EQ(missing.size(), 2u);
  EXPECT_EQ(missing[0].path, "input.iban");
  EXPECT_EQ(missing[0].record, "pay.input");
  EXPECT_EQ(rule.text(missing[0].span), "iban");
  EXPECT_EQ(missing[1].path, "input.home.country");
  EXPECT_TRUE(rule.schema.slots.empty()) << "a rule that does not apply reads nothing";
}

TEST(CheckInScope, ARootStandsForItsIdBesideStrings) {
  const ShapeCase cases[] = {
      {"environment == 'prod'", "(== environment.id 'prod')"},
      {"'prod' != environment", "(!= 'prod' environment.id)"},
      {"environment in ['prod', 'stage']", "(in_list environment.id ['prod' 'stage'])"},
      {"environment + '!'", "(add_string environment.id '!')"},
      {"environment.startsWith('p')", "(starts_with_string environment.id 'p')"},
      {"environment.id == 'prod'", "(== environment.id 'prod')"},
      {"environment == raw.env", "(== environment.id raw.env)"},
  };
  for (const ShapeCase& test : cases) {
    Rule rule;
    EXPECT_EQ(rule.tree(test.expression), test.tree) << test.expression;
    for (const Slot& slot : rule.schema.slots) EXPECT_NE(slot.path, "environment");
  }
  Rule rule;
  EXPECT_EQ(rule.check("environment", &types::kString).result(rule.schema), "environment.id");
}

TEST(CheckInScope, RiskNamesAreNumbers) {
  const ShapeCase cases[] = {
      {"action.risk >= 'high'", "(greater_equals_double action.risk 3.0)"},
      {"'low' < action.risk", "(less_double 1.0 action.risk)"},
      {"action.risk == 'none'", "(== action.risk 0.0)"},
      {"action.risk in ['high', 'critical']", "(in_list action.risk [3.0 4.0])"},
      {"action.risk > (input.flag ? 'low' : 'high')", "(greater_double action.risk (?: input.flag 1.0 3.0))"},
      {"action.risk > 2.5", "(greater_double action.risk 2.5)"},
  };
  for (const ShapeCase& test : cases) {
    Rule rule;
    EXPECT_EQ(rule.tree(test.expression), test.tree) << test.expression;
  }
}

TEST(CheckInScope, LetsStandInPlaceOfTheirName) {
  Rule rule;
  rule.let("payees", "['a', 'b']");
  rule.let("known", "input.items.exists(i, i.name in payees)");
  rule.let("home", "input.home");
  rule.let("noted", "has(input.note)");
  rule.let("where", "environment");
  EXPECT_EQ(rule.tree("where == 'prod'"), "(== environment.id 'prod')");
  EXPECT_EQ(rule.tree("input.recipient in payees"), "(in_list input.recipient ['a' 'b'])");
  EXPECT_EQ(rule.tree("acme.banking.payees == []"), "(== ['a' 'b'] [])");
  // Each use has variables of its own.
  EXPECT_EQ(rule.tree("['x'].exists(y, known && y == 'x')"),
            "(exists #0 ['x'] (&& (exists #1 input.items (in_list (.name #1) ['a' 'b'])) (== #0 'x')))");
  EXPECT_EQ(rule.expression.local_count, 2u);
  EXPECT_EQ(rule.tree("home.street == 'x'"), "(== input.home.street 'x')");
  EXPECT_EQ(rule.tree("noted && input.note == 'x'"), "(&& has:input.note (== input.note 'x'))");
}

TEST(CheckInScope, LetsWithinLetsAreBounded) {
  Rule rule;
  std::string sum = "1";
  for (int i = 0; i < 300; ++i) sum += " + 1";
  rule.let("a", sum);
  rule.let("b", "a" + sum.substr(1));
  rule.let("c", "b" + sum.substr(1));
  rule.check("c" + sum.substr(1));
  ASSERT_EQ(rule.diagnostics.items.size(), 1u) << rule.errors();
  EXPECT_EQ(rule.diagnostics.items[0].code, "limit-nesting");
  EXPECT_EQ(rule.text(rule.diagnostics.items[0].span), "c");
}

TEST(CheckInScope, SaysWhatMayFault) {
  Rule rule;
  EXPECT_FALSE(rule.may_fault("input.amount > 500.0"));
  EXPECT_FALSE(rule.may_fault("input.recipient == 'x' || !input.flag"));
  EXPECT_FALSE(rule.may_fault("agent.id == 'x'"));
  EXPECT_FALSE(rule.may_fault("has(input.note)"));
  EXPECT_FALSE(rule.may_fault("'banker' in agent.roles"));
  EXPECT_TRUE(rule.may_fault("input.recipient in agent.roles"));
  rule.check("input.recipient in ['a', 'b']");
  fold(rule.arena, rule.expression);
  EXPECT_FALSE(rule.expression.root->may_fault) << "a constant list of strings is a set of symbols";
  EXPECT_FALSE(rule.may_fault("has(input.note) && input.note == 'x'"));
  EXPECT_FALSE(rule.may_fault("!has(input.note) || input.note == 'x'"));
  EXPECT_FALSE(rule.may_fault("has(input.note) ? input.note == 'x' : input.flag"));
  EXPECT_TRUE(rule.may_fault("input.count + 1 > 2"));
  EXPECT_TRUE(rule.may_fault("agent.team == 'x'"));
  EXPECT_FALSE(rule.may_fault("has(agent.team) && agent.team == 'x'"));
  EXPECT_TRUE(rule.may_fault("agent.clearance > 1"));
  EXPECT_TRUE(rule.may_fault("raw.a == 1"));
  EXPECT_TRUE(rule.may_fault("input.recipient.startsWith('x') && input.recipient.matches('a+')"));
  EXPECT_TRUE(rule.may_fault("agent.roles.exists(r, r == 'x')"));
  EXPECT_TRUE(rule.may_fault("raw.flag && input.flag"));
  EXPECT_TRUE(rule.may_fault("input.items[0].name == 'x'"));
  EXPECT_TRUE(rule.may_fault("input.recipient + 'x' == 'y'"));
  // The read itself may fault, because it may be evaluated apart from its guard.
  rule.check("has(input.note) && input.note == 'x'");
  EXPECT_TRUE(rule.expression.root->args[1]->may_fault);
}

TEST(CheckInScope, TheContextAsksForAType) {
  Rule rule;
  rule.check("input.count", &types::kBool);
  ASSERT_EQ(rule.diagnostics.items.size(), 1u);
  EXPECT_EQ(rule.errors(), "type-mismatch: expected bool, this is int\n");
  EXPECT_EQ(rule.expression.root->type->kind, TypeKind::error);
  rule.check("raw.flag", &types::kBool);
  EXPECT_TRUE(rule.diagnostics.items.empty()) << rule.errors();
}

TEST(CheckInScope, SlotsCarryWhatTheirRootSays) {
  Rule rule;
  rule.check("agent.id == '' && agent.team == '' && input.flag && has(input.note)");
  ASSERT_EQ(rule.schema.slots.size(), 4u);
  EXPECT_TRUE(rule.schema.slots[0].builtin);
  EXPECT_TRUE(rule.schema.slots[0].host);
  EXPECT_EQ(rule.schema.slots[0].bank, Bank::context);
  EXPECT_FALSE(rule.schema.slots[1].builtin);
  EXPECT_EQ(rule.schema.slots[1].index, 1u);
  EXPECT_EQ(rule.schema.slots[2].bank, Bank::call);
  EXPECT_EQ(rule.schema.slots[2].index, 0u);
  EXPECT_FALSE(rule.schema.slots[2].optional);
  EXPECT_TRUE(rule.schema.slots[3].optional);
}

TEST(CheckInScope, SpansPointAtTheSource) {
  Rule rule;
  rule.check("input.flag && input.count / 2 > 1");
  const Node& greater = *rule.expression.root->args[1];
  EXPECT_EQ(rule.text(greater.span), "input.count / 2 > 1");
  EXPECT_EQ(rule.text(greater.at), ">");
  const Node& quotient = *greater.args[0];
  EXPECT_EQ(rule.text(quotient.span), "input.count / 2");
  EXPECT_EQ(rule.text(quotient.at), "/");
  EXPECT_EQ(typed::node_count(*rule.expression.root), 7u);
}

}  // namespace
}  // namespace ordain
