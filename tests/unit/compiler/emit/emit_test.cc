// These tests cover emission: the instructions that typed trees become, what is shared, and how
// indexes are laid out.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "compiler/check/expression/check_expression.h"
#include "compiler/emit/emit.h"
#include "compiler/emit/tables.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

// @returns the names of a predicate's instructions, separated by spaces
std::string ops(const ProgramData& data, uint32_t predicate) {
  if (predicate == kNone) return "always";
  const Range code = data.predicates[predicate].code;
  std::string out;
  for (uint32_t i = 0; i < code.count; ++i) {
    if (i > 0) out += ' ';
    out += op_info(data.code[code.first + i].op).name;
  }
  return out;
}

uint32_t count(const ProgramData& data, uint32_t predicate, Op op) {
  const Range code = data.predicates[predicate].code;
  uint32_t out = 0;
  for (uint32_t i = 0; i < code.count; ++i) out += data.code[code.first + i].op == op ? 1 : 0;
  return out;
}

struct Compiled {
  explicit Compiled(const std::string& text) {
    auto compilation = compile({std::make_shared<Source>(Source{"t.policy", text})}, standard_library());
    messages = render(compilation.diagnostics);
    program = compilation.program;
  }
  const ProgramData& data() const { return data_of(*program); }
  const RuleCode& rule(const std::string& name) const {
    for (const RuleCode& code : data().rule_codes) {
      if (data().rules[code.rule].name == name) return code;
    }
    ADD_FAILURE() << "no code for rule " << name;
    static const RuleCode none;
    return none;
  }
  std::string condition(const std::string& name) const { return ops(data(), rule(name).condition); }
  const Slot& slot(const std::string& path) const {
    for (const Slot& slot : data().schema.slots) {
      if (slot.path == path) return slot;
    }
    ADD_FAILURE() << "no slot " << path;
    static const Slot none;
    return none;
  }

  std::shared_ptr<const Program> program;
  std::string messages;
};

constexpr const char* kContext = R"(context { agent { team: string, level: int, teams: list(string), tier: string } }
capability pay { input { to: string, amount: double, n: int, m: int, tags: list(string), note: optional(string),
                         items: list(int), any: map(string, dyn) } }
)";

Compiled rules(const std::string& body) {
  Compiled out(std::string(kContext) + "policy p on before pay {\n" + body + "\n}\n");
  EXPECT_NE(out.program, nullptr) << out.messages;
  return out;
}

// @returns the instructions of one rule `r` with this condition
std::string condition(const std::string& text) { return rules("deny r when " + text + ";").condition("p.r"); }

TEST(Emit, ScalarsTakeTheTypedPath) {
  EXPECT_EQ(condition("input.amount <= 0.0"), "load const_ le_double ret");
  EXPECT_EQ(condition("input.amount > 0.0"), "load const_ lt_double ret");
  EXPECT_EQ(condition("input.n + 1 == input.m * 2"), "load const_ add_int load const_ mul_int eq_int ret");
  EXPECT_EQ(condition("-input.n % 7 >= 3"), "load neg_int const_ mod_int const_ le_int ret");
}

TEST(Emit, StringSlotsAreComparedAsSymbols) {
  auto p = rules(
      "deny a when input.to == \"x\"; deny b when \"y\" != input.to; deny c when input.to == "
      "input.?note.orValue(\"z\");");
  EXPECT_EQ(p.condition("p.a"), "slot_eq ret");
  EXPECT_EQ(p.condition("p.b"), "slot_eq not_ ret");
  EXPECT_TRUE(p.slot("input.to").compared);
  EXPECT_EQ(p.data().symbols, (std::vector<std::string_view>{"x", "y"}));
  EXPECT_EQ(p.condition("p.c").find("slot_eq"), std::string::npos);
}

TEST(Emit, ConstantListsBecomeSymbolSets) {
  auto p = rules(R"(deny a when input.to in ["x", "y", "x"]; deny b when !(input.to in ["y", "x"]);
                    deny c when input.to in ["y", "z"]; deny d when input.to in [];)");
  EXPECT_EQ(p.condition("p.a"), "slot_in ret");
  EXPECT_EQ(p.condition("p.b"), "slot_in not_ ret");
  ASSERT_EQ(p.data().symbol_sets.size(), 3u);
  EXPECT_EQ(p.data().symbol_sets[0].size(), 2u);
  for (const auto& set : p.data().symbol_sets) EXPECT_TRUE(std::is_sorted(set.begin(), set.end()));
}

TEST(Emit, LiteralsInListSlotsAreBits) {
  auto p = rules(R"(deny a when "x" in agent.teams; deny b when "y" in agent.teams && "x" in agent.teams;
                    deny c when "z" in agent.roles; deny d when "z" in input.tags;)");
  EXPECT_EQ(p.condition("p.a"), "slot_has ret");
  const Slot& teams = p.slot("agent.teams");
  const Slot& roles = p.slot("agent.roles");
  EXPECT_EQ(teams.member_symbols.size(), 2u);
  EXPECT_EQ(roles.member_symbols.size(), 1u);
  EXPECT_NE(teams.first_bit, roles.first_bit);
  EXPECT_EQ(p.slot("input.tags").first_bit, 0u);
  EXPECT_EQ(p.data().schema.bit_words[static_cast<int>(Bank::context)], 2u);
  EXPECT_EQ(p.data().schema.bit_words[static_cast<int>(Bank::call)], 1u);
  // The instruction contains the bit's number in the bank.
  const Insn& insn = p.data().code[p.data().predicates[p.rule("p.c").condition].code.first];
  EXPECT_EQ(insn.c, roles.first_bit);
}

TEST(Emit, LogicJumpsStraightToItsEnd) {
  // Built-in names never fault, so no fault is saved, and ! and nesting cost no instruction.
  EXPECT_EQ(condition("!(agent.id == \"a\" && agent.parent_id == \"b\") || \"c\" in agent.roles"),
            "slot_eq jump_ifn slot_eq jump_ifn slot_has jump_ifn const_ ret const_ ret");
  EXPECT_EQ(condition("agent.id != \"a\" && agent.id != \"b\""),
            "slot_eq jump_if slot_eq jump_if const_ ret const_ ret");
  EXPECT_EQ(condition("agent.id == \"c\" && (agent.id == \"a\" ? \"x\" in agent.roles : \"y\" in agent.roles)"),
            "slot_eq jump_ifn slot_eq jump_ifn slot_has jump_if jump slot_has jump_ifn const_ ret const_ ret");
}

TEST(Emit, OnlyOperandsThatMayFaultAreGuarded) {
  auto p = rules("deny r when agent.team == \"a\" && agent.id == \"b\" && input.n / input.m > 1;");
  const Predicate& predicate = p.data().predicates[p.rule("p.r").condition];
  EXPECT_EQ(
      ops(p.data(), p.rule("p.r").condition),
      "clear_fault slot_eq jump_ifn slot_eq jump_ifn load load div_int const_ lt_int jump_ifn raise_saved const_ ret "
      "const_ ret save_fault jump raise_first");
  EXPECT_EQ(predicate.handlers.count, 2u);
  EXPECT_EQ(predicate.saved_faults, 1u);
}

TEST(Emit, TheOnlyFaultingOperandAtTheEndNeedsNoHandler) {
  auto p = rules("deny r when agent.id == \"b\" && input.n / input.m > 1;");
  EXPECT_EQ(p.data().predicates[p.rule("p.r").condition].handlers.count, 0u);
  EXPECT_EQ(p.condition("p.r"), "slot_eq jump_ifn load load div_int const_ lt_int jump_ifn const_ ret const_ ret");
}

TEST(Emit, CodeIsLinearInTheOperands) {
  auto wide = [](int operands) {
    std::string text = "agent.team == \"t\"";
    for (int i = 1; i < operands; ++i)
      text += (i % 3 == 0 ? " || (" : " && (") + std::to_string(i) + " < input.n / input.m)";
    auto p = rules("deny r when " + text + ";");
    return p.data().predicates[p.rule("p.r").condition].code.count;
  };
  const uint32_t at_100 = wide(100), at_200 = wide(200);
  EXPECT_LT(at_200, 2 * at_100 + 40);
  EXPECT_GT(at_200, at_100);
}

TEST(Emit, LoopsTestAtTheEndAndCharge) {
  EXPECT_EQ(
      condition("agent.roles.exists(r, r == \"banker\")"),
      "load iter_size const_ jump charge iter_item const_ eq_any jump_if inc lt_int jump_if const_ ret const_ ret");
  EXPECT_EQ(
      condition("input.items.all(i, 10 / i > 1)"),
      "clear_fault load iter_size const_ jump charge iter_item const_ unbox div_int const_ lt_int jump_ifn inc lt_int "
      "jump_if raise_saved const_ ret const_ ret save_fault jump");
  auto p = rules("deny r when input.items.all(i, i > 1);");
  const Range code = p.data().predicates[p.rule("p.r").condition].code;
  for (uint32_t i = 0; i < code.count; ++i) {
    const Insn& insn = p.data().code[code.first + i];
    if (insn.op == Op::charge) {
      EXPECT_EQ(insn.b, 1u + 3u) << "one, and the three nodes of i > 1";
    }
  }
}

TEST(Emit, ALetRaisesItsFaultWhereItIsUsed) {
  auto p = rules("deny r when cel.bind(q, input.n / input.m, agent.id == \"a\" || q > 1);");
  const uint32_t predicate = p.rule("p.r").condition;
  EXPECT_EQ(count(p.data(), predicate, Op::div_int), 1u);
  EXPECT_EQ(count(p.data(), predicate, Op::raise_saved), 1u);
  EXPECT_EQ(count(p.data(), predicate, Op::save_fault), 1u);
}

TEST(Emit, ConstantConditionsHaveNoCode) {
  auto p = rules("deny a when true; deny b when 1 > 2; allow; deny c when false || input.n > 1;");
  EXPECT_EQ(p.rule("p.a").condition, kNone);
  EXPECT_EQ(p.rule("p.allow#1").condition, kNone);
  EXPECT_EQ(p.data().rules.size(), 4u) << "a rule that never applies is still a rule";
  for (uint32_t entry : p.data().rule_list) EXPECT_NE(p.data().rules[p.data().rule_codes[entry].rule].name, "p.b");
}

TEST(Emit, BecauseIsTextWhereItIsConstant) {
  auto p =
      rules("deny a when input.n > 1 because \"too \" + \"much\"; deny b when input.n > 1 because \"to \" + input.to;");
  ASSERT_NE(p.rule("p.a").because_text, kNone);
  EXPECT_EQ(p.data().constants[p.rule("p.a").because_text].as_text(), "too much");
  EXPECT_EQ(p.rule("p.a").because, kNone);
  EXPECT_EQ(p.rule("p.b").because_text, kNone);
  EXPECT_EQ(ops(p.data(), p.rule("p.b").because), "const_ load call ret");
}

TEST(Emit, WhatCannotFaultIsSharedBetweenRulesWhatCanIsNot) {
  auto p = rules(R"(deny a when agent.id == "x"; warn b when agent.id == "x"; deny c when agent.team == "x";
                    warn d when agent.team == "x";)");
  EXPECT_EQ(p.rule("p.a").condition, p.rule("p.b").condition);
  EXPECT_NE(p.rule("p.c").condition, p.rule("p.d").condition) << "their faults are at different places";
}

TEST(Emit, ConstantsAreKeptOnceAndApartByKind) {
  auto p =
      rules("deny a when input.any.x == 1 || input.any.y == 1; deny b when input.any.x == 1u || input.any.x == 1.0;");
  int ones = 0;
  for (const Value& constant : p.data().constants) {
    ones += (constant.is(Kind::integer) || constant.is(Kind::unsigned_integer) || constant.is(Kind::floating)) ? 1 : 0;
  }
  EXPECT_EQ(ones, 3);
}

TEST(Emit, PlansGoByPackageAndKindInSourceOrder) {
  auto source = [](const char* path, std::string text) {
    return std::make_shared<Source>(Source{path, std::move(text)});
  };
  auto compilation = compile(
      {source("a.policy", R"(package one; option order = first_match;
         capability pay { input { n: int } } capability get { input { n: int } }
         policy p on before pay, get { allow x when input.n == 1; deny y when input.n == 2; warn z; allow u when input.n == 3; })"),
       source(
           "b.policy",
           R"(package two; policy q on before *.*, pay { require_approval m; deny d; } policy s on after * { warn w; })")},
      standard_library());
  ASSERT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  const ProgramData& data = data_of(*compilation.program);
  const auto names = [&data](const RuleRange& rules) {
    const Range range = rules.entries;
    std::string out;
    for (uint32_t i = 0; i < range.count; ++i) {
      out += (i > 0 ? " " : "") + data.rules[data.rule_codes[data.rule_list[range.first + i]].rule].name;
    }
    return out;
  };
  ASSERT_EQ(data.capability_rules.size(), 3u);
  const Range pay = data.capability_rules[0].packages[0];
  ASSERT_EQ(pay.count, 2u);
  const PackageRules& one = data.package_rules[pay.first];
  EXPECT_EQ(one.first_match, 1u);
  EXPECT_EQ(names(one.answers), "p.x p.y p.u");
  EXPECT_EQ(names(one.deny) + names(one.allow), "") << "a first_match package has one list";
  EXPECT_EQ(names(one.obligations), "p.z");
  const PackageRules& two = data.package_rules[pay.first + 1];
  EXPECT_EQ(names(two.deny) + ";" + names(two.require_approval) + ";" + names(two.answers), "q.d;q.m;");
  // In package one the same code decides `get`; in package two, nothing does in the before stage.
  const Range get = data.capability_rules[1].packages[0];
  ASSERT_EQ(get.count, 1u);
  EXPECT_EQ(data.package_rules[get.first].answers.entries.first, one.answers.entries.first);
  // For undeclared capabilities there are only globs, each with its set of them.
  const Range undeclared = data.capability_rules[2].packages[0];
  ASSERT_EQ(undeclared.count, 1u);
  const RuleCode& code = data.rule_codes[data.rule_list[data.package_rules[undeclared.first].deny.entries.first]];
  ASSERT_NE(code.target_set, kNone);
  EXPECT_EQ(data.target_sets[code.target_set].count(), 1u);
}

TEST(Emit, TheSamePoliciesGiveTheSameBytes) {
  const std::string text =
      std::string(kContext) + R"(policy p on before pay { deny a when input.to in ["x", "y"] && "z" in agent.teams;
      deny b when input.items.exists(i, i == 3) because "b" + input.to; })";
  EXPECT_EQ(Compiled(text).program->serialise(), Compiled(text).program->serialise());
}

TEST(Emit, LineMapAgreesWithLineColumn) {
  std::string text =
      "\xEF\xBB\xBF"
      "first\r\nsecond \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 x\n\n";
  for (int i = 0; i < 100; ++i) text += "\xC3\xA4 long line ";
  text += "\nend";
  const Source source{"s", text};
  const LineMap map(source);
  for (uint32_t offset = 0; offset <= text.size(); ++offset) {
    const LineColumn expected = line_column(source, offset), got = map.at(offset);
    ASSERT_EQ(got.line, expected.line) << offset;
    ASSERT_EQ(got.column, expected.column) << offset;
  }
}

TEST(Emit, FaultsAreLocatedAtTheOperator) {
  auto p = rules("deny r when\n  \"\xC3\xA4\" == input.to || input.n / input.m > 1;");
  const Predicate& predicate = p.data().predicates[p.rule("p.r").condition];
  bool found = false;
  for (uint32_t i = 0; i < predicate.locations.count; ++i) {
    const InsnLocation& at = p.data().insn_locations[predicate.locations.first + i];
    if (p.data().code[predicate.code.first + at.pc].op != Op::div_int) continue;
    found = true;
    EXPECT_EQ(p.data().locations[at.location].column, 30u) << "columns count code points";
  }
  EXPECT_TRUE(found);
}

// --- single expressions

ProgramData expression(const std::string& text, bool checked = true) {
  Arena arena;
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"e.cel", text}));
  const syntax::Expr* parsed = parse_expression(arena, diagnostics, 0);
  EXPECT_NE(parsed, nullptr) << render(diagnostics);
  if (parsed == nullptr) return {};
  ExpressionEnv env;
  env.checked = checked;
  env.variables = {{"i", &types::kInt}, {"s", &types::kString}, {"x", &types::kDyn}};
  CheckedExpression out = check_expression(arena, diagnostics, *parsed, env, standard_library());
  EXPECT_FALSE(diagnostics.has_errors()) << render(diagnostics);
  if (diagnostics.has_errors()) return {};
  fold(arena, out.expression);
  return emit(out.expression, out.schema, diagnostics);
}

TEST(Emit, LongChainsNeedFewRegisters) {
  std::string sum = "i";
  for (int n = 0; n < 390; ++n) sum += " + i";
  ProgramData data = expression(sum);
  ASSERT_EQ(data.predicates.size(), 1u);
  EXPECT_LE(data.predicates[0].registers.count, 3u);
  EXPECT_EQ(data.predicates[0].code.count, 2u * 390 + 2);

  std::string text = "s";
  for (int n = 0; n < 390; ++n) text += " + s";
  data = expression(text);
  EXPECT_LE(data.predicates[0].registers.count, 6u);
}

TEST(Emit, OnePredicateWhoseResultIsOfAnyKind) {
  ProgramData data = expression("x.y[0] + 1");
  ASSERT_EQ(data.predicates.size(), 1u);
  EXPECT_EQ(ops(data, 0), "load select const_ index mov const_ call_dynamic ret");
  EXPECT_EQ(data.predicates[0].result, kAnyKind);
  EXPECT_TRUE(data.rules.empty());
}

TEST(Emit, UnknownNamesOfUncheckedExpressionsAreFaults) {
  ProgramData data = expression("nothing || s == 'a'", false);
  EXPECT_EQ(count(data, 0, Op::fail), 1u);
  EXPECT_TRUE(link_program(std::move(data), standard_library()));
}

TEST(Emit, LongConditionsPassTheVerifier) {
  std::string text = "i > 0";
  for (int n = 1; n < 5'000; ++n)
    text += " && (i / " + std::to_string(n) + " > x || s == 'k" + std::to_string(n) + "')";
  auto program = link_program(expression(text), standard_library());
  EXPECT_TRUE(program) << (program ? "" : program.error().message);
}

TEST(Emit, EmptyListsAreNotTakenForWhatWasMadeNext) {
  // An empty list has no memory of its own, so its address may be that of the next constant.
  for (const char* text : {"[].map(v, {})", "[[].map(v, {}), [{}].map(v, [])]", "[[], {}, [[]], [{}], {'a': []}]",
                           "{'a': [], 'b': {}, 'c': [[], {}]}.map(k, [k, [], {}])"}) {
    auto program = link_program(expression(text), standard_library());
    EXPECT_TRUE(program) << text << ": " << (program ? "" : program.error().message);
  }
  const ProgramData data = expression("[[].map(v, {'k': 1}), i == 1 ? dyn([]) : dyn({'k': 1})]");
  size_t lists = 0;
  size_t maps = 0;
  for (const Value& constant : data.constants) {
    lists += constant.is(Kind::list) && constant.aux == 0 ? 1 : 0;
    maps += constant.is(Kind::map) && constant.map->count == 1 ? 1 : 0;
  }
  EXPECT_EQ(lists, 1U);
  EXPECT_EQ(maps, 1U);
}

// Rules under a glob that read the input only as a whole are compiled once, not once for each target.
TEST(Emit, WholeInputsDoNotMultiplyPredicates) {
  std::string text;
  for (const char* input : {"{ a: string }", "{ b: int, c: list(string) }", "open { d: double }", "{ e: int }"}) {
    text += "capability tools.c" + std::to_string(text.size()) + " { input " + input + " }\n";
  }
  text += "policy p on before tools.*, other { allow;\n";
  for (int i = 0; i < 7; ++i) {
    const std::string n = std::to_string(i);
    text += "deny t" + n + " when texts(input).exists(t, t.matches(\"k[0-9]" + n + "\"));\n";
    text += "deny d" + n + " when has(dyn(input).f" + n + ") && dyn(input).f" + n + " == \"x\";\n";
    text += "deny a" + n + " when agent.id == \"a" + n + "\";\n";
  }
  Compiled out(text + "}\n");
  ASSERT_NE(out.program, nullptr) << out.messages;
  EXPECT_EQ(out.data().predicates.size(), 21u);
}

TEST(Emit, EqualNetworksAreOneConstant) {
  const ProgramData data = expression(
      "[i == 1 ? cidr('10.0.0.0/8') : cidr('10.0.0.0/9'), i == 2 ? cidr('2001:db8::/32') : cidr('10.0.0.0/8'),"
      " i == 3 ? cidr('2001:db8::/32') : cidr('2001:db8::/48')]");
  EXPECT_EQ(std::ranges::count_if(data.constants, [](const Value& each) { return each.is(Kind::cidr); }), 4);
}

TEST(Emit, WhatItMakesPassesTheVerifier) {
  const char* texts[] = {
      "x.map(a, a.filter(b, b > 1).exists(c, c == x))",
      "[1, x, ?x.?y, ?optional.of(3)]",
      "{'a': 1, ?'b': x.?b, x: [x]}",
      "cel.bind(a, i / 0, cel.bind(b, a, b > 1 && b < 5 || x))",
      "x.all(k, v, k != v) ? x : [i]",
      "x.transformMap(k, v, k > 1, v + 1)",
      "x.transformMapEntry(k, v, {v: k})",
      "x.exists_one(a, a / i > 0) && s < 'q'",
      "s.matches('^a+$') || s.startsWith(string(x)) || x[?0].hasValue()",
      "!x && (x ? x : !x) == (x || x)",
  };
  for (const char* text : texts) {
    ProgramData data = expression(text);
    auto program = link_program(std::move(data), standard_library());
    EXPECT_TRUE(program) << text << ": " << (program ? "" : program.error().message);
  }
}

}  // namespace
}  // namespace ordain
