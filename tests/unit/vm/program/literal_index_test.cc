// These tests check that one pass of the literal index finds the same literals as searching for
// each.
#include "vm/program/literal_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

namespace ordain {
namespace {

using Literal = LiteralIndex::Literal;

std::set<uint32_t> scan(const LiteralIndex& index, std::string_view text) {
  Arena arena;
  std::set<uint32_t> out;
  EXPECT_TRUE(index.scan(text, arena, [&](uint32_t literal) {
    EXPECT_TRUE(out.insert(literal).second) << "reported twice: " << literal;
  }));
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool occurs(const Literal& literal, std::string_view text) {
  const std::string in = literal.ignore_case ? lower(text) : std::string(text);
  const std::string what = literal.ignore_case ? lower(literal.text) : std::string(literal.text);
  if (literal.where == IndexLiteral::at_start) return in.starts_with(what);
  if (literal.where == IndexLiteral::at_end) return in.ends_with(what);
  return in.find(what) != std::string::npos;
}

TEST(LiteralIndex, FindsLiteralsOfEverySize) {
  const LiteralIndex index({{"x"}, {"rm"}, {"abc"}, {"curl"}, {"sudo rm"}, {"a"}});
  EXPECT_EQ(scan(index, ""), std::set<uint32_t>{});
  EXPECT_EQ(scan(index, "x"), std::set<uint32_t>{0});
  EXPECT_EQ(scan(index, "zzrmzz"), std::set<uint32_t>{1});
  EXPECT_EQ(scan(index, "sudo rm abc curl"), (std::set<uint32_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(scan(index, "sudo r"), std::set<uint32_t>{});
}

TEST(LiteralIndex, HoldsAffixesToTheirPlace) {
  const LiteralIndex index({{"curl", IndexLiteral::at_start}, {".sh", IndexLiteral::at_end}, {"curl"}});
  EXPECT_EQ(scan(index, "curl x.sh"), (std::set<uint32_t>{0, 1, 2}));
  EXPECT_EQ(scan(index, "a curl.sh b"), std::set<uint32_t>{2});
  EXPECT_EQ(scan(index, "curl"), (std::set<uint32_t>{0, 2}));
}

TEST(LiteralIndex, MindsCaseOnlyWhereAsked) {
  const LiteralIndex index({{"Kill"}, {"kill", IndexLiteral::anywhere, true}});
  EXPECT_EQ(scan(index, "kill"), std::set<uint32_t>{1});
  EXPECT_EQ(scan(index, "Kill"), (std::set<uint32_t>{0, 1}));
  EXPECT_EQ(scan(index, "KILL"), std::set<uint32_t>{1});
  // Patterns that ignore case take the Kelvin sign for a k, so the index must not rule them out.
  EXPECT_EQ(scan(index, "\xE2\x84\xAAill"), std::set<uint32_t>{1});
}

TEST(LiteralIndex, AgreesWithLookingForEach) {
  std::mt19937_64 random(7);
  const auto word = [&](size_t longest) {
    std::string out;
    for (size_t size = 1 + random() % longest; out.size() < size;) out += "aAbB ~\xC3\xA9"[random() % 8];
    return out;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> texts;
    for (size_t i = 1 + random() % 60; i > 0; --i) texts.push_back(word(round % 2 == 0 ? 4 : 9));
    std::vector<Literal> literals;
    for (const std::string& text : texts) {
      literals.push_back({text, static_cast<IndexLiteral::Where>(random() % 3), random() % 2 == 0});
    }
    const LiteralIndex index(literals);
    for (int i = 0; i < 20; ++i) {
      const std::string text = random() % 4 == 0 ? texts[random() % texts.size()] : word(40);
      std::set<uint32_t> expected;
      for (uint32_t n = 0; n < literals.size(); ++n) {
        if (occurs(literals[n], text)) expected.insert(n);
      }
      ASSERT_EQ(scan(index, text), expected) << text;
    }
  }
}

TEST(LiteralIndex, SaysSoWhenThereIsNoMemory) {
  const LiteralIndex index({{"rm"}});
  Arena none(0, 0);
  EXPECT_FALSE(index.scan("rm", none, [](uint32_t) {}));
}

}  // namespace
}  // namespace ordain
