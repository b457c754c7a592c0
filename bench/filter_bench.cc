// filter_bench times the classic filters of web-traffic engines, one expression each, grouped as
// parse, compile and execute: address equality and ranges, port sets and ranges, country sets of 3
// and of 80, user agents by substring and by regular expression, lower-casing. The last one scans a
// mebibyte for 30 patterns of secrets.
//   build/release/bin/filter_bench
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "bench/prepared.h"
#include "bench/secret_patterns.h"
#include "compiler/parse/parse.h"
#include "ordain/stdlib.h"

namespace ordain::bench {
namespace {

constexpr const char* kDeclarations =
    "capability request { input { ip: string, port: int, country: string, host: string, path: string, user_agent: "
    "string, ssl: bool } }\npolicy p on before request { deny r when ";

struct Filter {
  const char* name;
  std::string condition;
  std::string user_agent = {};  ///< of the one request; without it, `events` are asked
};

std::string countries(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += fmt::format("{}\"{}{}\"", i == 0 ? "" : ", ", static_cast<char>('A' + i / 26 * 3),
                       static_cast<char>('A' + i % 26));
  }
  return "[" + out + "]";
}

std::string mebibyte() {
  std::string out;
  while (out.size() < 1 << 20)
    out += "A line of a report: 17 files, 3 keys and a token of 0123456789abcdef were read. ";
  out.resize(1 << 20);
  return out;
}

std::string secrets() {
  std::string out;
  for (const std::string_view pattern : kSecretPatterns) {
    out += fmt::format("{}input.user_agent.matches(r'{}')", out.empty() ? "" : " || ", pattern);
  }
  return out;
}

std::vector<Filter> filters() {
  return {
      {"ip_equality", "input.ip == \"173.245.48.1\""},
      {"ip_set", "input.ip in [\"173.245.48.1\", \"103.21.244.9\", \"2400:cb00::1\", \"131.0.72.3\"]"},
      {"cidr_set",
       "[\"103.21.244.0/22\", \"141.101.64.0/18\", \"2400:cb00::/32\", \"172.64.0.0/13\"].exists(r, "
       "cidr(r).containsIP(input.ip))"},
      {"cidrs",
       "cidr(\"103.21.244.0/22\").containsIP(input.ip) || cidr(\"141.101.64.0/18\").containsIP(input.ip) || "
       "cidr(\"2400:cb00::/32\").containsIP(input.ip) || cidr(\"172.64.0.0/13\").containsIP(input.ip)"},
      {"port_set", "input.port in [80, 8080, 8880, 2052, 2082, 2086, 2095]"},
      {"port_range", "input.port >= 1024 && input.port <= 49151 && input.ssl"},
      {"country_3", "input.country in " + countries(3)},
      {"country_80", "input.country in " + countries(80)},
      {"user_agent_contains", "input.user_agent.contains(\"Googlebot\") || input.user_agent.contains(\"facebook\")"},
      {"user_agent_regex",
       "input.user_agent.matches(\"(googlebot|facebook)\") || input.user_agent.matches(\"(?i)curl/[0-9]+\")"},
      {"lower_case",
       "input.host.lowerAscii() == \"www.example.org\" && input.path.lowerAscii().startsWith(\"/admin\")"},
      {"combined", "input.ssl && input.port == 443 && input.country in " + countries(80) +
                       " && input.user_agent.contains(\"bot\") && !input.path.startsWith(\"/public/\")"},
      {"secrets_in_1_MiB", secrets(), mebibyte()},
  };
}

std::vector<std::string> events(const std::string& user_agent) {
  const auto event = [](const char* ip, int port, const char* country, const char* host, const char* path,
                        std::string_view agent, bool ssl) {
    return fmt::format(
        "{{\"capability\": \"request\", \"input\": {{\"ip\": \"{}\", \"port\": {}, \"country\": \"{}\", \"host\": "
        "\"{}\", "
        "\"path\": \"{}\", \"user_agent\": \"{}\", \"ssl\": {}}}}}",
        ip, port, country, host, path, agent, ssl);
  };
  if (!user_agent.empty()) return {event("10.0.0.7", 22, "ZZ", "cdn.example.com", "/a", user_agent, false)};
  return {event("173.245.48.1", 8080, "GB", "WWW.Example.org", "/Admin/login",
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", true),
          event("172.67.1.200", 443, "AB", "example.org", "/index.html",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0", true),
          event("10.0.0.7", 22, "ZZ", "cdn.example.com", "/public/a.png", "curl/8.5.0", false)};
}

void add(const Filter& filter) {
  const std::string text = kDeclarations + filter.condition + "; allow rest; }\n";
  const auto source = std::make_shared<Source>(Source{"filter.policy", text});
  benchmark::RegisterBenchmark((std::string("parse/") + filter.name).c_str(), [source](benchmark::State& state) {
    for (auto _ : state) {
      Arena arena(1 << 16);
      Diagnostics diagnostics;
      diagnostics.sources.push_back(source);
      benchmark::DoNotOptimize(parse(arena, diagnostics, 0));
    }
  });
  benchmark::RegisterBenchmark((std::string("compile/") + filter.name).c_str(), [source](benchmark::State& state) {
    for (auto _ : state) {
      if (compile({source}, standard_library()).program == nullptr) state.SkipWithError("the filter has errors");
    }
  });
  auto prepared = std::make_shared<Prepared>(prepare_text(text));
  const bool native = make_native(*prepared);
  auto requests = std::make_shared<PreparedEvents>(prepared->program);
  for (const std::string& event : events(filter.user_agent)) {
    if (!requests->add(event)) std::exit(1);
  }
  check_against_oracle(*prepared, *requests);
  for (const bool interpret : {true, false}) {
    if (!interpret && !native) continue;
    benchmark::RegisterBenchmark(
        fmt::format("execute/{}/{}", filter.name, interpret ? "interpreter" : "native").c_str(),
        [requests, interpret](benchmark::State& state) {
          std::vector<std::unique_ptr<Call>> calls;
          for (const PreparedCall& request : requests->calls()) {
            calls.push_back(std::make_unique<Call>(requests->program()));
            request.fill(*calls.back());
          }
          Scratch scratch;
          size_t next = 0;
          for (auto _ : state) {
            const Context& context = *requests->calls()[next].context;
            benchmark::DoNotOptimize(decide(*calls[next], context, scratch, {.interpret_only = interpret}));
            next = (next + 1) % calls.size();
          }
        });
  }
}

}  // namespace
}  // namespace ordain::bench

int main(int argc, char** argv) {
  for (const auto& filter : ordain::bench::filters()) ordain::bench::add(filter);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
