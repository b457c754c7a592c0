// Text from elsewhere on a terminal's line: nothing hides, and nothing begins another line.
#include "ordain/terminal_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "vm/value/code_point.h"
#include "vm/value/terminal_format.h"

namespace ordain {
namespace {

std::string encode(uint32_t c) {
  const auto byte = [](uint32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
}

TEST(TerminalText, WhatHidesIsWrittenOut) {
  constexpr std::pair<uint32_t, uint32_t> kRanges[] = {
      {0x0, 0x1F},      {0x7F, 0x9F},     {0xAD, 0xAD},     {0x34F, 0x34F},   {0x61C, 0x61C},     {0x115F, 0x1160},
      {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0x2800, 0x2800},   {0x3164, 0x3164},
      {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}, {0xE0100, 0xE01EF}};
  for (const auto& [first, last] : kRanges) {
    for (uint32_t c = first; c <= last; ++c) {
      const std::string shown = terminal_text("a" + encode(c) + "b");
      char wanted[32];
      std::snprintf(wanted, sizeof wanted, "a\\u{%x}b", c);
      EXPECT_EQ(shown, c == '\n' ? "a\\nb" : c == '\t' ? "a\\tb" : wanted);
    }
  }
}

TEST(TerminalText, WhatCanBeSeenStays) {
  for (const char* text : {"", "plain",
                           "Stra\xc3\x9f"
                           "e, 10 \xe2\x82\xac",
                           "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x99\x82", "a\\u{1b}\\n"}) {
    EXPECT_EQ(terminal_text(text), text);
  }
}

TEST(TerminalText, BytesThatAreNotTextAreWrittenOut) {
  EXPECT_EQ(terminal_text("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(terminal_text("\xc0\x80\xed\xa0\x80"), "\\xc0\\x80\\xed\\xa0\\x80") << "overlong; a surrogate";
}

TEST(TerminalText, OfEveryCodePointIsOneLineAndStaysAsItIs) {
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::string text = encode(c), shown = terminal_text(text);
    ASSERT_EQ(detail::code_point_at(text, 0).value, c);
    ASSERT_EQ(shown.find('\n'), std::string::npos);
    ASSERT_EQ(terminal_text(shown), shown) << c;
    ASSERT_TRUE(shown == text || shown[0] == '\\') << c;
  }
}

TEST(TerminalFormat, TextsAmongTheArgumentsAreMadeSafe) {
  const std::string text = "x\ny";
  const detail::ReadyText ready{"\x1b[1m"};
  EXPECT_EQ(detail::format_for_terminal("{}|{:<6}|{:>3}|{}\n", ready, text, 7, "\x1b"),
            "\x1b[1m|x\\ny  |  7|\\u{1b}\n");
}

}  // namespace
}  // namespace ordain
