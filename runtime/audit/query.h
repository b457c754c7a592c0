// audit_query finds records by the table `facts` that a sealed segment has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ordain/audit.h"
#include "runtime/sqlite/sqlite.h"

namespace ordain::detail {

/// The SQL that finds the candidates for a filter. Must outlive the statement that it is bound to.
class FactQuery {
 public:
  explicit FactQuery(const AuditFilter& filter);
  const std::string& sql() const { return sql_; }
  void bind(sqlite::Statement& statement) const;

 private:
  struct Parameter {
    std::string text;
    int64_t number = 0;
    bool is_text = false;
  };
  void text(const char* condition, const std::string& value);
  void number(const char* condition, int64_t value);
  std::string sql_;
  std::vector<Parameter> parameters_;
};

/// The columns of a record in table `facts`, for writing them and for checking them.
struct Facts {
  int64_t time = 0, kind = 0, effect = -1;
  std::string agent, principal, tenant, capability, session, action, rule;

  explicit Facts(const AuditRecord& record);
  bool operator==(const Facts&) const = default;
  Facts() = default;
};
inline constexpr const char* kFactColumns =
    "time, kind, effect, agent, principal, tenant, capability, session, action, rule";
/// @returns nothing if a column is of another type than a query expects
std::optional<Facts> read_facts(sqlite::Statement& statement);

/// @returns the statements that make table `facts` and its indexes
std::string fact_schema();

}  // namespace ordain::detail
