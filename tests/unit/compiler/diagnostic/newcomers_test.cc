// This test compiles the mistakes of tests/policies/errors/newcomers.txt and compares the answers with
// those in the file. Each answer must name a cure.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

const std::string kPath = std::string(ORDAIN_SOURCE_DIR) + "/tests/policies/errors/newcomers.txt";
constexpr const char* kBefore =
    "capability send { input { to: string, sum: double, n: int, memo: optional(string), tags: list(string) } output "
    "open { id: string } }\npolicy p on before send {\n  ";

struct Case {
  std::string title;  ///< "rule ..." or "file ..."
  std::string text;
  std::string answer;
};

struct Document {
  std::string head;
  std::vector<Case> cases;
};

Document read_document() {
  std::ifstream in(kPath, std::ios::binary);
  Document out;
  bool answer = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      out.cases.push_back({line.substr(4), "", ""});
      answer = false;
    } else if (out.cases.empty()) {
      out.head += line + "\n";
    } else if (line == "---") {
      answer = true;
    } else if (!(answer && line.empty())) {
      (answer ? out.cases.back().answer : out.cases.back().text) += line + "\n";
    }
  }
  return out;
}

void write_document(const Document& document) {
  std::ofstream out(kPath, std::ios::binary);
  out << document.head;
  for (size_t i = 0; i < document.cases.size(); ++i) {
    const Case& each = document.cases[i];
    out << (i == 0 ? "" : "\n") << "=== " << each.title << "\n" << each.text << "---\n" << each.answer;
  }
}

// @returns the diagnostics of a case, without the lines of the policy
std::string answer_to(const Case& each) {
  std::string text = each.text;
  if (each.title.starts_with("rule ")) text = kBefore + text + "}\n";
  const Compilation compiled = compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
  std::string out;
  auto add = [&out](const Diagnostic& item, auto& self) -> void {
    static constexpr const char* kSeverities[] = {"error", "warning", "note"};
    out += std::string(kSeverities[static_cast<int>(item.severity)]) + (item.code.empty() ? "" : " " + item.code) +
           ": " + item.message + "\n";
    if (!item.help.empty()) out += "  help: " + item.help + "\n";
    for (const Diagnostic& note : item.notes) self(note, self);
  };
  for (const Diagnostic& item : compiled.diagnostics.items) add(item, add);
  return out.empty() ? "legal\n" : out;
}

TEST(Newcomers, GetAnAnswerThatNamesTheCure) {
  Document document = read_document();
  ASSERT_GT(document.cases.size(), 100u);
  const bool update = std::getenv("ORDAIN_UPDATE") != nullptr;
  // The message itself says what to do.
  const std::set<std::string> plain{"rule a semicolon forgotten",
                                    "file a brace forgotten",
                                    "rule a name used twice",
                                    "rule a bracket left open",
                                    "file a rule after one that always answers",
                                    "rule a condition that contradicts itself",
                                    "rule a month that does not exist",
                                    "rule a size below zero",
                                    "rule an hour that does not exist",
                                    "rule a time zone misspelt",
                                    "rule a time zone without its continent",
                                    "rule a field without input",
                                    "file nothing",
                                    "file a let of another type"};
  const std::set<std::string> legal{"file an int for a double in a test", "file a semicolon after a block"};
  for (Case& each : document.cases) {
    const std::string answer = answer_to(each);
    if (update) {
      each.answer = answer;
      continue;
    }
    EXPECT_EQ(answer, each.answer) << each.title << "\n" << each.text;
    EXPECT_EQ(answer == "legal\n", legal.contains(each.title)) << each.title;
    const bool helps = answer.find("  help: ") != std::string::npos;
    EXPECT_TRUE(helps || plain.contains(each.title) || legal.contains(each.title)) << each.title << "\n" << answer;
  }
  if (update) write_document(document);
}

TEST(Newcomers, MayBeginAFileWithAByteOrderMark) {
  const std::string text = "\xEF\xBB\xBFpolicy p on before * { allow; }\n";
  const Compilation compiled = compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
  EXPECT_TRUE(compiled.diagnostics.items.empty()) << render(compiled.diagnostics);
}

}  // namespace
}  // namespace ordain
