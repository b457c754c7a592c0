// These tests run lint over the examples of docs/diagnostics.md, and over tables of policies with and
// without findings.
#include "ordain/lint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "ordain/stdlib.h"

namespace ordain {
namespace {

using Codes = std::vector<std::string>;

Compilation lint_text(const std::string& text) {
  return lint_policies({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
}

Codes codes_of(const Compilation& compilation) {
  Codes out;
  for (const Diagnostic& item : compilation.diagnostics.items) out.push_back(item.code);
  std::sort(out.begin(), out.end());
  return out;
}

bool has_code(const Compilation& compilation, const std::string& code) {
  const Codes codes = codes_of(compilation);
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// @returns by code: the policies below its heading in docs/diagnostics.md
std::map<std::string, std::vector<std::string>> examples_of_codes() {
  std::ifstream in(std::string(ORDAIN_SOURCE_DIR) + "/docs/diagnostics.md", std::ios::binary);
  std::map<std::string, std::vector<std::string>> out;
  std::string code;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (inside && line != "```") {
      out[code].back() += line + "\n";
    } else if (inside) {
      inside = false;
    } else if (line == "```policy") {
      out[code].emplace_back();
      inside = true;
    } else if (line.starts_with("### ")) {
      code = line.substr(4);
      out[code];
    } else if (line.starts_with("## ")) {
      code = line;  // what stands outside of such a section
    }
  }
  return out;
}

TEST(Lint, TheFirstExampleOfACodeHasItAndTheSecondHasNot) {
  const std::set<std::string> without{"bidi-control", "invisible-character", "unused-import"};
  size_t sections = 0;
  for (const auto& [code, policies] : examples_of_codes()) {
    if (code.starts_with("## ") || code.empty()) continue;
    if (code == "data-file" || code == "data-value") continue;  // these need files: data_files_test.cc has them
    ++sections;
    ASSERT_EQ(policies.size(), without.contains(code) ? 0u : 2u) << code;
    if (policies.empty()) continue;
    const Compilation bad = lint_text(policies[0]), good = lint_text(policies[1]);
    EXPECT_EQ(bad.program == nullptr, bad.diagnostics.has_errors()) << render(bad.diagnostics);
    ASSERT_NE(good.program, nullptr) << render(good.diagnostics);
    EXPECT_TRUE(has_code(bad, code)) << code << "\n" << policies[0] << render(bad.diagnostics);
    EXPECT_FALSE(has_code(good, code)) << code << "\n" << policies[1] << render(good.diagnostics);
  }
  EXPECT_GT(sections, 20u);
}

struct Row {
  const char* rule;
  Codes found;
};

// What lint says of one rule on one capability.
TEST(Lint, OneRule) {
  const std::string head =
      "capability act { input { to: string, path: string, url: string, command: string, n: int, tags: list(string) } "
      "}\npolicy p on before act { ";
  const Row rows[] = {
      // What is permitted needs boundaries, what is refused needs folding.
      {"allow when input.to.endsWith(\".example.com\");", {}},
      {"allow when input.to.endsWith(\"example.com\");", {"suffix-boundary"}},
      {"deny when !input.to.endsWith(\"example.com\");", {"suffix-boundary"}},
      {"deny when !(input.to.endsWith(\"example.com\") || input.n > 3);", {"suffix-boundary"}},
      {"deny when input.to.endsWith(\"example.com\");", {"case-evasion"}},
      {"deny when input.to.lowerAscii().endsWith(\"example.com\");", {}},
      {"deny when input.to.contains(\"42\");", {}},
      {"deny when input.tags.exists(t, t.startsWith(\"secret\"));", {"case-evasion"}},
      {"deny when agent.id.startsWith(\"secret\");", {}},
      {"allow when input.url.startsWith(\"https://a.example\");", {"url-prefix"}},
      {"allow when input.url.startsWith(\"https://a.example/x\");", {}},
      {"allow when input.url.startsWith(\"https://\");", {}},
      {"allow when input.to.matches(\"^[a-z]+$\");", {}},
      {"allow when input.to.matches(\"^[a-z]+\");", {"unanchored-regex"}},
      {"deny when !input.to.matches(\"[a-z]+$\");", {"unanchored-regex"}},
      {"deny when input.to.matches(\"[a-z]+\");", {}},
      {"deny when input.path.startsWith(\"/etc\");", {"path-prefix"}},
      {"allow when !input.path.contains(\"../\");", {"path-prefix"}},
      {"deny when input.path.startsWith(\"/\");", {}},
      {"deny when !input.path.isWithin(\"/srv\");", {}},
      {"deny when input.command.startsWith(\"rm\");", {"shell-text"}},
      {"deny when input.command.lowerAscii().matches(\"rm\");", {"shell-text"}},
      {"deny when input.command == \"ls\";", {}},
      {"require_approval when input.n > 3 from \"a\" expires 59s;", {"hasty-approval"}},
      {"require_approval when input.n > 3 from \"a\" expires 1m;", {}},
      {"require_approval when input.n > 3 from [\" \", \"a\"];", {"unanswerable-approval"}},
      {"require_approval when input.n > 3 from any of [\"\", \"a\"];", {}},
      // Another spelling of the same condition is another key, but another order of sides is not.
      {"deny a when input.n > 3; deny b when input.n > 3;", {"repeated-rule"}},
      {"warn a when input.n > 3 because \"x\"; warn b when input.n > 3 because \"y\";", {}},
      {"redact input.to when input.n > 3 with \"a\"; redact input.to when input.n > 3 with \"b\";", {}},
      {"require_approval a when input.n > 3 from \"a\"; require_approval b when input.n > 3 from \"b\";", {}},
      {"allow a when input.n > 3; allow;", {"redundant-allow"}},
      // Shadowed by a part of the condition.
      {"allow a when input.n > 3 && input.to == \"x\"; deny b when input.n > 3;", {"shadowed"}},
      {"allow a when input.n > 3; deny b when input.n > 3 && input.to == \"x\";", {}},
      {"require_approval a when input.n > 3 from \"a\"; deny b when input.n > 3;", {"shadowed"}},
      {"require_approval a when input.n > 3 from \"a\"; deny b;", {"shadowed"}},
      {"deny a when input.n > 3; require_approval b from \"a\";", {}},
  };
  for (const Row& row : rows) {
    const Compilation compilation = lint_text(head + row.rule + " }");
    ASSERT_NE(compilation.program, nullptr) << row.rule << "\n" << render(compilation.diagnostics);
    EXPECT_EQ(codes_of(compilation), row.found) << row.rule << "\n" << render(compilation.diagnostics);
  }
}

TEST(Lint, WithFirstMatchAnEarlierPartOfTheConditionAnswers) {
  const std::string head =
      "option order = first_match;\ncapability act { input { n: int, m: int } }\npolicy p on before act { ";
  const Row rows[] = {
      {"deny a when input.n > 3; allow b when input.n > 3 && input.m > 1; deny;", {"shadowed"}},
      {"allow a when input.n > 3; deny b when input.n > 3;", {"shadowed"}},
      {"allow a when input.n > 3 && input.m > 1; deny b when input.n > 3;", {}},
      // Where the first one faults, the second one still answers.
      {"allow a when 10 / input.n > 3; deny b when 10 / input.n > 3;", {}},
      {"deny a when 10 / input.n > 3; allow b when 10 / input.n > 3;", {"shadowed"}},
  };
  for (const Row& row : rows) {
    const Compilation compilation = lint_text(head + row.rule + " }");
    ASSERT_NE(compilation.program, nullptr) << row.rule << "\n" << render(compilation.diagnostics);
    EXPECT_EQ(codes_of(compilation), row.found) << row.rule << "\n" << render(compilation.diagnostics);
  }
}

TEST(Lint, NamesThatLookAlike) {
  const auto of_names = [](const std::string& first, const std::string& second) {
    return codes_of(lint_text("capability \"" + first + "\" { }\ncapability \"" + second +
                              "\" { }\npolicy p on before \"" + first + "\", \"" + second + "\" { deny; }"));
  };
  EXPECT_EQ(of_names("send_money", "send_m0ney"), Codes{"confusable-names"});
  EXPECT_EQ(of_names("list_all", "Iist_a1l"), Codes{"confusable-names"});
  EXPECT_EQ(of_names("pay", "p\u0430y"), Codes{"confusable-names"});
  EXPECT_EQ(of_names("pay", "\uFF50ay"), Codes{"confusable-names"});
  EXPECT_EQ(of_names("send-money", "sendMoney"), Codes{"similar-names"});
  EXPECT_EQ(of_names("github/get", "github.get"), Codes{"similar-names"});
  EXPECT_EQ(of_names("get_file", "get_files"), Codes{});
}

TEST(Lint, CharactersThatDisplayOtherwise) {
  const std::string head = "capability a { input { t: string } }\n",
                    tail = "policy p on before a { deny when input.t == \"x\"; }\n";
  EXPECT_EQ(codes_of(lint_text(head + "// a comment \u202E\n" + tail)), Codes{"bidi-control"});
  EXPECT_EQ(codes_of(lint_text(head + "// a comment \u2066\n" + tail)), Codes{"bidi-control"});
  EXPECT_EQ(codes_of(lint_text(head + "// a comment \u200B\n" + tail)), Codes{"invisible-character"});
  EXPECT_EQ(codes_of(lint_text("\uFEFF" + head + tail)), Codes{}) << "a byte order mark";
  EXPECT_EQ(codes_of(lint_text(head + "// \u65E5\u672C \u00E9 \U0001F600\n" + tail)), Codes{});
}

TEST(Lint, ImportsThatBringLetsNobodyUses) {
  const auto found = [](const std::string& rule) {
    return codes_of(lint_policies(
        {std::make_shared<Source>(Source{
             "p.policy",
             "import \"lists.policy\";\ncapability a { input { n: int } }\npolicy p on before a { " + rule + " }\n"}),
         std::make_shared<Source>(Source{"lists.policy", "package lists;\nlet most = 5;\n"})},
        standard_library()));
  };
  EXPECT_EQ(found("deny when input.n > lists.most;"), Codes{});
  EXPECT_EQ(found("deny when input.n > 5;"), Codes{"unused-import"});
}

TEST(Lint, ALetIsUsedByATestOrThroughAnotherLet) {
  const std::string head = "capability a { input { n: int } }\n";
  EXPECT_EQ(codes_of(lint_text(head +
                               "let few = 2; let most = few + 3;\npolicy p on before a { deny when input.n > most; }")),
            Codes{});
  EXPECT_EQ(codes_of(lint_text(
                head + "let few = 2;\npolicy p on before a { deny when input.n > 1; }\ntest \"t\" { call a { n: few }; "
                       "expect deny; }")),
            Codes{});
  EXPECT_EQ(
      codes_of(lint_text(head + "let few = 2; let most = few + 3;\npolicy p on before a { deny when input.n > 1; }")),
      (Codes{"unused-let", "unused-let"}));
}

TEST(Lint, CommentsAcceptItsFindingsAndCompilingDoesNotComplainOfThem) {
  const std::string text =
      "policy p on before * {\n  // ordain: allow(broad-allow) the host lists the tools\n  allow;\n}\n";
  EXPECT_EQ(codes_of(lint_text(text)), Codes{});
  const std::vector<std::shared_ptr<const Source>> sources{std::make_shared<Source>(Source{"p.policy", text})};
  EXPECT_EQ(codes_of(compile(sources, standard_library())), Codes{});
  const std::string idle = "policy p on before * {\n  // ordain: allow(broad-allow) not needed\n  deny;\n}\n";
  EXPECT_EQ(codes_of(lint_text(idle)), Codes{"unused-acknowledgement"});
}

TEST(Lint, FindingsPointAtTheRule) {
  const Compilation untested = lint_text(
      "capability a { input { n: int } }\npolicy p on before a {\n  deny big when input.n > 5;\n  allow;\n}\ntest "
      "\"t\" { call "
      "a { n: 1 }; expect allow; }\n");
  ASSERT_EQ(codes_of(untested), Codes{"untested-rule"}) << render(untested.diagnostics);
  const Diagnostic& item = untested.diagnostics.items[0];
  const std::string& text = untested.diagnostics.sources[0]->text;
  EXPECT_EQ(text.substr(item.span.begin, item.span.end - item.span.begin), "deny");
}

// Only the third call of the story reaches the first rule.
TEST(Lint, StoriesReachTheRulesThatReadWhatIsRemembered) {
  const auto text = [](const std::string& last) {
    return "capability a { }\nhistory runs = begun a by principal within 1h;\npolicy p on before a {\n"
           "  deny many when runs.count > 2;\n  allow rest;\n}\n"
           "test \"t\" { call a; call a; expect allow; " +
           last + " }\n";
  };
  EXPECT_EQ(codes_of(lint_text(text(""))), Codes{"untested-rule"});
  EXPECT_EQ(codes_of(lint_text(text("call a; expect deny by p.many;"))), Codes{});
}

TEST(Sarif, HoldsEveryFindingWithItsPlace) {
  const Compilation compilation = lint_text(
      "capability a { input { n: int } }\npolicy p on before a { deny a when input.n > 5; deny b when input.n > 5; "
      "}\n");
  const auto log = nlohmann::json::parse(render_sarif(compilation.diagnostics, "1.2.3"));
  EXPECT_EQ(log["version"], "2.1.0");
  const auto& run = log["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["name"], "ordain");
  EXPECT_EQ(run["tool"]["driver"]["version"], "1.2.3");
  EXPECT_EQ(run["columnKind"], "unicodeCodePoints");
  ASSERT_EQ(run["results"].size(), 1u);
  EXPECT_EQ(run["tool"]["driver"]["rules"][0]["id"], "repeated-rule");
  const auto& result = run["results"][0];
  EXPECT_EQ(result["ruleId"], "repeated-rule");
  EXPECT_EQ(result["level"], "warning");
  EXPECT_FALSE(result["message"]["text"].get<std::string>().empty());
  const auto& place = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "p.policy");
  EXPECT_EQ(place["region"]["startLine"], 2);
  EXPECT_EQ(place["region"]["startColumn"], 49);
  EXPECT_EQ(place["region"]["endColumn"], 53);
  EXPECT_EQ(result["relatedLocations"][0]["physicalLocation"]["region"]["startColumn"], 24);
}

TEST(Sarif, IsValidWithoutFindingsAndWithOddTexts) {
  EXPECT_EQ(nlohmann::json::parse(render_sarif(Diagnostics{}, "1"))["runs"][0]["results"].size(), 0u);
  Diagnostics odd;
  odd.sources.push_back(std::make_shared<Source>(Source{"/a b/\xFF#.policy", "x\xFFy"}));
  odd.error("unreadable", {9, 0, 0}, "no place \xFF", "help \"quoted\"");
  odd.warning("w", {0, 1, 3}, "here").notes.push_back({Severity::note, "", "nowhere", {7, 0, 0}, "", {}});
  const auto results = nlohmann::json::parse(render_sarif(odd, "1"))["runs"][0]["results"];
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0]["ruleId"], "w") << "in the order of the files";
  EXPECT_EQ(results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "file:///a%20b/%FF%23.policy");
  EXPECT_TRUE(results[0]["relatedLocations"].empty());
  EXPECT_EQ(results[1]["level"], "error");
}

}  // namespace
}  // namespace ordain
