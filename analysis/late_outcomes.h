// LateOutcomes knows the calls of a log that ran for so long that a replay, which reads their outcome only when it
// comes, would take them for calls whose process had died.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "ordain/audit.h"

namespace ordain::detail {

class LateOutcomes {
 public:
  LateOutcomes() = default;  ///< no call
  /// Reads the whole log. @returns error "bad_record", as AuditLog::for_each_body
  static Result<LateOutcomes> find(const AuditLog& log);

  bool has(std::string_view action) const { return actions_.contains(std::string(action)); }

 private:
  std::unordered_set<std::string> actions_;
};

}  // namespace ordain::detail
