// These tests cover shared lets: each is computed at most once in a decision, and nothing else
// changes: not the decision, not the fault and its place, not what an evaluation may spend.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ordain/call.h"
#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/disasm.h"
#include "ordain/index_text.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

uint64_t times_counted = 0;

bool counted(Eval& eval, const Value* args, Value* result) {
  ++times_counted;
  if (!eval.charge(10)) return false;
  if (args[0].as_text() == "bad") return eval.fail(FaultCode::invalid_argument, "a bad text");
  return eval.make_string(std::string(args[0].as_text()) + "!", result);
}

const FunctionTable& functions_with_counted() {
  static const FunctionTable& table = *[] {
    auto* out = new FunctionTable();
    add_standard_library(*out);
    out->add({"counted", "counted_string", "(string) -> string", counted, "Test.", nullptr, kNotFolded});
    return out;
  }();
  return table;
}

constexpr const char* kCapability = "capability pay { input { to: string, n: int } }\n";

struct SharingProgram {
  explicit SharingProgram(const std::string& text) {
    auto compilation =
        compile({std::make_shared<Source>(Source{"t.policy", kCapability + text})}, functions_with_counted());
    EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
    program = compilation.program;
    context = std::make_unique<Context>(program);
    call = std::make_unique<Call>(program);
  }
  void begin(const std::string& input) {
    call->begin(program->resolve("pay"), Stage::before);
    auto value = parse_json(call->arena(), input);
    ASSERT_TRUE(value.ok());
    call->bind_input(*value);
    times_counted = 0;
  }
  const std::vector<SharedLet>& lets() const { return data_of(*program).shared_lets; }

  std::shared_ptr<const Program> program;
  std::unique_ptr<Context> context;
  std::unique_ptr<Call> call;
  Scratch scratch;
};

const DecideOptions kInterpreted{.interpret_only = true};

TEST(LetSharing, RulesOfAllKindsComputeALetOnce) {
  SharingProgram p(R"(
let seen = counted(input.to);
policy p on before pay {
  deny a  when seen == "a!";
  deny b  when input.n > 1 && seen == "b!";
  deny c  when seen.size() > 9;
  warn w  when seen != "";
  allow d when seen != "" because seen;
}
)");
  ASSERT_EQ(p.lets().size(), 1u);
  EXPECT_EQ(p.lets()[0].name, "seen");
  EXPECT_EQ(p.lets()[0].kind, static_cast<uint8_t>(Kind::string));
  for (const bool all : {false, true}) {
    p.begin(R"({"to": "x", "n": 5})");
    const Decision d = all ? decide_all(*p.call, *p.context, p.scratch, kInterpreted)
                           : decide(*p.call, *p.context, p.scratch, kInterpreted);
    EXPECT_EQ(d.effect, Effect::allow);
    EXPECT_EQ(d.reason, "x!");
    EXPECT_EQ(d.obligations.size(), 1u);
    EXPECT_EQ(times_counted, 1u);
  }
  p.begin(R"({"to": "b", "n": 5})");
  EXPECT_EQ(decide(*p.call, *p.context, p.scratch, kInterpreted).reason, "p.b");
  EXPECT_EQ(times_counted, 1u) << "nothing is remembered from the decision before";
}

TEST(LetSharing, AFaultIsRememberedWithItsPlace) {
  SharingProgram p(R"(
let seen = counted(input.to);
policy p on before pay {
  deny a  when seen == "a!" && input.n < 0;
  deny b  when seen == "b!";
  deny c  when seen == "c!";
  allow;
}
)");
  p.begin(R"({"to": "bad", "n": 5})");
  const Decision d = decide_all(*p.call, *p.context, p.scratch, kInterpreted);
  EXPECT_EQ(times_counted, 1u);
  EXPECT_EQ(d.effect, Effect::deny);
  EXPECT_EQ(d.code, DecisionCode::evaluation_error);
  EXPECT_EQ(p.program->rules()[d.fault_rule].name, "p.b");
  EXPECT_EQ(d.fault.code, FaultCode::invalid_argument);
  EXPECT_EQ(d.fault.detail.as_text(), "a bad text");
  ASSERT_LT(d.fault.location, p.program->locations().size());
  EXPECT_EQ(p.program->locations()[d.fault.location].line, 3u);
}

TEST(LetSharing, LetsThatAreCheapOrUsedOnceOrInLoopsAreNotShared) {
  for (const char* text : {
           "let big = input.n > 5; let name = input.to;"
           "policy p on before pay { deny a when big && name == \"x\"; deny b when big || name == \"y\"; }",
           "let limit = [1, 2, 3];"
           "policy p on before pay { deny a when input.n in limit; deny b when limit[0] == input.n; }",
           "let seen = counted(input.to); policy p on before pay { deny a when seen == \"x\"; allow; }",
           "let seen = counted(input.to);"
           "policy p on before pay { deny a when [input.n].exists(i, seen == string(i)); allow when [input.n].all(i, "
           "seen != string(i)); }",
       }) {
    const SharingProgram p(text);
    EXPECT_TRUE(p.lets().empty()) << text << "\n" << disassemble(*p.program);
  }
}

TEST(LetSharing, SharedLetsAreShownAndSerialised) {
  SharingProgram p(
      "let seen = counted(input.to);\n"
      "policy p on before pay { deny a when seen == \"a!\"; deny b when seen == \"b!\"; }");
  EXPECT_NE(disassemble(*p.program).find("shared lets\n  0 seen: string\n"), std::string::npos)
      << disassemble(*p.program);
  EXPECT_NE(describe_index(*p.program, 10).find("lets computed at most once in a decision: seen\n"), std::string::npos);
  auto loaded = Program::load(p.program->serialise(), functions_with_counted());
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ((*loaded)->digest(), p.program->digest());
}

void replace_word(std::string& text, const std::string& word, const std::string& by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
}

std::string outcome(SharingProgram& p, const std::string& input, const Budget& budget) {
  p.begin(input);
  const Decision d = decide_all(*p.call, *p.context, p.scratch, {.budget = budget, .interpret_only = true});
  std::string out = std::string(to_string(d.effect)) + " " + std::string(to_string(d.code)) + " " +
                    (d.rule == kNone ? "-" : p.program->rules()[d.rule].name) + " " + std::string(d.reason) + " " +
                    std::string(fault_name(d.fault.code));
  for (const RuleId rule : d.matched) out += " " + p.program->rules()[rule].name;
  for (const Obligation& obligation : d.obligations) out += " " + std::string(obligation.reason);
  return out;
}

// The lets are written out by hand in the other program, so nothing is shared there.
TEST(LetSharing, EveryBudgetEndsWhereItEndsWithoutSharing) {
  const std::pair<std::string, std::string> lets[] = {
      {"LATE", "(MANY.size() > 2 && (SEEN != \"x!x\" || MANY.exists(i, i == 8)))"},
      {"MANY", "lists.range(input.n).map(i, i * 2)"},
      {"SEEN", "(counted(input.to) + input.to)"},
  };
  std::string rules = R"(policy p on before pay {
  deny a             when LATE && SEEN == "q!q";
  require_approval b when MANY.exists(i, i == input.n) || SEEN == "x!x" from SEEN;
  deny c             when MANY.size() > 50 || LATE && input.n == 7;
  allow d            when !LATE;
  warn e             when LATE || SEEN == "x!x" because SEEN;
  allow f            when SEEN != "";
}
)";
  std::string shared = rules;
  std::string declarations;
  for (const auto& [name, value] : lets) declarations += "let " + name + " = " + value + ";\n";
  for (const auto& [name, value] : lets) replace_word(rules, name, value);
  SharingProgram with(declarations + shared);
  SharingProgram without(rules);
  EXPECT_EQ(with.lets().size(), 3u);
  EXPECT_TRUE(without.lets().empty());
  for (const char* input : {R"({"to": "x", "n": 5})", R"({"to": "q", "n": 3})", R"({"to": "bad", "n": 7})",
                            R"({"to": "y", "n": 7})", R"({"to": "x", "n": 0})"}) {
    for (uint64_t cost = 0; cost < 160; ++cost) {
      ASSERT_EQ(outcome(with, input, {.cost = cost}), outcome(without, input, {.cost = cost})) << input << cost;
    }
    for (uint64_t memory = 0; memory < 400; ++memory) {
      ASSERT_EQ(outcome(with, input, {.memory = memory}), outcome(without, input, {.memory = memory}))
          << input << memory;
    }
  }
}

}  // namespace
}  // namespace ordain
