// These tests cover the functions for rules about agents: addresses, texts inside values, paths.
#include <gtest/gtest.h>

#include "tests/unit/stdlib/call.h"

namespace ordain::testing {
namespace {

Value ip(std::string_view text) { return made("ip", {S(text)}); }
Value cidr(std::string_view text) { return made("cidr", {S(text)}); }

TEST(Network, ReadsAddresses) {
  for (std::string_view good :
       {"0.0.0.0", "255.255.255.255", "::", "::1", "2001:DB8::68", "::1.2.3.4", "::ffff:c0a8:1"}) {
    EXPECT_EQ(call("isIP", {S(good)}), "true") << good;
  }
  for (std::string_view bad : {"", "192.168.0.1.0", "192.168.0", "192.168.0.01", "256.0.0.1", " 1.2.3.4", "1.2.3.4 ",
                               "::g", "1::2::3", "fe80::1%en0", "::ffff:192.168.0.1", "0x7f.0.0.1", "10.0.0.0/8"}) {
    EXPECT_EQ(call("isIP", {S(bad)}), "false") << bad;
    EXPECT_EQ(call("ip", {S(bad)}), "!conversion") << bad;
  }
  EXPECT_EQ(call("isIP", {S(std::string_view("1.2.3.4\0", 8))}), "false");
  EXPECT_EQ(message("ip", {S("fe80::1%en0")}), "IP address with zone value is not allowed");
  EXPECT_EQ(call("isIP", {cidr("10.0.0.0/8")}), "!no_such_overload");
  EXPECT_EQ(call("string", {ip("::FFFF:C0A8:1")}), "\"192.168.0.1\"") << "an IPv4 address in hexadecimal";
  EXPECT_TRUE(equal(ip("::ffff:c0a8:1"), ip("192.168.0.1")));
}

TEST(Network, WritesAddresses) {
  const auto written = [](std::string_view text) { return call("string", {ip(text)}); };
  EXPECT_EQ(written("192.168.0.1"), "\"192.168.0.1\"");
  EXPECT_EQ(written("2001:DB8:0:0:0:0:0:68"), "\"2001:db8::68\"");
  EXPECT_EQ(written("::"), "\"::\"");
  EXPECT_EQ(written("1::"), "\"1::\"");
  EXPECT_EQ(written("::1"), "\"::1\"");
  EXPECT_EQ(written("1:0:0:2:0:0:0:3"), "\"1:0:0:2::3\"");
  EXPECT_EQ(written("1:0:0:2:0:0:3:4"), "\"1::2:0:0:3:4\"");
  EXPECT_EQ(written("1:0:2:3:4:5:6:7"), "\"1:0:2:3:4:5:6:7\"");
  EXPECT_EQ(written("::1.2.3.4"), "\"::102:304\"");
  EXPECT_EQ(call("ip.isCanonical", {S("2001:db8::68")}), "true");
  EXPECT_EQ(call("ip.isCanonical", {S("2001:DB8::68")}), "false");
  EXPECT_EQ(call("ip.isCanonical", {S("127.0.0.1.0")}), "!conversion");
}

TEST(Network, KindsOfAddresses) {
  EXPECT_CASES({
      {"family", {ip("1.2.3.4")}, "4"},
      {"family", {ip("::1")}, "6"},
      {"isUnspecified", {ip("0.0.0.0")}, "true"},
      {"isUnspecified", {ip("::")}, "true"},
      {"isUnspecified", {ip("::1")}, "false"},
      {"isLoopback", {ip("127.255.0.1")}, "true"},
      {"isLoopback", {ip("::1")}, "true"},
      {"isLoopback", {ip("1::1")}, "false"},
      {"isGlobalUnicast", {ip("10.0.0.1")}, "true"},
      {"isGlobalUnicast", {ip("255.255.255.255")}, "false"},
      {"isGlobalUnicast", {ip("224.0.0.1")}, "false"},
      {"isGlobalUnicast", {ip("169.254.0.1")}, "false"},
      {"isGlobalUnicast", {ip("2001:db8::1")}, "true"},
      {"isGlobalUnicast", {ip("ff02::1")}, "false"},
      {"isLinkLocalMulticast", {ip("224.0.0.1")}, "true"},
      {"isLinkLocalMulticast", {ip("224.0.1.1")}, "false"},
      {"isLinkLocalMulticast", {ip("ff02::1")}, "true"},
      {"isLinkLocalMulticast", {ip("ff05::1")}, "false"},
      {"isLinkLocalUnicast", {ip("febf::1")}, "true"},
      {"isLinkLocalUnicast", {ip("fec0::1")}, "false"},
  });
}

TEST(Network, Ranges) {
  Value net = cidr("192.168.0.0/24");
  EXPECT_CASES({
      {"containsIP", {net, ip("192.168.0.255")}, "true"},
      {"containsIP", {net, S("192.168.1.0")}, "false"},
      {"containsIP", {net, S("nonsense")}, "!conversion"},
      {"containsIP", {cidr("0.0.0.0/0"), ip("::1")}, "false"},
      {"containsIP", {cidr("0.0.0.0/0"), ip("8.8.8.8")}, "true"},
      {"containsIP", {cidr("10.1.2.3/32"), ip("10.1.2.3")}, "true"},
      {"containsIP", {cidr("10.0.0.0/9"), ip("10.128.0.0")}, "false"},
      {"containsCIDR", {net, cidr("192.168.0.128/25")}, "true"},
      {"containsCIDR", {net, cidr("192.168.0.0/23")}, "false"},
      {"containsCIDR", {net, S("192.168.0.0/24")}, "true"},
      {"containsCIDR", {net, S("192.168.0.0/33")}, "!conversion"},
      {"string", {made("masked", {cidr("192.168.0.77/26")})}, "\"192.168.0.64/26\""},
      {"string", {made("masked", {cidr("ffff::/0")})}, "\"::/0\""},
      {"prefixLength", {cidr("2001:db8::/32")}, "32"},
      {"string", {made("ip", {cidr("10.1.2.3/8")})}, "\"10.1.2.3\""},
      {"string", {cidr("2001:DB8::/128")}, "\"2001:db8::/128\""},
  });
  for (std::string_view bad :
       {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "/8", "::/129",
        "fe80::1%en0/24", "::ffff:192.168.0.1/24", "::ffff:c0a8:0/112", "10.0.0.0/8/8", "10.0.0.0/ 8"}) {
    EXPECT_EQ(call("isCIDR", {S(bad)}), "false") << bad;
    EXPECT_EQ(call("cidr", {S(bad)}), "!conversion") << bad;
  }
  EXPECT_TRUE(equal(cidr("10.0.0.0/8"), cidr("10.0.0.0/8")));
  EXPECT_FALSE(equal(cidr("10.0.0.0/8"), cidr("10.0.0.0/9")));
  EXPECT_TRUE(equal(ip("2001:db8::1"), ip("2001:DB8::1")));
  EXPECT_FALSE(equal(ip("0.0.0.0"), ip("::")));
}

TEST(Texts, EveryStringOfAValue) {
  EXPECT_CASES({
      {"texts", {S("a")}, "[\"a\"]"},
      {"texts", {I(1)}, "[]"},
      {"texts", {N()}, "[]"},
      {"texts",
       {M({{S("k"), L({S("x"), M({{I(1), S("y")}})})}, {S("l"), O(S("z"))}})},
       "[\"k\", \"x\", \"y\", \"l\", \"z\"]"},
      {"texts", {Y("a")}, "[]"},
  });
  Value nest = L({S("a")});
  for (int i = 0; i < 40; ++i) nest = L({nest, nest});
  EXPECT_EQ(call("texts", {nest}), "!cost_budget");
  Value deep = S("a");
  for (int i = 0; i < 1000; ++i) deep = L({deep});
  EXPECT_EQ(call("texts", {deep}), "!invalid_argument");
}

TEST(Paths, Normalize) {
  const auto normal = [](std::string_view path) { return call("paths.normalize", {S(path)}); };
  EXPECT_EQ(normal("a/./b//../c/"), "\"a/c\"");
  EXPECT_EQ(normal("/a/../../b"), "\"/b\"");
  EXPECT_EQ(normal("a/../../b"), "\"../b\"");
  EXPECT_EQ(normal("../../a/.."), "\"../..\"");
  EXPECT_EQ(normal("a/.."), "\".\"");
  EXPECT_EQ(normal(""), "\".\"");
  EXPECT_EQ(normal("/.."), "\"/\"");
  EXPECT_EQ(normal("//etc//passwd"), "\"/etc/passwd\"");
  EXPECT_EQ(normal("a..b/...c"), "\"a..b/...c\"");
}

TEST(Paths, Within) {
  const auto within = [](std::string_view path, std::string_view dir) { return call("isWithin", {S(path), S(dir)}); };
  for (auto [path, dir] : std::vector<std::pair<std::string_view, std::string_view>>{{"docs", "docs"},
                                                                                     {"docs/a", "docs"},
                                                                                     {"docs/../docs/a", "docs/"},
                                                                                     {"/a", "/"},
                                                                                     {"/srv/x/../y", "/srv"},
                                                                                     {"a/b", "."},
                                                                                     {"../a", ".."},
                                                                                     {"../..", "../.."}}) {
    EXPECT_EQ(within(path, dir), "true") << path << " in " << dir;
  }
  for (auto [path, dir] : std::vector<std::pair<std::string_view, std::string_view>>{{"docs/../../etc", "docs"},
                                                                                     {"docs-secret", "docs"},
                                                                                     {"..", "."},
                                                                                     {"../a", "."},
                                                                                     {"../../x", ".."},
                                                                                     {"/docs/a", "docs"},
                                                                                     {"docs/a", "/docs"},
                                                                                     {"", "docs"},
                                                                                     {"docs", ""},
                                                                                     {"~/x", "."},
                                                                                     {"~root/x", "~root"},
                                                                                     {"/srvx", "/srv"},
                                                                                     {"/", "/srv"},
                                                                                     {"doc", "docs"}}) {
    EXPECT_EQ(within(path, dir), "false") << path << " in " << dir;
  }
  EXPECT_EQ(within(std::string_view("docs/a\0/../..", 13), "docs"), "false");
}

}  // namespace
}  // namespace ordain::testing
