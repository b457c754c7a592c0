// These tests check what the generator reaches: nearly all of its expressions are accepted, and
// every macro, every form of name and nearly every row of the function table occurs.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <regex>
#include <set>

#include "compiler/check/expression/check_expression.h"
#include "compiler/parse/parse.h"
#include "ordain/stdlib.h"
#include "tests/fuzz/generate.h"

namespace ordain::fuzz {
namespace {

constexpr size_t kExpressions = 6000;

void collect(const typed::Node& node, std::map<const Overload*, size_t>& rows) {
  if (node.overload != nullptr) ++rows[node.overload];
  for (const typed::Node* arg : node.args) collect(*arg, rows);
}

struct Reached {
  size_t accepted = 0;
  std::map<std::string, size_t> refusals;  ///< by code
  std::string first_refused;
  std::map<const Overload*, size_t> rows;
  std::vector<std::string> texts;  ///< of accepted expressions
};

Reached reach() {
  Reached out;
  std::mt19937_64 random(20240501);
  for (size_t n = 0; n < kExpressions; ++n) {
    std::string bytes(64 + random() % 400, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    Arena arena(1 << 16);
    const Generated made = generate(arena, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    Diagnostics diagnostics;
    diagnostics.sources.push_back(std::make_shared<Source>(Source{"generated", made.text}));
    const syntax::Expr* parsed = parse_expression(arena, diagnostics, 0);
    CheckedExpression checked;
    if (parsed != nullptr && !diagnostics.has_errors()) {
      checked = check_expression(arena, diagnostics, *parsed, made.env, standard_library());
    }
    if (!diagnostics.has_errors()) {
      ++out.accepted;
      out.texts.push_back(made.text);
      collect(*checked.expression.root, out.rows);
    } else {
      for (const Diagnostic& item : diagnostics.items) ++out.refusals[item.code];
      if (out.first_refused.empty()) out.first_refused = render(diagnostics);
    }
  }
  return out;
}

const Reached& reached() {
  static const Reached all = reach();
  return all;
}

TEST(Generate, NearlyAllIsWellTyped) {
  EXPECT_GE(reached().accepted, kExpressions * 97 / 100) << reached().first_refused;
  std::string codes;
  for (const auto& [code, count] : reached().refusals) codes += code + " " + std::to_string(count) + "\n";
  EXPECT_LE(reached().refusals.size(), 5U) << codes;
}

TEST(Generate, ReachesTheFunctionTable) {
  size_t rows = 0;
  std::string missing;
  size_t unreached = 0;
  for (const auto& [name, function] : standard_library().all()) {
    for (const Overload* row : function.overloads) {
      ++rows;
      if (reached().rows.contains(row)) continue;
      ++unreached;
      missing += row->id + "\n";
    }
  }
  EXPECT_LE(unreached, rows / 50) << missing;
}

TEST(Generate, ReachesMacrosAndNames) {
  const char* const kForms[] = {R"(has\()",
                                R"(\.all\(v\d+, [^v])",
                                R"(\.all\(v\d+, v\d+, )",
                                R"(\.exists\(v\d+, )",
                                R"(\.exists\(v\d+, v\d+, )",
                                R"(\.exists_one\(v\d+, )",
                                R"(\.existsOne\(v\d+, )",
                                R"(\.existsOne\(v\d+, v\d+, )",
                                R"(\.map\()",
                                R"(\.filter\()",
                                R"(\.transformList\()",
                                R"(\.transformMap\()",
                                R"(\.transformMapEntry\()",
                                R"(\.sortBy\()",
                                R"(\.optMap\()",
                                R"(\.optFlatMap\()",
                                R"(cel\.bind\()",
                                R"(cel\.block\(\[)",
                                R"(cel\.index\(1\))",
                                R"(cel\.iterVar\(\d+, 0\))",
                                R"(\)\.\?\w+)",
                                R"(\)\[\?)",
                                R"(\[\?)",
                                R"(\{\?|, \?')",
                                R"(\.orValue\()",
                                R"(\.or\()",
                                R"((^|[ (,])\.\w+)",
                                R"((^|[ (,])\.p\.q\.)",
                                R"((^|[ (,])q\.[is])",
                                R"((^|[ (,])greatest\()",
                                R"(\.format\(\[)",
                                R"(math\.least\([^()]*,[^()]*,[^()]*,)",
                                R"(ip\()",
                                R"(cidr\()"};
  for (const char* form : kForms) {
    const std::regex pattern(form);
    size_t count = 0;
    for (const std::string& text : reached().texts) count += std::regex_search(text, pattern) ? 1 : 0;
    EXPECT_GE(count, 2U) << form;
  }
}

}  // namespace
}  // namespace ordain::fuzz
