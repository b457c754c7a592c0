// family_access makes rules about who may do what to which resource, as role-based systems export
// them by the thousand.
#include <fmt/format.h>

#include <algorithm>

#include "bench/families.h"

namespace ordain::bench {
namespace {

constexpr uint64_t kRoles = 12, kTypes = 40, kActions = std::size(kAccessActions);
constexpr size_t kRulesOfDepartment = 20;  // the first is the deny
constexpr uint64_t kRolesOfAgent = 3;

constexpr const char* kDeclarations = R"(package bench;
context { agent { department: string } }
capability access { input { action: string, sensitivity: int } }
policy access_rules on before access {
)";

std::string action_list(const AccessRule& rule) {
  std::string out;
  for (uint64_t i = 0; i < rule.action_count; ++i) {
    out += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", kAccessActions[(rule.first_action + i) % kActions]);
  }
  return "[" + out + "]";
}

std::string rule_text(size_t i, const AccessRule& rule) {
  if (rule.deny) {
    return fmt::format("  deny s{} when agent.department == \"dept{}\" && input.sensitivity > {};\n", i,
                       rule.department, rule.limit);
  }
  return fmt::format(
      "  allow r{} when \"role{}\" in agent.roles && resource.type == \"type{}\" && input.action in {} && "
      "agent.department == \"dept{}\";\n",
      i, rule.role, rule.type, action_list(rule), rule.department);
}

// Four agents of each department share its roles between them, so that there are few contexts.
void add_agent(Request& request, uint64_t department, uint64_t role) {
  const uint64_t agent = role / kRolesOfAgent;
  std::vector<std::string> roles;
  for (uint64_t i = 0; i < kRolesOfAgent; ++i) roles.push_back(fmt::format("role{}", agent * kRolesOfAgent + i));
  request.facts.push_back({"agent.id", fmt::format("agent-{}-{}", department, agent)});
  request.facts.push_back({"agent.roles", roles});
  request.facts.push_back({"agent.department", fmt::format("dept{}", department)});
}

// Half of the requests ask for what the rule allows; the others differ from it in one respect.
Request request_for(const AccessRule& rule, uint64_t types, Random& random) {
  uint64_t role = rule.role, type = rule.type;
  uint64_t action = (rule.first_action + random.below(std::max<uint64_t>(1, rule.action_count))) % kActions;
  switch (random.below(6)) {
    case 0:
      role = random.below(kRoles);
      break;
    case 1:
      type = random.below(types);
      break;
    case 2:
      action = random.below(kActions);
      break;
    default:
      break;
  }
  Request out;
  out.capability = "access";
  add_agent(out, rule.department, role);
  out.facts.push_back({"input.action", std::string(kAccessActions[action])});
  out.facts.push_back({"input.sensitivity", random.between(0, 5)});
  out.facts.push_back({"resource.type", fmt::format("type{}", type)});
  return out;
}

// The second family has few departments; its resource types grow with the rules.
constexpr uint64_t kClassRoles = 8, kClassDepartments = 20, kRulesOfType = 50;

AccessRule class_rule(size_t i, uint64_t seed) {
  Random random(seed, i);
  AccessRule out;
  out.deny = i % 10 == 0 && i / 10 < kClassDepartments;
  out.department = out.deny ? i / 10 : random.below(kClassDepartments);
  out.role = random.below(kClassRoles);
  out.type = i / kRulesOfType;
  out.first_action = random.below(kActions);
  out.action_count = 1 + random.below(4);
  out.limit = random.between(2, 4);
  return out;
}

template <typename MakeRule>
std::string all_rules(size_t count, uint64_t seed, MakeRule make_rule) {
  std::string out = kDeclarations;
  for (size_t i = 0; i < count; ++i) out += rule_text(i, make_rule(i, seed));
  return out + "}\n";
}

}  // namespace

AccessRule access_rule(size_t i, uint64_t seed) {
  Random random(seed, i);
  AccessRule out;
  out.deny = i % kRulesOfDepartment == 0;
  out.department = i / kRulesOfDepartment;
  out.role = random.below(kRoles);
  out.type = random.below(kTypes);
  out.first_action = random.below(kActions);
  out.action_count = 1 + random.below(3);
  out.limit = random.between(2, 4);
  return out;
}

std::string access_rules(size_t count, uint64_t seed) { return all_rules(count, seed, access_rule); }

Request access_request(size_t count, uint64_t seed, Random& random) {
  return request_for(access_rule(random.below(count), seed), kTypes, random);
}

std::string class_rules(size_t count, uint64_t seed) { return all_rules(count, seed, class_rule); }

Request class_request(size_t count, uint64_t seed, Random& random) {
  return request_for(class_rule(random.below(count), seed), count / kRulesOfType + 1, random);
}

}  // namespace ordain::bench
