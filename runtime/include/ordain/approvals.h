// Approvals: what waits for a human, what humans said, and that it serves once. Rows in `approvals.db` of a database
// directory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/grants.h"
#include "ordain/keys.h"
#include "ordain/program.h"
#include "ordain/result.h"
#include "ordain/time_text.h"

namespace ordain {

/// pending -> approved -> consumed; pending -> rejected; pending or approved -> expired. Nothing leaves the last three.
enum class ApprovalState : uint8_t { pending = 0, approved = 1, rejected = 2, expired = 3, consumed = 4 };
std::string_view to_string(ApprovalState state);
std::optional<ApprovalState> parse_approval_state(std::string_view name);

/// What one person said for one group.
struct ApprovalVote {
  std::string group;  ///< "" where the rules name no group, or for a rejection outside them
  std::string approver;
  std::string note;
  bool approve = false;
  int64_t time_ns = 0;         ///< since 1970-01-01T00:00:00Z
  std::string signed_by = {};  ///< name of the key, if the store trusts it and the signature is right
  bool counts = true;          ///< false: the store demands signatures, and this vote has none that it trusts
};

/// One request for approval: the exact call, who asks, which rules ask, and what became of it.
struct Approval {
  std::string id;  ///< 32 hex digits
  ApprovalState state = ApprovalState::pending;
  std::string capability;
  std::string input;     ///< canonical JSON of what will run: the input after `redact`
  std::string resource;  ///< canonical JSON; "null" if none was given
  std::string agent, principal, tenant, environment, session;
  std::string rule;  ///< the rule that names the reason
  std::string reason;
  std::vector<std::string> rules;                           ///< every asking rule
  std::vector<std::string> groups;                          ///< each must approve; empty: any one approver
  std::vector<ApprovalVote> votes;                          ///< in the order they came
  std::string action;                                       ///< id of the action that asked first
  int64_t created_ns = 0, expires_ns = 0, consumed_ns = 0;  ///< 0: never
  std::string consumed_by;                                  ///< id of the action that it served
  std::string outcome;  ///< of that action: "released", "failed" ...; "" after a crash in between
  Digest binding{};     ///< what it is bound to; see docs/approvals.md
  /// Groups whose approval is still missing.
  std::vector<std::string> missing() const;
};

/// Keys: id, state, capability, input, resource, agent, principal, tenant, environment, session, rule, reason, rules,
/// groups, missing, votes, action, created, expires, consumed, consumed_by, outcome, binding. Times are RFC 3339, or
/// null.
std::string to_json(const Approval& approval);

/// A call that needs approval. `binding` ties the approval to exactly this call and to the rules that ask.
struct ApprovalRequest {
  Digest binding{};
  std::string capability, input, resource, agent, principal, tenant, environment, session;
  std::string rule, reason;
  std::vector<std::string> rules, groups;
  std::vector<std::string> scopes;  ///< that the capability declares
  std::string action;
  int64_t now_ns = 0;
  int64_t expires_ns = 0;
};

enum class OpenMode : uint8_t { read_only, read_write };

/// Keys that rows are signed and checked with. Where there are any, a vote or a grant counts only if one of them signed
/// it: whoever can write the file then still cannot approve.
struct OperatorKeys {
  std::optional<PrivateKey> sign = {};  ///< signs the votes and grants made through this store; trusted as well
  std::vector<PublicKey> trust = {};    ///< a host that only checks has these alone
  bool empty() const { return !sign && trust.empty(); }
};

/// The approvals of one database directory. Thread-safe; any number of processes may share the directory.
/// Errors: "no_database", "database_busy", "database_full", "database_readonly", "database_corrupt", "database_error".
/// With keys also "no_key" (nothing here can sign) and "bad_signature" (a row that none of the keys signed).
class ApprovalStore {
 public:
  /// `read_write` makes the directory (mode 0700) and the file where they are missing; `read_only` does not.
  /// An empty directory name keeps approvals in memory, for the life of the store.
  static Result<ApprovalStore> open(const std::string& directory, OpenMode mode = OpenMode::read_write,
                                    OperatorKeys keys = {});
  ApprovalStore(ApprovalStore&&) noexcept;
  ApprovalStore& operator=(ApprovalStore&&) noexcept;
  ~ApprovalStore();

  /// Oldest first. `now_ns` decides what has expired; it is not written.
  Result<std::vector<Approval>> list(std::optional<ApprovalState> state, int64_t now_ns) const;
  /// Consumed approvals whose action left no outcome: the process died in between, or is at work now. Never retried.
  Result<std::vector<Approval>> unfinished() const;
  /// @returns error "unknown_approval"; `id` may be a unique prefix of at least 4 digits ("ambiguous_approval").
  Result<Approval> show(std::string_view id, int64_t now_ns) const;

  /// Approves for one group; once every group has, the state is `approved`. `group` may be empty where the rules name
  /// none or one.
  /// @returns the approval as it is now; errors "unknown_approval", "not_pending" (naming the state), "unknown_group",
  /// "already_approved" (by this group), "invalid_approver" (empty or not UTF-8).
  Result<Approval> approve(std::string_view id, std::string_view approver, std::string_view group,
                           std::string_view note, int64_t now_ns);
  /// One rejection is enough, also after other groups approved, until the approval is consumed.
  Result<Approval> reject(std::string_view id, std::string_view approver, std::string_view group, std::string_view note,
                          int64_t now_ns);

  /// What `claim` found.
  enum class Claim : uint8_t {
    consumed,  ///< an approved row; it has served now, and never will again
    pending,   ///< a request waits (an old one, or the one just made)
    rejected,  ///< a human said no, and the request has not expired yet
    granted,   ///< a grant covers the call; no approval was used
  };
  struct Claimed {
    Claim claim = Claim::pending;
    Approval approval;
    Grant grant = {};  ///< granted
  };
  /// In one transaction: finds a rejection of this binding, or a grant that covers the call, or consumes the approved
  /// row, or finds the pending one, or makes one.
  Result<Claimed> claim(const ApprovalRequest& request);
  /// Notes what became of the action that consumed `id`.
  Result<void> finish(std::string_view id, std::string_view outcome);

  /// Makes a grant. `id`, `created_ns` and what a revocation sets are made here.
  /// @returns error "invalid_grant" naming what is wrong with it, or "no_key".
  Result<Grant> create_grant(Grant grant, int64_t now_ns);
  /// Oldest first.
  Result<std::vector<Grant>> grants(int64_t now_ns) const;
  /// From now on it covers nothing. `id` may be a unique prefix of at least 4 digits. Needs no key.
  /// @returns error "unknown_grant", "ambiguous_grant", "already_revoked" or "invalid_grant" (no name).
  Result<Grant> revoke_grant(std::string_view id, std::string_view by, std::string_view note, int64_t now_ns);

 private:
  struct Impl;
  explicit ApprovalStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordain
