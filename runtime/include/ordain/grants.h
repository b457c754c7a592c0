// A grant is an operator's standing approval for `require_approval`, limited to a time, a session
// or some capabilities. It never overrides a deny.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/export.h"

namespace ordain {

enum class GrantState : uint8_t {
  active,
  future,    ///< has not begun yet
  expired,   ///< has ended
  revoked,   ///< was revoked
  unsigned_  ///< keys are configured, and none signed it; covers nothing
};
ORDAIN_API std::string_view to_string(GrantState state);

/// Defines whose calls of which capabilities are granted, and until when. An empty text covers all.
struct Grant {
  std::string id = {};           ///< 32 hex digits
  std::string capability = "*";  ///< a name, or a glob as in a policy's target
  std::string scope = {};        ///< if set, only capabilities that declare this scope
  std::string agent = {}, principal = {}, tenant = {}, environment = {}, session = {};
  int64_t from_ns = 0;          ///< since 1970-01-01T00:00:00Z; 0: from the beginning
  int64_t until_ns = 0;         ///< required: every grant ends
  std::string granted_by = {};  ///< required
  std::string note = {};
  int64_t created_ns = 0, revoked_ns = 0;  ///< revoked_ns is 0 unless revoked
  std::string revoked_by = {}, revoked_note = {};
  std::string signed_by = {};             ///< name of the trusted key that signed it, or ""
  GrantState state = GrantState::active;  ///< when it was read
  uint32_t key = 0;                       ///< PublicKey::id of the key that signed it
};

/// Writes a JSON object with the keys id, state, capability, scope, agent, principal, tenant,
/// environment, session, from, until, granted_by, note, created, revoked, revoked_by, revoked_note,
/// signed_by.
ORDAIN_API std::string to_json(const Grant& grant);

}  // namespace ordain
