// These tests cover how text is cut into tokens: each kind, at the end of the text too, and the same
// whatever the process has read before.
#include <gtest/gtest.h>

#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "compiler/parse/parse.h"
#include "compiler/parse/syntax.h"
#include "ordain/arena.h"

namespace ordain {
namespace {

// The texts of the tokens, each after a letter for its kind.
std::vector<std::string> tokens_of(const std::string& text) {
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"t.policy", text}));
  Arena arena(1 << 12);
  std::vector<Lexeme> lexemes;
  (void)parse_with_lexemes(arena, diagnostics, 0, &lexemes);
  std::vector<std::string> out;
  for (const Lexeme& lexeme : lexemes) {
    const char kind = lexeme.kind == LexemeKind::word ? 'w' : lexeme.kind == LexemeKind::literal ? 'l' : 'p';
    out.push_back(kind + text.substr(lexeme.begin, lexeme.end - lexeme.begin));
  }
  return out;
}
using Tokens = std::vector<std::string>;

TEST(Tokens, AreTheLongestThatFit) {
  const std::pair<std::string, Tokens> cases[] = {
      {"", {}},
      {" \t\r\n\f", {}},
      {"deny denys de_ny", {"wdeny", "wdenys", "wde_ny"}},
      {"a<=b<c==d=e", {"wa", "p<=", "wb", "p<", "wc", "p==", "wd", "p=", "we"}},
      {"1 1.5 .5 1e3 1e+ 0x1F 0x 7u 10ms 1h30m 1m2x",
       {"l1", "l1.5", "l.5", "l1e3", "l1", "we", "p+", "l0x1F", "l0", "wx", "l7u", "l10ms", "l1h30m", "l1m", "l2",
        "wx"}},
      {"1..2", {"l1", "p.", "l.2"}},
      {"'a' \"b\\\"\" r'\\' b'x' br\"y\"", {"l'a'", "l\"b\\\"\"", "lr'\\'", "lb'x'", "lbr\"y\""}},
      {"\"\"\"a\n\"\"b\"\"\" '''c'''", {"l\"\"\"a\n\"\"b\"\"\"", "l'''c'''"}},
      {"r\"\"\"a\\\"\"\"", {"lr\"\"\"a\\\"\"\""}},
      {"`a.b/c-d` `", {"w`a.b/c-d`", "p`"}},
      {"a // to the end \"\nb // c", {"wa", "wb"}},
      {"'\u00e4\u4e16' // \u00e4\nx", {"l'\u00e4\u4e16'", "wx"}},
      {"\xEF\xBB\xBFx", {"wx"}},
      {"'open\nx 'end", {"p'open", "wx", "p'end"}},
      {"a\u00e4\u4e16b ###c", {"wa", "p\u00e4\u4e16", "wb", "p###", "wc"}},
  };
  for (int round = 0; round < 2; ++round) {  // what the first round met for the first time is known in the second
    for (const auto& [text, tokens] : cases) EXPECT_EQ(tokens_of(text), tokens) << text;
  }
}

// A line break ends every token but a long string, so lines are cut alike alone and together.
TEST(Tokens, DoNotDependOnWhatStandsBefore) {
  std::mt19937 random(7);
  const std::string pieces[] = {"deny",
                                "den",
                                "when ",
                                " ",
                                "a",
                                "_9",
                                "0",
                                "0x",
                                "1.",
                                ".5",
                                "e+1",
                                "ms",
                                "u",
                                "'",
                                "\"",
                                "\\",
                                "r'x'",
                                "b\"",
                                "`",
                                "`a b`",
                                "//",
                                "/",
                                "<=",
                                "<",
                                "=",
                                "&&",
                                "&",
                                "|",
                                "!",
                                "?",
                                "(",
                                ")",
                                "\u00e4",
                                "\x7f",
                                "\t",
                                "#",
                                "require_approval",
                                "2h"};
  for (int round = 0; round < 200; ++round) {
    Tokens apart;
    std::string together;
    for (int line = 0; line < 5; ++line) {
      std::string text;
      for (auto n = random() % 12; n > 0; --n) text += pieces[random() % std::size(pieces)];
      // Three quotes would begin a long string, and a line of errors could hide the next.
      if (text.find("'''") != std::string::npos || text.find("\"\"\"") != std::string::npos) continue;
      for (std::string& token : tokens_of(text)) apart.push_back(std::move(token));
      together += text + "\n";
    }
    ASSERT_EQ(tokens_of(together), apart) << together;
  }
}

}  // namespace
}  // namespace ordain
