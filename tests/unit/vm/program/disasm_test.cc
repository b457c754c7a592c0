// These tests cover the disassembler, and check that the instruction tables of docs/bytecode.md
// agree with opcodes.def.
#include "ordain/disasm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "ordain/index_text.h"
#include "tests/support/sample_program.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using namespace ordain::test;

std::string sample_text() {
  Assembler a = sample_program();
  auto program = link_program(std::move(a.data), sample_functions());
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program ? disassemble(**program) : "";
}

TEST(Disassemble, NamesOperands) {
  const std::string text = sample_text();
  for (const char* part : {
           "predicate 0: bool",
           "; condition of p.deny#0",
           "r3:builder",
           "select           r1, r0, \"a\"",
           "test.policy:3:1",
           "slot_eq          r0, input.name, \"red\"",
           "slot_in          r0, input.name, {\"red\", \"blue\"}",
           "slot_has         r0, input.tags, \"red\"",
           "call             r7, same[same_any], (r2)",
           "call_dynamic     r7, same, (r2)",
           "call_prepared    r7, near[near_int] with 2, (r8..r9)",
           "charge           3",
           "save_fault       f0",
           "input.tags: list(string), 2 members",
           "plan before act",
           "plan after act",
           "plan before (undeclared capabilities)",
           "package acme.two, first match, budget 123456",
           "path output.secret",
           "because \"fine\"",
           "on *",
       }) {
    EXPECT_NE(text.find(part), std::string::npos) << "no `" << part << "` in\n" << text;
  }
}

TEST(Disassemble, HasNoPlansWithoutListsOfRules) {
  Assembler a;
  a.capability("act");
  a.returns(Value::boolean(true));
  auto program = link_program(std::move(a.data), FunctionTable());
  ASSERT_TRUE(program.ok()) << program.error().message;
  const std::string text = disassemble(**program);
  EXPECT_NE(text.find("predicate 0: bool"), std::string::npos) << text;
  EXPECT_EQ(text.find("plan"), std::string::npos) << text;
  EXPECT_TRUE(summarise_index(**program).empty());
}

TEST(Disassemble, NamesTheSecrets) {
  Assembler a;
  a.capability("act");
  a.returns(Value::boolean(true));
  static const RecordField kFields[] = {{"token", &types::kString}};
  static const RecordType kRecord{"act.input", false, kFields};
  a.data.schema.records.push_back({.name = "input", .type = &kRecord});
  a.data.schema.capabilities[0].input = static_cast<uint32_t>(a.data.schema.records.size() - 1);
  a.data.schema.capabilities[0].secrets = {"input.token"};
  auto program = link_program(std::move(a.data), FunctionTable());
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_NE(disassemble(**program).find("secrets\n  act: input.token\n"), std::string::npos) << disassemble(**program);
  auto loaded = Program::load((*program)->serialise(), FunctionTable());
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ((*loaded)->schema().capabilities[0].secrets, (std::vector<std::string>{"input.token"}));
}

// @returns the label that a line of a jump or a handler names, or ""
std::string label_used(const std::string& line) {
  const bool jumps = line.find("jump") != std::string::npos || line.find("handler [") != std::string::npos;
  const size_t at = line.rfind(" L");
  if (!jumps || at == std::string::npos) return "";
  return line.substr(at + 1, line.find_first_not_of("0123456789", at + 2) - (at + 1));
}

TEST(Disassemble, EveryJumpAndHandlerHasALabel) {
  std::istringstream lines(sample_text());
  int uses = 0;
  std::set<std::string> used, defined;
  const auto check = [&] {  // each predicate has its own labels
    EXPECT_EQ(used, defined);
    used.clear();
    defined.clear();
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("predicate") || line.starts_with("plan")) check();
    if (line.starts_with(" L")) {
      EXPECT_TRUE(defined.insert(line.substr(1, line.size() - 2)).second) << line;
    }
    if (const std::string label = label_used(line); !label.empty()) {
      used.insert(label);
      ++uses;
    }
  }
  check();
  EXPECT_GE(uses, 4);
}

TEST(Disassemble, AnEmptyProgramHasAText) {
  auto program = link_program(ProgramData(), sample_functions());
  ASSERT_TRUE(program.ok());
  EXPECT_NE(disassemble(**program).find("0 rules"), std::string::npos);
}

TEST(BytecodeDoc, ListsEveryInstructionAsItIs) {
  std::ifstream file(std::string(ORDAIN_SOURCE_DIR) + "/docs/bytecode.md");
  ASSERT_TRUE(file.good());
  std::map<std::string, std::string> rows;
  for (std::string line; std::getline(file, line);) {
    // Rows of the tables of instructions have four columns and begin with a lower-case name.
    if (!line.starts_with("| `") || std::ranges::count(line, '|') < 5) continue;
    const std::string name = line.substr(3, line.find('`', 3) - 3);
    EXPECT_TRUE(rows.emplace(name, line).second) << "twice: " << line;
  }
  for (uint16_t i = 0; i < kOpCount; ++i) {
    const OpInfo& info = op_info(static_cast<Op>(i));
    std::string expected =
        std::string("| `") + info.name + "` | `" + info.operands + "` | " + info.flags + " | " + info.doc + " |";
    EXPECT_EQ(rows[info.name], expected);
    rows.erase(info.name);
  }
  EXPECT_TRUE(rows.empty()) << "no such instruction: " << rows.begin()->first;
}

}  // namespace
}  // namespace ordain
