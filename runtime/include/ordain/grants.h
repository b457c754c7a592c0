// Grants: a standing answer of an operator to `require_approval`, for a time, a session, some capabilities. A grant
// never overrides a deny.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ordain {

enum class GrantState : uint8_t {
  active,
  future,    ///< its time has not come
  expired,   ///< its time is over
  revoked,   ///< taken back
  unsigned_  ///< keys are configured, and none of them signed it; covers nothing
};
std::string_view to_string(GrantState state);

/// Whose calls of what are granted, and until when. An empty text covers all.
struct Grant {
  std::string id = {};           ///< 32 hex digits
  std::string capability = "*";  ///< a name, or a glob as in a policy's target
  std::string scope = {};        ///< only capabilities that declare it
  std::string agent = {}, principal = {}, tenant = {}, environment = {}, session = {};
  int64_t from_ns = 0;          ///< since 1970-01-01T00:00:00Z; 0: from the beginning
  int64_t until_ns = 0;         ///< needed: every grant ends
  std::string granted_by = {};  ///< needed
  std::string note = {};
  int64_t created_ns = 0, revoked_ns = 0;  ///< revoked_ns 0: not revoked
  std::string revoked_by = {}, revoked_note = {};
  std::string signed_by = {};             ///< name of the key, if the store trusts it and the signature is right
  GrantState state = GrantState::active;  ///< as of the moment it was read
};

/// Keys: id, state, capability, scope, agent, principal, tenant, environment, session, from, until, granted_by, note,
/// created, revoked, revoked_by, revoked_note, signed_by.
std::string to_json(const Grant& grant);

}  // namespace ordain
