// Which word is near enough to be what was meant.
#include "vm/value/nearest_word.h"

#include <gtest/gtest.h>

namespace ordain {
namespace {

std::string near(std::string_view mistyped, std::initializer_list<std::string_view> words) {
  NearestWord out(mistyped);
  for (const std::string_view word : words) out.offer(word);
  return std::string(out.found());
}

TEST(NearestWord, TakesTheFewestSlips) {
  EXPECT_EQ(near("amuont", {"account", "amount"}), "amount") << "two neighbours swapped";
  EXPECT_EQ(near("cty", {"country", "city"}), "city");
  EXPECT_EQ(near("AMOUNT", {"amount"}), "amount") << "case is no slip";
  EXPECT_EQ(near("beat", {"boat", "bead"}), "boat") << "the first of two";
}

TEST(NearestWord, IsNotFoundFarAway) {
  EXPECT_EQ(near("to", {"ok"}), "");
  EXPECT_EQ(near("recipient", {"amount"}), "");
  EXPECT_EQ(near(std::string(100, 'x'), {std::string_view("xxxx")}), "");
  EXPECT_EQ(near("x", {}), "");
}

}  // namespace
}  // namespace ordain
