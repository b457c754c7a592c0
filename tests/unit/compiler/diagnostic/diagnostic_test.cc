// These tests cover diagnostics: places, how they are displayed, and suggestions.
#include <gtest/gtest.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "ordain/diagnostic.h"

namespace ordain {
namespace {

Diagnostics with_source(std::string text, std::string path = "a.policy") {
  Diagnostics out;
  out.sources.push_back(std::make_shared<Source>(Source{std::move(path), std::move(text)}));
  return out;
}

std::string shown(const std::string& text, uint32_t begin, uint32_t end) {
  Diagnostics diagnostics = with_source(text);
  diagnostics.error("code", {0, begin, end}, "message");
  return render(diagnostics);
}

TEST(Diagnostics, WarningsAreNoErrors) {
  Diagnostics diagnostics = with_source("");
  EXPECT_FALSE(diagnostics.has_errors());
  diagnostics.warning("w", {}, "a warning");
  diagnostics.add(Severity::note, "n", {}, "a note");
  EXPECT_FALSE(diagnostics.has_errors());
  diagnostics.error("e", {}, "an error");
  EXPECT_TRUE(diagnostics.has_errors());
}

TEST(Diagnostics, LineAndColumn) {
  Source source{"x", "ab\n\u00E9\u00E9x\r\n\nend"};
  auto at = [&](uint32_t offset) {
    LineColumn place = line_column(source, offset);
    return std::to_string(place.line) + ":" + std::to_string(place.column);
  };
  EXPECT_EQ(at(0), "1:1");
  EXPECT_EQ(at(2), "1:3");
  EXPECT_EQ(at(3), "2:1");
  EXPECT_EQ(at(7), "2:3") << "columns are characters";
  EXPECT_EQ(at(10), "3:1");
  EXPECT_EQ(at(11), "4:1");
  EXPECT_EQ(at(14), "4:4");
  EXPECT_EQ(at(1000), "4:4") << "past the end is the end";
}

TEST(Render, PlaceLineAndCarets) {
  Diagnostics diagnostics =
      with_source(std::string(11, '\n') + "  deny negative when input.amuont <= 0.0;\n", "payments.policy");
  diagnostics.error("unknown-field", {0, 38, 44}, "`send_money` has no field `amuont`", "did you mean `amount`?");
  EXPECT_EQ(render(diagnostics),
            "payments.policy:12:28: error[unknown-field]: `send_money` has no field `amuont`\n"
            "  12 |   deny negative when input.amuont <= 0.0;\n"
            "     |                            ^^^^^^\n"
            "     = help: did you mean `amount`?\n");
}

TEST(Render, NotesFollowWithTheirOwnPlaces) {
  Diagnostics diagnostics = with_source("let a = 1;\nlet a = 2;\n");
  diagnostics.error("duplicate", {0, 15, 16}, "`a` is defined twice")
      .notes.push_back({Severity::note, "", "first here", {0, 4, 5}, "", {}});
  EXPECT_EQ(render(diagnostics),
            "a.policy:2:5: error[duplicate]: `a` is defined twice\n"
            "  2 | let a = 2;\n"
            "    |     ^\n"
            "a.policy:1:5: note: first here\n"
            "  1 | let a = 1;\n"
            "    |     ^\n");
}

TEST(Render, SourceOrder) {
  Diagnostics diagnostics = with_source("abc");
  diagnostics.sources.push_back(std::make_shared<Source>(Source{"b.policy", "abc"}));
  diagnostics.error("e3", {1, 0, 1}, "third");
  diagnostics.warning("e2", {0, 2, 3}, "second");
  diagnostics.error("e1", {0, 1, 2}, "first");
  std::string out = render(diagnostics);
  EXPECT_LT(out.find("first"), out.find("second"));
  EXPECT_LT(out.find("second"), out.find("third"));
  EXPECT_NE(out.find("a.policy:1:3: warning[e2]: second"), std::string::npos);
}

TEST(Render, EmptyAndOddSpans) {
  EXPECT_EQ(shown("ab;", 1, 1), "a.policy:1:2: error[code]: message\n  1 | ab;\n    |  ^\n");
  EXPECT_EQ(shown("ab", 2, 2), "a.policy:1:3: error[code]: message\n  1 | ab\n    |   ^\n") << "behind the end";
  EXPECT_EQ(shown("ab\r\ncd", 2, 3), "a.policy:1:3: error[code]: message\n  1 | ab\n    |   ^\n")
      << "on the line break";
  EXPECT_EQ(shown("ab\ncd", 1, 5), "a.policy:1:2: error[code]: message\n  1 | ab\n    |  ^\n")
      << "several lines: the first";
  EXPECT_EQ(shown("", 0, 0), "a.policy: error[code]: message\n") << "an empty file has no line to show";
  EXPECT_EQ(shown("ab", 77, 99), "a.policy:1:3: error[code]: message\n  1 | ab\n    |   ^\n");
}

TEST(Render, TabsAndWideCharactersStayAligned) {
  EXPECT_EQ(shown("\tx = \ty;", 6, 7), "a.policy:1:7: error[code]: message\n  1 | \tx = \ty;\n    | \t    \t^\n");
  EXPECT_EQ(shown("'\u65E5' x", 6, 7), "a.policy:1:5: error[code]: message\n  1 | '\u65E5' x\n    |      ^\n");
  EXPECT_EQ(shown("e\u0301 x", 4, 5), "a.policy:1:4: error[code]: message\n  1 | e\u0301 x\n    |   ^\n");
}

TEST(Render, LongLinesAreCut) {
  std::string text(1'000'000, 'a');
  text[600'000] = '!';
  std::string out = shown(text, 600'000, 600'001);
  EXPECT_LT(out.size(), 400U);
  size_t line = out.find("| ...") + 2;
  size_t carets = out.rfind("| ") + 2;
  ASSERT_NE(out.find('!'), std::string::npos);
  EXPECT_EQ(out.find('!') - line, out.rfind('^') - carets) << out;
  EXPECT_NE(out.find("aaa...\n"), std::string::npos);
  // Carets do not continue for the whole length of the span.
  EXPECT_LT(shown(text, 10, 900'000).size(), 500U);
}

// The columns of text that holds no tabs: one for each character, two for the wide one, none for the
// combining one.
size_t columns_shown(std::string_view text) {
  size_t out = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0) == 0x80 || text.substr(at, 2) == "\u0301") continue;
    out += text.substr(at, 3) == "\u65E5" ? 2 : 1;
  }
  return out;
}

TEST(Render, ExcerptsStayWithinTheTerminalAndCaretsUnderTheirText) {
  const std::string pieces[] = {"a", "\u65E5", "e\u0301", "\u202E", "\xFF", "\U000E0100", "word "};
  for (const size_t width : {40, 80, 116}) {
    for (size_t count = 0; count < 120; count += 7) {
      for (size_t mix = 1; mix <= std::size(pieces); ++mix) {
        std::string text;
        for (size_t i = 0; i < count; ++i) text += pieces[i * 5 % mix];
        const auto place = static_cast<uint32_t>(text.size());
        text += "!";
        for (size_t i = 0; i < 40; ++i) text += pieces[i % mix];
        Diagnostics diagnostics = with_source(text);
        diagnostics.error("code", {0, place, place + 1}, "message");
        const std::string out = render(diagnostics, {.width = width});
        std::istringstream lines(out);
        std::string heading, line, carets;
        ASSERT_TRUE(std::getline(lines, heading) && std::getline(lines, line) && std::getline(lines, carets));
        EXPECT_LE(columns_shown(line), width) << out;
        ASSERT_NE(line.find('!'), std::string::npos) << out;
        EXPECT_EQ(columns_shown(line.substr(0, line.find('!'))), columns_shown(carets.substr(0, carets.find('^'))))
            << out;
        EXPECT_EQ(carets.substr(carets.find('^')), "^") << out;
      }
    }
  }
}

TEST(Render, WhatATerminalWouldObeyIsNotPassedOn) {
  Diagnostics diagnostics = with_source("a\x1b[2Jb\u202E\n", "p\x1b.policy");
  diagnostics.error("code", {0, 0, 1}, "bad \x1b]0;x\x07", "help\r\n");
  for (char c : render(diagnostics)) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  EXPECT_EQ(render(diagnostics).find("\u202E"), std::string::npos);
  EXPECT_NE(shown("x \xFF y", 2, 3).find("  1 | x \\xff y\n    |   ^^^^\n"), std::string::npos)
      << "bytes that are no text";
}

TEST(Render, WithoutSource) {
  Diagnostics diagnostics;
  diagnostics.error("unreadable", {}, "cannot read `x`", "is it there?");
  EXPECT_EQ(render(diagnostics), "error[unreadable]: cannot read `x`\n   = help: is it there?\n");
  EXPECT_EQ(render(Diagnostics{}), "");
}

TEST(Render, Colour) {
  Diagnostics diagnostics = with_source("x");
  diagnostics.error("code", {0, 0, 1}, "message");
  EXPECT_EQ(render(diagnostics).find('\x1b'), std::string::npos);
  std::string out = render(diagnostics, {.colour = true});
  EXPECT_NE(out.find("\x1b[1;31merror[code]\x1b[0m"), std::string::npos) << out;
  EXPECT_NE(out.find("\x1b[1;31m^\x1b[0m"), std::string::npos) << out;
}

TEST(RenderJson, OneObjectALine) {
  Diagnostics diagnostics = with_source("let \u00E9 = \"a\nb\";");
  diagnostics.error("late", {0, 4, 13}, "say \"no\"", "help")
      .notes.push_back({Severity::note, "", "there", {0, 0, 3}, "", {}});
  diagnostics.warning("early", {0, 0, 3}, "first");
  std::string out = render_json(diagnostics);
  size_t newline = out.find('\n');
  ASSERT_NE(newline, std::string::npos);
  auto first = nlohmann::json::parse(out.substr(0, newline));
  auto second = nlohmann::json::parse(out.substr(newline + 1));
  EXPECT_EQ(first["code"], "early");
  EXPECT_EQ(first["severity"], "warning");
  EXPECT_EQ(first["notes"], nlohmann::json::array());
  EXPECT_EQ(second["severity"], "error");
  EXPECT_EQ(second["message"], "say \"no\"");
  EXPECT_EQ(second["help"], "help");
  EXPECT_EQ(second["file"], "a.policy");
  EXPECT_EQ(second["line"], 1);
  EXPECT_EQ(second["column"], 5);
  EXPECT_EQ(second["end_line"], 2);
  EXPECT_EQ(second["end_column"], 2);
  EXPECT_EQ(second["notes"][0]["message"], "there");
  EXPECT_EQ(second["notes"][0]["severity"], "note");
  EXPECT_EQ(render_json(Diagnostics{}), "");
}

TEST(RenderJson, WithoutSourceThePlaceIsNull) {
  Diagnostics diagnostics;
  diagnostics.error("unreadable", {}, "x\xFFy");
  auto object = nlohmann::json::parse(render_json(diagnostics));
  EXPECT_TRUE(object["file"].is_null());
  EXPECT_TRUE(object["line"].is_null());
  EXPECT_EQ(object["message"], "x\\xffy");
}

TEST(Nearest, FindsSlips) {
  const std::vector<std::string> fields = {"amount", "recipient", "subject", "date", "id"};
  EXPECT_EQ(nearest("amuont", fields), "amount") << "a swap";
  EXPECT_EQ(nearest("amout", fields), "amount") << "a letter left out";
  EXPECT_EQ(nearest("recipients", fields), "recipient") << "one too many";
  EXPECT_EQ(nearest("subjekt", fields), "subject") << "a wrong one";
  EXPECT_EQ(nearest("Amount", fields), "amount") << "case";
  EXPECT_EQ(nearest("reciepeint", fields), "recipient");
}

TEST(Nearest, KeepsSilentOtherwise) {
  const std::vector<std::string> fields = {"amount", "recipient", "id"};
  EXPECT_EQ(nearest("colour", fields), "");
  EXPECT_EQ(nearest("ib", fields), "") << "half of a short word is too much";
  EXPECT_EQ(nearest("", fields), "");
  EXPECT_EQ(nearest("amount", {}), "");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), {std::string(100'000, 'b')}), "");
}

TEST(Nearest, PrefersTheNearestThenTheFirst) {
  EXPECT_EQ(nearest("deny", {"dent", "deny"}), "deny");
  EXPECT_EQ(nearest("cat", {"bat", "hat"}), "bat");
}

}  // namespace
}  // namespace ordain
