// Quick fixes: what help says becomes a change of the text, and the change mends the mistake.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>

#include "lsp/text_lines.h"
#include "ordain/lint.h"
#include "tests/unit/lsp/support.h"

namespace ordain::lsp {
namespace {

using namespace testing;

constexpr const char* kDeclared =
    "capability pay { input { amount: double, to: string, note: optional(string), n: int, tags: list(string) } output "
    "open { id: string } }\n";

// A text after edits that do not overlap.
std::string with_edits(std::string text, const std::vector<json>& edits) {
  const TextLines lines(text, Encoding::utf16);
  const auto offset = [&](const json& position) {
    return lines.offset({position["line"].get<uint32_t>(), position["character"].get<uint32_t>()});
  };
  std::vector<std::tuple<size_t, size_t, std::string>> spans;
  for (const json& edit : edits) {
    spans.emplace_back(offset(edit["range"]["start"]), offset(edit["range"]["end"]),
                       edit["newText"].get<std::string>());
  }
  std::sort(spans.rbegin(), spans.rend());
  for (const auto& [begin, end, inserted] : spans) text.replace(begin, end - begin, inserted);
  return text;
}

struct Checked {
  json diagnostics = json::array();
  std::vector<json> fixes, acceptances;  // edits
};

// Opens a document, and asks what is wrong with it and how to mend it.
Checked check_text(const std::string& text) {
  Client client;
  client.initialize();
  client.open("a.policy", text);
  Checked out;
  out.diagnostics = client.diagnostics_of("a.policy");
  const json whole = {{"start", place(0, 0)}, {"end", place(100'000, 0)}};
  for (const json& action :
       client.ask("textDocument/codeAction", {{"textDocument", {{"uri", uri_for("a.policy")}}}, {"range", whole}})) {
    EXPECT_EQ(action["kind"], "quickfix");
    (action["isPreferred"] == true ? out.fixes : out.acceptances)
        .push_back(action["edit"]["changes"][uri_for("a.policy")][0]);
  }
  return out;
}

std::string in_policy(const std::string& rule) { return kDeclared + ("policy p on before pay {\n  " + rule + "\n}\n"); }

TEST(LspFixes, DoWhatTheHelpSays) {
  struct Row {
    std::string wrong, right;
  };
  const Row rules[] = {
      {"deny a when input.amuont > 5.0;", "deny a when input.amount > 5.0;"},
      {"deny a when input.amount == 5;", "deny a when input.amount == 5.0;"},
      {"deny a when 5 == input.amount;", "deny a when 5.0 == input.amount;"},
      {"deny a when input.amount * 2 > 5.0;", "deny a when input.amount * 2.0 > 5.0;"},
      {"deny a when input.to = \"bob\";", "deny a when input.to == \"bob\";"},
      {"deny a when input.n > 5 and input.n < 9;", "deny a when input.n > 5 && input.n < 9;"},
      {"deny a when input.note == \"x\";", "deny a when has(input.note) && input.note == \"x\";"},
      {"deny a when input.note == null;", "deny a when !has(input.note);"},
      {"deny a when input.tags == \"x\";", "deny a when \"x\" in input.tags;"},
      {"deny a when \"x\" in input.to;", "deny a when input.to.contains(\"x\");"},
      {"deny a when input.tags.contains(\"x\");", "deny a when \"x\" in input.tags;"},
      {"deny a when input.to.startWith(\"x\");", "deny a when input.to.startsWith(\"x\");"},
      {"deny a when input.to.lower() == \"x\";", "deny a when input.to.lowerAscii() == \"x\";"},
      {"deny a when input.to.length > 5;", "deny a when input.to.size() > 5;"},
      {"deny a when len(input.to) > 5;", "deny a when size(input.to) > 5;"},
      {R"(deny a when input.to == "C:\dir";)", R"(deny a when input.to == "C:\\dir";)"},
      {"deny a when input.amount > 5_000.0;", "deny a when input.amount > 5000.0;"},
      {"deny a when input.amount > $100.0;", "deny a when input.amount > 100.0;"},
      {"require_approval a from \"x\" expires \"45m\";", "require_approval a from \"x\" expires 45m;"},
      {"deny a because input.amount;", "deny a because string(input.amount);"},
      {"deny a because \"n \" + input.n;", "deny a because \"n \" + string(input.n);"},
      {"deny a when amount > 5.0;", "deny a when input.amount > 5.0;"},
      {"deny a when args.amount > 5.0;", "deny a when input.amount > 5.0;"},
      {"deny a when now.hour > 18;", "deny a when now.getHours() > 18;"},
      {"deny a when now.getHours(\"Europe/Berln\") > 18;", "deny a when now.getHours(\"Europe/Berlin\") > 18;"},
      {"deny a when now > \"2026-01-01T00:00:00Z\";", "deny a when now > timestamp(\"2026-01-01T00:00:00Z\");"},
      {"deny too-large when input.n > 5;", "deny too_large when input.n > 5;"},
      {"deny a when input.to <> \"x\";", "deny a when input.to != \"x\";"},
      {"deny a when input.to !== \"x\";", "deny a when input.to != \"x\";"},
      {"deny a when input.n == 1 || True;", "deny a when input.n == 1 || true;"},
      {"deny a when input.to == \xE2\x80\x9C"
       "bob\xE2\x80\x9D;",
       "deny a when input.to == \"bob\";"},
      {"redact a output.id;", "redact a input.id;"},
  };
  for (const Row& row : rules) {
    const std::string text = in_policy(row.wrong);
    EXPECT_EQ(with_edits(text, check_text(text).fixes), in_policy(row.right));
  }
  const std::string declared = std::string(kDeclared) + "policy p on before pay { allow; }\n";
  const Row files[] = {
      {"# a comment\n", "// a comment\n"},
      {"/* a comment */\n", "// a comment\n"},
      {"policy q before pay { deny; }\n", "policy q on before pay { deny; }\n"},
      {"policy q: before pay { deny; }\n", "policy q on before pay { deny; }\n"},
      {"policy q on before pa* { deny; }\n", "policy q on before \"pa*\" { deny; }\n"},
      {"policy q on before github/* { deny; }\n", "policy q on before \"github/*\" { deny; }\n"},
      {"let x 5;\n", "let x = 5;\n"},
      {"let x := 5;\n", "let x = 5;\n"},
      {"let x == 5;\n", "let x = 5;\n"},
      {"capability c { input { a: integer } }\n", "capability c { input { a: int } }\n"},
      {"let x = 5\nlet y = 6;\n", "let x = 5;\nlet y = 6;\n"},
  };
  for (const Row& row : files) {
    EXPECT_EQ(with_edits(declared + row.wrong, check_text(declared + row.wrong).fixes), declared + row.right);
  }
}

TEST(LspFixes, WhatTheAuthorMustDecideHasNone) {
  for (const char* rule : {"deny a when input.to == \"bob;", "deny a unless input.n == 1;", "deny a when (input.n > 5;",
                           "deny a when 1 < input.n < 5;", "deny a when input.n > 1 || f(input.note) == 1;"}) {
    const Checked checked = check_text(in_policy(rule));
    EXPECT_FALSE(checked.diagnostics.empty()) << rule;
    EXPECT_EQ(checked.fixes, std::vector<json>()) << rule;
  }
}

TEST(LspFixes, ACommentAcceptsAWarning) {
  const std::string text =
      std::string(kDeclared) +
      "capability read { input { path: string } }\npolicy p on before * {\n  deny big when input.amount > 9.0;\n}\n";
  const Checked checked = check_text(text);
  json edit;
  for (const json& each : checked.acceptances) {
    if (each["newText"].get<std::string>().find("(rule-not-applied)") != std::string::npos) edit = each;
  }
  ASSERT_FALSE(edit.is_null());
  EXPECT_EQ(edit["newText"], "// ordain: allow(rule-not-applied) \n  ");
  EXPECT_EQ(edit["range"], range(3, 2, 2));
}

using Count = std::map<std::string, int>;  // of diagnostics, by code and message

Count count_of(const json& diagnostics) {
  Count out;
  for (const json& each : diagnostics) {
    ++out[each["code"].get<std::string>() + ": " + each["message"].get<std::string>()];
  }
  return out;
}

// Whether an edit takes one diagnostic away.
bool mends(const std::string& text, const Count& before, const json& edit) {
  const Count after = count_of(check_text(with_edits(text, {edit})).diagnostics);
  return std::any_of(before.begin(), before.end(), [&](const auto& entry) {
    const auto found = after.find(entry.first);
    return found == after.end() || found->second < entry.second;
  });
}

struct Tally {
  size_t diagnostics = 0, fixes = 0, acceptances = 0;
};

// Every fix of a text mends something, and so does every comment once it has a reason.
void check_fixes(const std::string& text, Tally* tally) {
  const Checked checked = check_text(text);
  const Count before = count_of(checked.diagnostics);
  tally->diagnostics += checked.diagnostics.size();
  for (const json& edit : checked.fixes) {
    ++tally->fixes;
    EXPECT_TRUE(mends(text, before, edit)) << edit << "\n" << text;
  }
  for (json edit : checked.acceptances) {
    ++tally->acceptances;
    std::string comment = edit["newText"].get<std::string>();
    const size_t end = comment.find(") \n");
    ASSERT_NE(end, std::string::npos) << comment;
    edit["newText"] = comment.insert(end + 2, "this is meant");
    EXPECT_TRUE(mends(text, before, edit)) << edit << "\n" << text;
  }
}

// Published diagnostics are those of `ordain lint`, and their places count UTF-16 units.
void check_places(const std::string& text) {
  const auto unit_place = [&](size_t offset) {
    int line = 0, character = 0;
    for (size_t at = 0; at < offset; ++at) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if (byte == '\n') {
        ++line;
        character = 0;
      } else if ((byte & 0xC0) != 0x80) {
        character += byte >= 0xF0 ? 2 : 1;
      }
    }
    return place(line, character);
  };
  std::vector<std::string> expected, found;
  const Compilation lint =
      lint_policies({std::make_shared<Source>(Source{"/work/policies/a.policy", text})}, standard_library());
  for (const Diagnostic& item : lint.diagnostics.items) {
    const json range = {{"start", unit_place(item.span.begin)}, {"end", unit_place(item.span.end)}};
    expected.push_back(item.code + range.dump());
  }
  for (const json& each : check_text(text).diagnostics) {
    found.push_back(each["code"].get<std::string>() + each["range"].dump());
  }
  EXPECT_EQ(found, expected) << text;
}

// The mistakes of tests/policies/errors/newcomers.txt.
std::vector<std::string> newcomers() {
  std::ifstream in(std::string(ORDAIN_SOURCE_DIR) + "/tests/policies/errors/newcomers.txt", std::ios::binary);
  std::vector<std::string> out;
  bool in_text = false, is_rule = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      in_text = true;
      is_rule = line.starts_with("=== rule ");
      out.push_back(is_rule
                        ? "capability send { input { to: string, sum: double, n: int, memo: optional(string), tags: "
                          "list(string) } output open { id: string } }\npolicy p on before send {\n"
                        : "");
    } else if (line == "---") {
      if (is_rule && in_text) out.back() += "}\n";
      in_text = false;
    } else if (in_text) {
      out.back() += line + "\n";
    }
  }
  return out;
}

TEST(LspFixes, MendTheMistakesOfNewcomers) {
  const std::vector<std::string> texts = newcomers();
  ASSERT_GT(texts.size(), 100U);
  Tally tally;
  for (const std::string& text : texts) {
    check_places(text);
    check_fixes(text, &tally);
  }
  EXPECT_GT(tally.fixes, 50U);
  EXPECT_GT(tally.acceptances, 0U);
}

TEST(LspFixes, MendTheMistakesOfTrials) {
  const std::filesystem::path folder = std::filesystem::path(ORDAIN_SOURCE_DIR) / "../shared/cases/mistakes";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "there is no " << folder;
  Tally tally;
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".policy") continue;
    ++files;
    std::stringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    check_places(text.str());
    check_fixes(text.str(), &tally);
  }
  EXPECT_GE(files, 80U);
  EXPECT_GE(tally.diagnostics, 80U);
  EXPECT_GE(tally.fixes, 50U);
}

}  // namespace
}  // namespace ordain::lsp
