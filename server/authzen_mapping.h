// AuthzenMapping turns the four parts of an AuthZEN request into an event, by expressions.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/result.h"
#include "ordain/value.h"

namespace ordain::server {

/// The parts of one evaluation. All are maps; `context` and every `properties` may be empty, but
/// must be there.
struct AuthzenRequest {
  Value subject, action, resource, context;
};

/// The event that a request stands for, in the parts that EventParts has.
struct MappedEvent {
  std::string capability;
  std::string host;      ///< a JSON object: agent, principal, resource and so on
  std::string input;     ///< JSON
  std::string metadata;  ///< JSON; "" without any
};

/// A table of keys and CEL expressions over `subject`, `action`, `resource` and `context`, compiled.
/// Copies share it; thread-safe.
class AuthzenMapping {
 public:
  /// The default table; see docs/server.md.
  AuthzenMapping();

  /// Reads a table that replaces keys of the default one: `KEY = EXPRESSION` on each line. Empty
  /// lines and lines that begin with `#` are skipped. `KEY = null` takes a key away.
  /// @param name of the text, for messages
  /// @returns error "bad_mapping" with what is wrong in which line
  static Result<AuthzenMapping> parse(std::string_view text, const std::string& name);
  /// The text of the default table.
  static std::string_view default_text();

  /// Evaluates the table. @returns error "bad_mapping" if an expression faults or has a value of the
  /// wrong type; the request must then be denied
  Result<MappedEvent> apply(const AuthzenRequest& request) const;

 private:
  struct Table;
  explicit AuthzenMapping(std::shared_ptr<const Table> table);
  std::shared_ptr<const Table> table_;
};

}  // namespace ordain::server
