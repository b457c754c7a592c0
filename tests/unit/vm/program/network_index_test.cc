// These tests check that one look-up in the index over ranges of addresses finds what testing each
// range with containsIP finds.
#include "vm/program/network_index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "ordain/eval.h"
#include "ordain/function.h"
#include "ordain/stdlib.h"

namespace ordain {
namespace {

using vm::NetworkIndex;

class NetworkIndexTest : public testing::Test {
 protected:
  // Calls a function of the standard library.
  bool call(const char* id, std::vector<Value> args, Value* result) {
    Eval eval;
    eval.arena = &arena_;
    eval.cost_left = Budget().cost;
    eval.memory_left = Budget().memory;
    return call_overload(eval, *standard_library().find_overload(id), args.data(), result);
  }

  Value cidr(const std::string& text) {
    Value out;
    EXPECT_TRUE(call("cidr", {Value::string(texts_.emplace(text).first->c_str())}, &out)) << text;
    return out;
  }

  void expect_agreement(const std::vector<Value>& ranges, const std::vector<std::string>& addresses) {
    const NetworkIndex index(ranges);
    size_t matches = 0;
    for (const std::string& address : addresses) {
      SCOPED_TRACE(address);
      std::set<uint32_t> expected, found;
      bool faults = false;
      for (uint32_t i = 0; i < ranges.size(); ++i) {
        Value inside;
        if (!call("cidr_contains_ip_string", {ranges[i], Value::string(address)}, &inside)) {
          faults = true;
        } else if (inside.as_bool()) {
          expected.insert(i);
        }
      }
      EXPECT_EQ(index.scan(address, [&](uint32_t i) { EXPECT_TRUE(found.insert(i).second); }), !faults);
      EXPECT_EQ(found, expected);
      matches += found.size();
    }
    EXPECT_GT(matches, 0u);
  }

  Arena arena_;
  std::set<std::string> texts_;
};

TEST_F(NetworkIndexTest, FindsEveryRangeAroundAnAddress) {
  const std::vector<Value> ranges = {cidr("10.0.0.0/8"),  cidr("10.1.0.0/16"),     cidr("10.1.2.3/32"),
                                     cidr("10.1.0.7/16"), cidr("0.0.0.0/0"),       cidr("255.255.255.255/32"),
                                     cidr("::/0"),        cidr("2001:db8::/32"),   cidr("2001:db8::1/128"),
                                     cidr("::/96"),       cidr("ffff::/16"),       cidr("192.168.0.0/16"),
                                     cidr("128.0.0.0/1"), cidr("2001:db8::8/125"), cidr("10.1.2.3/31")};
  expect_agreement(ranges, {"10.1.2.3",
                            "10.1.2.2",
                            "10.1.2.4",
                            "10.2.0.0",
                            "9.255.255.255",
                            "0.0.0.0",
                            "255.255.255.255",
                            "255.255.255.254",
                            "192.168.1.1",
                            "127.255.255.255",
                            "128.0.0.0",
                            "::",
                            "::1",
                            "2001:db8::1",
                            "2001:db8::f",
                            "2001:DB8:0::1",
                            "2001:db9::",
                            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                            "::ffff:a01:203",
                            "::ffff:10.1.2.3",
                            "",
                            "10.1.2",
                            "10.1.2.256",
                            "010.1.2.3",
                            "10.1.2.3 ",
                            "fe80::1%eth0",
                            "nobody",
                            "10.1.2.3/8",
                            ":"});
}

TEST_F(NetworkIndexTest, HoldsFamiliesApart) {
  expect_agreement({cidr("0.0.0.0/0")}, {"1.2.3.4", "::1", "::102:304"});
  expect_agreement({cidr("::/0")}, {"1.2.3.4", "::1", "::102:304"});
}

TEST_F(NetworkIndexTest, AgreesOnRandomRanges) {
  std::mt19937 random(3);
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  // Few different bytes, so that ranges lie within one another and addresses within them.
  const auto v4 = [&] { return fmt::format("{}.{}.{}.{}", below(2), below(2), below(3) * 127, below(4)); };
  const auto v6 = [&] { return fmt::format("{:x}:{:x}::{:x}:{:x}", 1 + below(2), below(2), below(3), below(70)); };
  for (int round = 0; round < 40; ++round) {
    std::vector<Value> ranges = {cidr("0.0.0.0/0")};
    for (uint32_t i = below(60); i > 0; --i) {
      ranges.push_back(below(2) == 0 ? cidr(fmt::format("{}/{}", v4(), below(33)))
                                     : cidr(fmt::format("{}/{}", v6(), below(129))));
    }
    std::vector<std::string> addresses;
    for (int i = 0; i < 40; ++i) addresses.push_back(below(2) == 0 ? v4() : v6());
    addresses.push_back("1.1.1.1");
    expect_agreement(ranges, addresses);
  }
}

}  // namespace
}  // namespace ordain
