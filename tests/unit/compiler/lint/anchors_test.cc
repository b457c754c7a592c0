// These tests cover which patterns are taken to match whole texts only.
#include "compiler/lint/anchors.h"

#include <gtest/gtest.h>

namespace ordain::lint {
namespace {

TEST(Anchors, OfWholeTexts) {
  for (const char* pattern : {"^a$", "^(a|b)$", "^a$|^b$", "(^a$|^b$)", "(?:^a$)", "(?i)^a$", "\\Aa\\z", "^[|$]$",
                              "^a\\\\$", "^$", "^[]|]x$", "(?P<name>^a$)", "^(a(b|c)|d)$"}) {
    EXPECT_TRUE(is_anchored(pattern)) << pattern;
  }
}

TEST(Anchors, OfPartsOfTexts) {
  for (const char* pattern : {"", "a", "^a", "a$", "^a|b$", "^a$|b", "(^a$)|b", "^a\\$", "(?m)^a$", "(?im)^a$", "[^a]$",
                              "^a[$]", "(a)", "((((((((((^a$))))))))))"}) {
    EXPECT_FALSE(is_anchored(pattern)) << pattern;
  }
}

}  // namespace
}  // namespace ordain::lint
