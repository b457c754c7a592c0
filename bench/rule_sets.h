// rule_sets has rule sets to measure with, as policy text. They are seeded: the same numbers give
// the same text.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <random>
#include <string>

namespace ordain::bench {

/// Makes `count` rules on one capability: a role may do two of five actions on a type of resource
/// within a department.
inline std::string role_rules(int count, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  static constexpr const char* kActions[] = {"read", "write", "delete", "share", "export"};
  std::string out =
      "package bench;\n"
      "context { agent { department: string } }\n"
      "capability access { input { action: string, size: int } }\n"
      "policy access_rules on before access {\n";
  for (int i = 0; i < count; ++i) {
    const auto role = random() % 20, type = random() % 50, department = random() % 40, action = random() % 5;
    out += fmt::format(
        "  allow r{} when \"role{}\" in agent.roles && resource.type == \"type{}\" && agent.department == "
        "\"department{}\""
        " && input.action in [\"{}\", \"{}\"];\n",
        i, role, type, department, kActions[action], kActions[(action + 1) % 5]);
  }
  return out + "}\n";
}

/// Ten rules as a bank might write them: numbers, strings, a list of payees, booleans, a role, an
/// optional.
inline constexpr const char* kTenRules = R"(package bench;
capability pay {
  input {
    amount: double, count: int, recipient: string, currency: string, urgent: bool, recurring: bool, day: int,
    limit: optional(int)
  }
}
policy pay_rules on before pay {
  deny not_positive    when input.amount <= 0.0;
  deny too_many        when input.count * 3 + 1 > 1000;
  deny blocked         when input.recipient in ["mallory", "trudy", "eve", "oscar"];
  deny foreign_urgent  when input.currency != "EUR" && input.urgent;
  deny weekend         when input.day == 6 || input.day == 7;
  deny long_recurring  when input.recurring && input.amount > 900.0;
  deny above_limit     when has(input.limit) && input.count > input.limit;
  deny suspended       when "suspended" in agent.roles;
  deny large_unknown   when input.amount > 5000.0 && input.recipient != "landlord";
  allow bankers        when "banker" in agent.roles && input.amount < 10000.0 && input.count > 0;
}
)";

}  // namespace ordain::bench
