// Approvals are requests that wait for a human, the votes on them, and the rule that each approval
// is used only once. They are rows in `approvals.db` of a database directory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/grants.h"
#include "ordain/keys.h"
#include "ordain/program.h"
#include "ordain/result.h"
#include "ordain/time_text.h"

namespace ordain {

/// pending -> approved -> consumed; pending -> rejected; pending or approved -> expired. The states
/// rejected, expired, consumed and earlier are final.
enum class ApprovalState : uint8_t {
  pending = 0,
  approved = 1,
  rejected = 2,
  expired = 3,
  consumed = 4,
  earlier = 5,  ///< "from an earlier version", which left it open: it is shown, and nobody can approve or use it
};
ORDAIN_API std::string_view to_string(ApprovalState state);
/// Reads what `to_string` writes, and "earlier" for the state whose name is several words.
ORDAIN_API std::optional<ApprovalState> parse_approval_state(std::string_view name);

/// The vote of one person for one group.
struct ApprovalVote {
  std::string group;  ///< "" if the rules name no group, or if an outsider rejects
  std::string approver;
  std::string note;
  bool approve = false;
  int64_t time_ns = 0;         ///< since 1970-01-01T00:00:00Z
  std::string signed_by = {};  ///< name of the trusted key that signed it; "" without one
  bool counts = true;          ///< false if a signature is required and missing or wrong
  uint32_t key = 0;            ///< PublicKey::id of the key that signed it
};

/// One request for approval: the exact call, the agent and principal, the rules that ask, and the
/// result.
struct ORDAIN_API Approval {
  std::string id;  ///< 32 hex digits: the beginning of `content`
  ApprovalState state = ApprovalState::pending;
  std::string capability;
  std::string input;     ///< canonical JSON of the input that will run: after `redact`
  std::string resource;  ///< canonical JSON; "null" if none was given
  std::string agent, principal, tenant, environment, session;
  std::string rule;  ///< the rule that gives the reason
  std::string reason;
  std::vector<std::string> rules;   ///< every asking rule
  std::vector<AskingRule> asking;   ///< what each of them needs; empty (the host's default asks): anyone's approval
  std::vector<ApprovalVote> votes;  ///< in the order in which they came
  std::string action;               ///< id of the action that asked first
  int64_t created_ns = 0, expires_ns = 0, consumed_ns = 0;  ///< 0: never
  std::string consumed_by;                                  ///< id of the action that used it
  std::string outcome;    ///< of that action: "released", "failed" ...; "" after a crash before it
  Digest binding{};       ///< the digest of its subject; see docs/approvals.md
  uint64_t recorded = 0;  ///< how many records the audit log had, at least, when the request was made
  Digest content{};       ///< the digest of the whole request as it was made, without state and votes
  bool altered = false;   ///< the row shows another request than its id stands for; nobody can approve it
  /// @returns every group that a rule names, sorted
  std::vector<std::string> groups() const;
  /// @returns the groups whose approval is missing and would count, sorted
  std::vector<std::string> missing() const;
  /// @returns whether every asking rule has the approvals that it needs
  bool satisfied() const;
  /// @returns for people: "finance, risk", "1 of [finance, risk]", "anyone"; "" if nothing is missing
  std::string waits_for() const;
};

/// The group of the call's principal: nobody else can approve for it, and the principal for no other group.
inline constexpr std::string_view kPrincipalGroup = "principal";

/// @returns for people: "finance, risk", "2 of [a, b, c]", "anyone"
ORDAIN_API std::string describe(const AskingRule& rule);

/// Writes a JSON object with the keys id, state, capability, input, resource, agent, principal,
/// tenant, environment, session, rule, reason, rules, groups, approvals, missing, votes, action,
/// created, expires, consumed, consumed_by, outcome, binding, altered. Times are RFC 3339 texts or
/// null; `approvals` is as in a decision.
ORDAIN_API std::string to_json(const Approval& approval);

/// A call that needs approval. `binding` ties the approval to exactly this call and to the rules that ask.
struct ApprovalRequest {
  Digest binding{};
  std::string capability, input, resource, agent, principal, tenant, environment, session;
  std::string rule, reason;
  std::vector<std::string> rules;
  std::vector<AskingRule> asking;   ///< what each of them needs
  std::vector<std::string> scopes;  ///< that the capability declares
  std::string action;
  int64_t now_ns = 0;
  int64_t expires_ns = 0;
  uint64_t recorded = 0;  ///< number of records in the audit log, or less
};

enum class OpenMode : uint8_t {
  read_only,
  read_write,  ///< creates what is missing
  existing,    ///< writes, and creates nothing
};

/// The keys that sign and check rows. If there are any, a vote or a grant counts only if one of
/// them signed it, so that write access to the file is not enough to approve a call.
struct OperatorKeys {
  std::optional<PrivateKey> sign = {};  ///< signs new votes and grants; also trusted
  std::vector<PublicKey> trust = {};    ///< a host that only checks signatures has only these
  bool empty() const { return !sign && trust.empty(); }
};

/// The approvals of one database directory. Thread-safe; any number of processes may share the
/// directory. Errors: "no_database", "database_busy", "database_full", "database_readonly",
/// "database_corrupt", "database_error". With keys also "no_key" (the store has no key to sign
/// with) and "bad_signature" (none of the keys signed a row).
class ORDAIN_API ApprovalStore {
 public:
  /// `read_write` creates the directory (mode 0700) and the file if they are missing; with the other
  /// modes that is error "no_database". With an empty directory name, approvals stay in memory for the life of the
  /// store. A file of an earlier version is brought to the present format, or, with `read_only`, read as it is; its
  /// open requests are then in state `earlier`.
  static Result<ApprovalStore> open(const std::string& directory, OpenMode mode = OpenMode::read_write,
                                    OperatorKeys keys = {});
  ApprovalStore(ApprovalStore&&) noexcept;
  ApprovalStore& operator=(ApprovalStore&&) noexcept;
  ~ApprovalStore();

  /// Lists approvals, oldest first. `now_ns` decides which have expired; their rows stay as they
  /// are.
  Result<std::vector<Approval>> list(std::optional<ApprovalState> state, int64_t now_ns) const;
  /// Lists consumed approvals whose action has no outcome: its process died in between, or is still
  /// executing it. They are never retried.
  Result<std::vector<Approval>> unfinished() const;
  /// Finds an approval. `id` may be a unique prefix of at least 4 digits. @returns error
  /// "unknown_approval" or "ambiguous_approval".
  Result<Approval> show(std::string_view id, int64_t now_ns) const;

  /// Approves for one group; once every rule has the approvals that it needs, the state is `approved`.
  /// `group` may be empty if the rules name no group or only one, or if the principal approves.
  /// @returns the approval in its new state; errors "unknown_approval", "not_pending" (naming the
  /// state), "unknown_group", "already_approved" (by this group), "already_voted" (the same name for
  /// another group), "not_eligible" (the agent itself; the principal where no rule asks for it),
  /// "invalid_approver" (empty or not UTF-8), "approval_altered"
  Result<Approval> approve(std::string_view id, std::string_view approver, std::string_view group,
                           std::string_view note, int64_t now_ns);
  /// Approves the request that the approver was shown. If the store holds another one under its id,
  /// that is error "approval_altered".
  Result<Approval> approve(const Approval& shown, std::string_view approver, std::string_view group,
                           std::string_view note, int64_t now_ns);
  /// Rejects the request. One rejection suffices, even after other groups approved, until the
  /// approval is consumed.
  Result<Approval> reject(std::string_view id, std::string_view approver, std::string_view group, std::string_view note,
                          int64_t now_ns);

  /// The result of `claim`.
  enum class Claim : uint8_t {
    consumed,  ///< an approved row: it is used now, and never again
    pending,   ///< a request waits (an earlier one, or the one just made)
    rejected,  ///< a human rejected it, and the request has not expired yet
    granted,   ///< a grant covers the call; no approval was used
  };
  struct Claimed {
    Claim claim = Claim::pending;
    Approval approval;
    Grant grant = {};  ///< granted
  };
  /// Does one of these in a single transaction, in this order: finds a rejection with this binding,
  /// finds a grant that covers the call, consumes the approved row, finds the pending row, or
  /// inserts one.
  Result<Claimed> claim(const ApprovalRequest& request);
  /// Records the outcome of the action that consumed `id`.
  Result<void> finish(std::string_view id, std::string_view outcome);

  /// Makes a grant. The store sets `id`, `created_ns` and the fields of a revocation.
  /// @returns error "invalid_grant" with the reason, or "no_key"
  Result<Grant> create_grant(Grant grant, int64_t now_ns);
  /// Lists grants, oldest first.
  Result<std::vector<Grant>> grants(int64_t now_ns) const;
  /// Revokes a grant: from now on it covers nothing. `id` may be a unique prefix of at least 4
  /// digits. Needs no key.
  /// @returns error "unknown_grant", "ambiguous_grant", "already_revoked" or "invalid_grant" (no
  /// name)
  Result<Grant> revoke_grant(std::string_view id, std::string_view by, std::string_view note, int64_t now_ns);

 private:
  struct Impl;
  explicit ApprovalStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordain
