// families declares families of rule sets for measuring and testing, each with a generator of
// matching requests. All are seeded: the same numbers give the same text. Rule i depends only on
// the seed and on i, so a smaller set is the beginning of a larger one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bench/random.h"

namespace ordain::bench {

using FactValue = std::variant<bool, int64_t, double, std::string, std::vector<std::string>>;

/// One field of a request: "input.amount", "agent.roles", "now".
struct Fact {
  std::string path;  ///< of one or two segments
  FactValue value;
  bool optional = false;  ///< declared optional: may be left out
};

/// One call to decide, and its agent.
struct Request {
  std::string capability;
  bool after = false;
  std::vector<Fact> facts;
};

/// @returns the request as a line of JSON, in the form that `ordain eval` reads
std::string event_json(const Request& request);

/// A generator of rule sets.
struct Family {
  const char* name;
  const char* about;
  /// @returns the text of one policy file with `count` rules (at least 10)
  std::string (*rules)(size_t count, uint64_t seed);
  /// @returns a request about a random one of those rules; about half of the requests match a rule
  Request (*request)(size_t count, uint64_t seed, Random& random);
};

std::span<const Family> families();
/// @returns nullptr if no family has that name
const Family* find_family(std::string_view name);

/// How requests are drawn.
enum class Traffic : uint8_t {
  plain,   ///< every field is present and fits
  ragged,  ///< fields are missing, or hold unknown, extreme or (seldom) invalid values
};
std::vector<Request> draw_requests(const Family& family, size_t rules, uint64_t seed, size_t count,
                                   uint64_t request_seed, Traffic traffic = Traffic::plain);

// --- the families' generators, by file family_*.cc

std::string access_rules(size_t count, uint64_t seed);
Request access_request(size_t count, uint64_t seed, Random& random);
std::string class_rules(size_t count, uint64_t seed);
Request class_request(size_t count, uint64_t seed, Random& random);

std::string user_rules(size_t count, uint64_t seed);
Request user_request(size_t count, uint64_t seed, Random& random);
std::string user_list_rules(size_t count, uint64_t seed);
Request user_list_request(size_t count, uint64_t seed, Random& random);

std::string shell_rules(size_t count, uint64_t seed);
Request shell_plain_request(size_t count, uint64_t seed, Random& random);
Request shell_fragment_request(size_t count, uint64_t seed, Random& random);

std::string limit_rules(size_t count, uint64_t seed);
Request limit_request(size_t count, uint64_t seed, Random& random);
std::string threshold_rules(size_t count, uint64_t seed);
Request threshold_request(size_t count, uint64_t seed, Random& random);
std::string arithmetic_rules(size_t count, uint64_t seed);
Request arithmetic_request(size_t count, uint64_t seed, Random& random);

std::string traffic_rules(size_t count, uint64_t seed);
Request traffic_request(size_t count, uint64_t seed, Random& random);

std::string mixed_rules(size_t count, uint64_t seed);
std::string mixed_first_match_rules(size_t count, uint64_t seed);
/// Makes rules over the same capabilities in another package, without the declarations, to be
/// combined with `mixed_rules`.
std::string mixed_second_package(size_t count, uint64_t seed);
Request mixed_request(size_t count, uint64_t seed, Random& random);

/// Rule `i` of the access family, for baselines written by hand.
struct AccessRule {
  bool deny = false;  ///< `department` and input.sensitivity above `limit`; else an allow rule
  uint64_t department = 0, role = 0, type = 0, first_action = 0, action_count = 0;
  int64_t limit = 0;
};
AccessRule access_rule(size_t i, uint64_t seed);
inline constexpr const char* kAccessActions[] = {"read",   "list",   "write", "delete",
                                                 "export", "import", "share", "approve"};

}  // namespace ordain::bench
