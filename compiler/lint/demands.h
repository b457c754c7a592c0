// demands.h says where rules apply and what their conditions demand, in a form in which rules can be
// looked up by it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/check/expression/typed.h"

namespace ordain::lint {

/// A rule with all capabilities that it applies to.
struct Reach {
  const typed::RuleBody* body = nullptr;  ///< nullptr: it applies to nothing
  bool unconditional = false;             ///< for each capability
  bool alone = true;                      ///< it means the same for each capability
  uint64_t places = 0;                    ///< a hash of the capabilities
};
std::vector<Reach> reach_of_rules(const typed::PolicySet& set);  ///< by rule

/// What a condition demands: the numbers of its key, and of the keys of the parts that `&&` joins.
struct Demands {
  uint32_t whole = kNone;  ///< kNone: unconditional, or without a key
  std::vector<uint32_t> parts;
};

/// Numbers conditions; those of the same number have the same value in every decision.
class DemandTable {
 public:
  /// The result lives as long as the table.
  const Demands& of(const typed::RuleBody& body);

 private:
  uint32_t number_of(const typed::Node& node);

  std::unordered_map<const typed::RuleBody*, Demands> known_;
  std::unordered_map<std::string, uint32_t> numbers_;
};

}  // namespace ordain::lint
