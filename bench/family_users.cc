// family_users makes allow-lists of users: as many literals as users, each of which is requested
// once.
#include <fmt/format.h>

#include "bench/families.h"

namespace ordain::bench {
namespace {

constexpr const char* kTables[] = {"orders", "invoices", "customers", "payroll", "audit"};
constexpr uint64_t kUsersOfList = 6;

std::string user_name(uint64_t i, uint64_t seed) { return fmt::format("{}.{}", Random(seed, i).word(5), i); }
std::string table_of(size_t rule, uint64_t seed) {
  Random random(seed + 1, rule);
  return random.pick(kTables);
}

Request query(const std::string& user, const std::string& table, Random& random) {
  Request out;
  out.capability = "query";
  out.facts.push_back({"principal.id", random.one_in(4) ? user + "x" : user});
  out.facts.push_back({"input.table", random.one_in(4) ? std::string(random.pick(kTables)) : table});
  out.facts.push_back({"input.limit", random.between(1, 2000)});
  return out;
}

constexpr const char* kDeclarations = R"(package bench;
capability query { input { table: string, limit: int } }
policy users on before query {
  deny too_many when input.limit > 1900;
)";

}  // namespace

std::string user_rules(size_t count, uint64_t seed) {
  std::string out = kDeclarations;
  for (size_t i = 1; i < count; ++i) {
    out += fmt::format("  allow u{} when principal.id == \"{}\" && input.table == \"{}\";\n", i, user_name(i, seed),
                       table_of(i, seed));
  }
  return out + "}\n";
}

Request user_request(size_t count, uint64_t seed, Random& random) {
  const uint64_t rule = 1 + random.below(count - 1);
  return query(user_name(rule, seed), table_of(rule, seed), random);
}

std::string user_list_rules(size_t count, uint64_t seed) {
  std::string out = kDeclarations;
  for (size_t i = 1; i < count; ++i) {
    std::string names;
    for (uint64_t user = 0; user < kUsersOfList; ++user) {
      names += fmt::format("{}\"{}\"", user == 0 ? "" : ", ", user_name(i * kUsersOfList + user, seed));
    }
    out += fmt::format("  {} l{} when principal.id in [{}] && input.table == \"{}\";\n", i % 10 == 0 ? "deny" : "allow",
                       i, names, table_of(i, seed));
  }
  return out + "}\n";
}

Request user_list_request(size_t count, uint64_t seed, Random& random) {
  const uint64_t rule = 1 + random.below(count - 1);
  return query(user_name(rule * kUsersOfList + random.below(kUsersOfList), seed), table_of(rule, seed), random);
}

}  // namespace ordain::bench
