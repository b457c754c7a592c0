// These tests cover targets with `*`, and look-ups in a schema.
#include <gtest/gtest.h>

#include "ordain/schema.h"

namespace ordain {
namespace {

TEST(Globs, MatchBySegment) {
  struct Case {
    const char* pattern;
    const char* name;
    bool matches;
  };
  const Case cases[] = {
      {"*", "anything", true},
      {"*", "any.thing/at all", true},
      {"send", "send", true},
      {"send", "sender", false},
      {"payments.*", "payments.send", true},
      {"payments.*", "payments.send.now", true},
      {"payments.*", "payments", false},
      {"payments.*", "payments.", false},
      {"payments.*", "payments_x.send", false},
      {"payments.*", "my.payments.send", false},
      {"payments.send_*", "payments.send_money", true},
      {"payments.send_*", "payments.send_", true},
      {"payments.send_*", "payments.send_money.now", false},
      {"*.read", "files.read", true},
      {"*.read", "a.files.read", false},
      {"*.read", "read", false},
      {"*.read.*", "files.read.all", true},
      {"*.read.*", "files.read", false},
      {"*.*", "a.b", true},
      {"*.*", "a.b.c", true},
      {"*.*", "a", false},
      {"a*b*c", "abc", true},
      {"a*b*c", "aXbbYcc", true},
      {"a*b*c", "acb", false},
      {"a*b*c", "ab.c", false},
      {"*b*b", "bbb", true},
      {"*b*b", "b", false},
      {"github/*", "github/create-issue", true},
      {"github/*", "github/v1.create", false},
      {"read_*", "write_read_x", false},
      {"", "", true},
      {"", "a", false},
      {".*", "a.b", false},
      {"Payments.*", "payments.send", false},
  };
  for (const Case& c : cases) EXPECT_EQ(glob_matches(c.pattern, c.name), c.matches) << c.pattern << " on " << c.name;
}

TEST(Globs, ManyStarsTakeNoExponentialTime) {
  std::string pattern, name(5000, 'a');
  for (int n = 0; n < 500; ++n) pattern += "a*";
  EXPECT_FALSE(glob_matches(pattern + "b", name));
  EXPECT_TRUE(glob_matches(pattern, name));
}

TEST(Schemas, FindByName) {
  Schema schema;
  schema.capabilities.push_back({.name = "a", .effects = {"irreversible", "external"}});
  schema.capabilities.push_back({.name = "b"});
  EXPECT_EQ(schema.find_capability("b"), &schema.capabilities[1]);
  EXPECT_EQ(schema.find_capability("c"), nullptr);
  EXPECT_TRUE(schema.capabilities[0].has_effect("external"));
  EXPECT_FALSE(schema.capabilities[1].has_effect("external"));
  RecordBinding record;
  for (const char* name : {"amount", "date", "to"}) record.fields.push_back({.name = name});
  EXPECT_EQ(record.find("date"), &record.fields[1]);
  EXPECT_EQ(record.find("dat"), nullptr);
  EXPECT_EQ(record.find("zoo"), nullptr);
  EXPECT_EQ(to_string(Stage::after), "after");
}

}  // namespace
}  // namespace ordain
