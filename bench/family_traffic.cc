// family_traffic makes the conditions of web-traffic filters: addresses and ranges, ports,
// countries, user agents.
#include <fmt/format.h>

#include "bench/families.h"

namespace ordain::bench {
namespace {

constexpr const char* kProducts[] = {"Mozilla", "curl",   "Wget",      "Googlebot", "python-requests",
                                     "Go-http", "Chrome", "AhrefsBot", "Scrapy",    "okhttp"};

std::string address(Random& random) {
  return fmt::format("{}.{}.{}.{}", 1 + random.below(223), random.below(256), random.below(256), random.below(256));
}
std::string country(uint64_t number) {
  return {static_cast<char>('A' + number / 26 % 26), static_cast<char>('A' + number % 26)};
}
std::string agent_token(uint64_t i) { return fmt::format("{}-{}", kProducts[i % std::size(kProducts)], i); }

std::string list_of(size_t count, auto item) {
  std::string out = "[";
  for (size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ", ") + item();
  return out + "]";
}
std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string small_letters(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// @returns the first part of a rule's own address, so that requests can fall into its ranges
uint64_t network_of(size_t i, uint64_t seed) { return Random(seed + 3, i).below(200); }

std::string condition(size_t i, uint64_t seed) {
  Random random(seed, i);
  const std::string token = agent_token(i);
  switch (i % 10) {
    case 0:
      return fmt::format("input.ip == \"{}\"", address(random));
    case 1:
      return "input.ip in " + list_of(3 + random.below(6), [&] { return quoted(address(random)); });
    case 2:
      return fmt::format("cidr(\"{}.{}.0.0/16\").containsIP(input.ip)", 1 + network_of(i, seed), i / 10 % 256);
    case 3:
      return "input.port in " + list_of(3, [&] { return fmt::format("{}", 1 + random.below(65535)); }) +
             " && input.ssl";
    case 4: {
      const uint64_t low = 1024 + random.below(60000);
      return fmt::format("input.port >= {} && input.port <= {} && !input.ssl", low, low + random.below(40));
    }
    case 5:
      return fmt::format("input.country in {} && input.path.startsWith(\"/admin{}\")",
                         list_of(3, [&] { return quoted(country(random.below(200))); }), i);
    case 6:
      return fmt::format("!(input.country in {}) && input.host == \"site{}.example.com\"",
                         list_of(80, [&] { return quoted(country(random.below(200))); }), i);
    case 7:
      return fmt::format("input.user_agent.contains(\"{}\")", token);
    case 8:
      return fmt::format("input.user_agent.matches(\"{}/[0-9]+\\\\.[0-9]+\")", token);
    default:
      return fmt::format("input.user_agent.lowerAscii().contains(\"{}\")", small_letters(token));
  }
}

}  // namespace

std::string traffic_rules(size_t count, uint64_t seed) {
  std::string out = R"(package bench;
capability request {
  input { ip: string, port: int, country: string, host: string, path: string, user_agent: string, ssl: bool }
}
policy filter on before request {
)";
  for (size_t i = 0; i + 1 < count; ++i) {
    out += fmt::format("  {} f{} when {};\n", i % 7 == 6 ? "require_approval" : "deny", i, condition(i, seed));
  }
  return out + "  allow rest;\n}\n";
}

Request traffic_request(size_t count, uint64_t seed, Random& random) {
  const size_t i = random.below(count);
  Request out;
  out.capability = "request";
  std::string from = address(random);
  if (i % 10 == 0 && random.one_in(2)) {
    Random same(seed, i);
    from = address(same);
  }
  if (i % 10 == 2) {
    from = fmt::format("{}.{}.{}.{}", 1 + network_of(i, seed), i / 10 % 256, random.below(256), random.below(256));
  }
  const uint64_t token = random.one_in(2) ? i : count + random.below(1000);
  out.facts.push_back({"input.ip", from});
  out.facts.push_back({"input.port", random.one_in(2) ? int64_t{443} : random.between(1, 65535)});
  out.facts.push_back({"input.country", country(random.below(220))});
  out.facts.push_back({"input.host", fmt::format("site{}.example.com", i)});
  out.facts.push_back({"input.path", random.one_in(2) ? fmt::format("/admin{}/x", i) : std::string("/index.html")});
  out.facts.push_back(
      {"input.user_agent", fmt::format("Mozilla/5.0 (X11; Linux x86_64) {}/{}.{} (KHTML, like Gecko) Safari/537.36",
                                       agent_token(token), random.below(90), random.below(10))});
  out.facts.push_back({"input.ssl", random.one_in(2)});
  return out;
}

}  // namespace ordain::bench
