// families.cc lists the families of rule sets, and draws requests for them.
#include "bench/families.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>

#include "ordain/json.h"

namespace ordain::bench {
namespace {

constexpr std::array kFamilies = {
    Family{"access", "role, resource type, action list and department; a sensitivity deny for every department",
           access_rules, access_request},
    Family{"classes", "few roles and departments, many resource types, action lists", class_rules, class_request},
    Family{"users", "one rule for each user", user_rules, user_request},
    Family{"user_lists", "a list of users in each rule", user_list_rules, user_list_request},
    Family{"shell", "patterns on a command line of 200 bytes; plain text", shell_rules, shell_plain_request},
    Family{"shell_fragments", "the same rules; text built from fragments of the patterns", shell_rules,
           shell_fragment_request},
    Family{"limits", "numeric limits of many capabilities", limit_rules, limit_request},
    Family{"thresholds", "many numeric thresholds of one capability", threshold_rules, threshold_request},
    Family{"arithmetic", "arithmetic over two fields, which nothing can index", arithmetic_rules, arithmetic_request},
    Family{"traffic", "a web filter: addresses, ranges, ports, countries, user agents", traffic_rules, traffic_request},
    Family{"mixed", "random conditions of every kind over several capabilities, with faults", mixed_rules,
           mixed_request},
    Family{"mixed_first_match", "the same, where the first match is the answer", mixed_first_match_rules,
           mixed_request},
};

// Writes a number as JSON, which has no infinities; a double keeps a fraction or an exponent.
std::string number_json(double value) {
  std::string out = fmt::format("{}", value);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string value_json(const FactValue& value) {
  std::string out;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&value)) return number_json(*number);
  if (const auto* text = std::get_if<std::string>(&value)) {
    append_json_string(out, *text);
    return out;
  }
  out = "[";
  for (const std::string& item : std::get<std::vector<std::string>>(value)) {
    if (out.size() > 1) out += ", ";
    append_json_string(out, item);
  }
  return out + "]";
}

// @returns whether the fact may be absent without making the input invalid: the host's facts, and
// optional fields
bool may_be_absent(const Fact& fact) {
  return fact.optional || (!fact.path.starts_with("input.") && !fact.path.starts_with("output."));
}

void disturb(FactValue& value, Random& random) {
  if (auto* integer = std::get_if<int64_t>(&value)) {
    static constexpr int64_t kEdges[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX / 2, 1'000'000'007};
    *integer = random.pick(kEdges);
  } else if (auto* number = std::get_if<double>(&value)) {
    static constexpr double kEdges[] = {0.0, -0.0, -1.0, 1e308, -1e308, 5e-324, 9007199254740993.0};
    *number = random.pick(kEdges);
  } else if (auto* text = std::get_if<std::string>(&value)) {
    static const std::string kEdges[] = {"", "nobody named this", "\xC3\xA9", std::string(300, 'x')};
    *text = random.one_in(3) && !text->empty() ? text->substr(0, text->size() - 1) : random.pick(kEdges);
  } else if (auto* list = std::get_if<std::vector<std::string>>(&value)) {
    if (random.one_in(2)) list->clear();
    list->push_back("nobody named this");
    list->push_back("nobody named this");
  } else {
    value = !std::get<bool>(value);
  }
}

void make_ragged(Request& request, Random& random) {
  std::vector<Fact> kept;
  for (Fact& fact : request.facts) {
    if (random.one_in(may_be_absent(fact) ? 5 : 60)) continue;
    // If the time or the risk itself had the wrong type, there would be no event at all.
    const bool of_record = fact.path.find('.') != std::string::npos;
    if (of_record && random.one_in(6)) disturb(fact.value, random);
    if (of_record && random.one_in(150)) fact.value = std::vector<std::string>{"does not fit"};
    kept.push_back(std::move(fact));
  }
  request.facts = std::move(kept);
}

}  // namespace

std::string event_json(const Request& request) {
  std::map<std::string, std::string> roots;  // by root, its members
  std::string out = "{\"capability\": ";
  append_json_string(out, request.capability);
  if (request.after) out += ", \"stage\": \"after\"";
  roots["input"];
  for (const Fact& fact : request.facts) {
    const size_t dot = fact.path.find('.');
    if (dot == std::string::npos) {
      out += fmt::format(", \"{}\": {}", fact.path, value_json(fact.value));
      continue;
    }
    std::string& members = roots[fact.path.substr(0, dot)];
    if (!members.empty()) members += ", ";
    members += fmt::format("\"{}\": {}", fact.path.substr(dot + 1), value_json(fact.value));
  }
  for (const auto& [root, members] : roots) out += fmt::format(", \"{}\": {{{}}}", root, members);
  return out + "}";
}

std::span<const Family> families() { return kFamilies; }

const Family* find_family(std::string_view name) {
  for (const Family& family : kFamilies) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

std::vector<Request> draw_requests(const Family& family, size_t rules, uint64_t seed, size_t count,
                                   uint64_t request_seed, Traffic traffic) {
  std::vector<Request> out;
  out.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    Random random(request_seed, i);
    out.push_back(family.request(rules, seed, random));
    if (traffic == Traffic::ragged) make_ragged(out.back(), random);
  }
  return out;
}

}  // namespace ordain::bench
