// Places of the protocol and bytes of a text.
#include "lsp/text_lines.h"

#include <gtest/gtest.h>

#include "lsp/uri.h"

namespace ordain::lsp {
namespace {

TEST(TextLines, CountUtf16UnitsOrBytes) {
  const std::string text = "a\xC3\xA4\xF0\x9F\x98\x80z\n\xE2\x82\xAC";  // a, a-umlaut, an emoji, z; a euro sign
  struct Row {
    size_t offset;
    uint32_t line, utf16, utf8;
  };
  const Row rows[] = {{0, 0, 0, 0}, {1, 0, 1, 1}, {3, 0, 2, 3}, {7, 0, 4, 7},
                      {8, 0, 5, 8}, {9, 1, 0, 0}, {12, 1, 1, 3}};
  const TextLines units(text, Encoding::utf16), bytes(text, Encoding::utf8);
  for (const Row& row : rows) {
    EXPECT_EQ(units.position(row.offset).line, row.line);
    EXPECT_EQ(units.position(row.offset).character, row.utf16) << row.offset;
    EXPECT_EQ(bytes.position(row.offset).character, row.utf8) << row.offset;
    EXPECT_EQ(units.offset({row.line, row.utf16}), row.offset);
    EXPECT_EQ(bytes.offset({row.line, row.utf8}), row.offset);
  }
  EXPECT_EQ(units.offset({0, 3}), 3U) << "between the units of the emoji";
  EXPECT_EQ(units.position(5).character, 2U) << "within the emoji";
}

TEST(TextLines, EndsOfLinesAndOfTheText) {
  const std::string text = "ab\r\nc\rd\n";
  const TextLines lines(text, Encoding::utf16);
  EXPECT_EQ(lines.count(), 4U);
  EXPECT_EQ(lines.offset({0, 99}), 2U);
  EXPECT_EQ(lines.offset({1, 0}), 4U);
  EXPECT_EQ(lines.offset({1, 99}), 5U);
  EXPECT_EQ(lines.offset({2, 0}), 6U);
  EXPECT_EQ(lines.offset({3, 0}), 8U);
  EXPECT_EQ(lines.offset({99, 0}), 8U);
  EXPECT_EQ(lines.offset({0, UINT32_MAX}), 2U);
  EXPECT_EQ(lines.position(99).line, 3U);
  EXPECT_EQ(lines.position(3).character, 2U) << "between \\r and \\n";
}

TEST(TextLines, EveryByteOfTextThatIsNotUtf8HasAPlace) {
  const std::string text = "\xFFx\x80\n\xE2\x82";
  for (const Encoding encoding : {Encoding::utf8, Encoding::utf16}) {
    const TextLines lines(text, encoding);
    for (size_t at = 0; at <= text.size(); ++at) EXPECT_EQ(lines.offset(lines.position(at)), at);
  }
}

TEST(Uri, PathsThereAndBack) {
  EXPECT_EQ(path_of_uri("file:///a/b%20c.policy"), "/a/b c.policy");
  EXPECT_EQ(path_of_uri("file://localhost/a/../b.policy"), "/b.policy");
  EXPECT_EQ(path_of_uri("untitled:Untitled-1"), "untitled:Untitled-1");
  for (const char* bad : {"", "x", "file:///a%2", "file:///a%zz", "file:///a%00", "file:a", "file://"}) {
    EXPECT_EQ(path_of_uri(bad), "") << bad;
  }
  EXPECT_EQ(uri_of_path("untitled:Untitled-1"), "untitled:Untitled-1");
  std::string every = "/";
  for (int c = 1; c < 256; ++c) {
    if (c != '/') every += static_cast<char>(c);
  }
  EXPECT_EQ(path_of_uri(uri_of_path(every)), every);
}

}  // namespace
}  // namespace ordain::lsp
