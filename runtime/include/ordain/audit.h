// The audit log records decisions and outcomes, hash-chained and signed, in `audit.db` of a
// database directory. docs/audit.md has the format.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/identity.h"
#include "ordain/json.h"
#include "ordain/keys.h"
#include "ordain/result.h"

namespace ordain {

/// What a call waits for before it continues.
enum class Durability : uint8_t {
  sync,   ///< every record's commit
  group,  ///< only the intent record of a capability declared `effect irreversible`
  async,  ///< nothing; no record is dropped, but there is no promise when it is on disk
};

struct AuditOptions {
  Durability durability = Durability::group;
  bool wait_for_irreversible = true;          ///< under `group`: wait for the intent of irreversible capabilities
  size_t queue_records = 8192;                ///< records that may wait for the writer
  size_t queue_bytes = 64 << 20;              ///< their bytes; a larger record needs an empty queue
  std::chrono::milliseconds queue_wait{250};  ///< how long a call waits for room before it is denied
  std::chrono::milliseconds linger{2};        ///< how long the writer gathers records when no call waits for it
  std::chrono::milliseconds busy_wait{5000};  ///< how long a batch waits for another process's transaction
  std::chrono::milliseconds retry{100};       ///< between attempts to recover after a failed batch

  /// With a key, checkpoints of the whole log are signed: at open; at the end of a batch after
  /// which at least `checkpoint_records` records are uncovered; `checkpoint_every` after the last
  /// checkpoint if any record is uncovered; and at close.
  std::optional<PrivateKey> key = {};
  uint64_t checkpoint_records = 4096;
  std::chrono::milliseconds checkpoint_every{10'000};
  /// Each committed checkpoint is also appended to this file, unless the name is "". Keep it where
  /// an attacker with write access to the database cannot write. RuntimeHealth shows a failure, and
  /// the next checkpoint makes up for it.
  std::string checkpoint_file = {};
  /// The key for digests of redacted values. Without one, each runtime makes its own and forgets
  /// it: digests then show whether values are equal only among the records of one runtime.
  std::optional<DigestKey> digest_key = {};
  /// The number of records after which the log continues in a new file; 0 to rotate only on
  /// request.
  uint64_t segment_records = 0;

  /// Called with the ids of actions whose records could not be written, and the reason. It runs on
  /// the writer thread and must not call the runtime. The ids are also recorded once the log is
  /// writable again.
  std::function<void(const std::vector<std::string>& actions, const Error& error)> on_lost;
};

/// The numbers are part of the record format; append only.
enum class RecordKind : uint8_t {
  denied = 1,    ///< a before decision that stopped the call
  pending = 2,   ///< the call waits for approval
  intent = 3,    ///< the call is about to execute
  outcome = 4,   ///< the result of executing it
  lost = 5,      ///< earlier records could not be written; names their actions
  decision = 6,  ///< a decision alone, for example about an event: nothing was executed or asked
  act = 7,       ///< what an operator did: "freeze", "thaw" or "reset" in `type`, who as `principal`
};
ORDAIN_API std::string_view to_string(RecordKind kind);

/// How an executed call ended. The numbers are part of the record format; append only.
enum class OutcomeStatus : uint8_t {
  none = 0,
  released = 1,
  redacted = 2,  ///< released after `redact`
  withheld = 3,  ///< executed, but the output was withheld
  failed = 4,    ///< the tool failed or threw
};
ORDAIN_API std::string_view to_string(OutcomeStatus status);

struct RecordedObligation {
  RuleKind kind = RuleKind::warn;
  std::string rule;
  std::string path;    ///< redact
  std::string reason;  ///< warn
  bool has_with = false;
  Document with = {};  ///< redact: what it shows, unless an earlier version wrote the record
};

/// Takes the place of a redacted value in the record.
struct RedactedValue {
  std::string path;    ///< "input.card", "output.rows[2].iban", "output"; one step per level
  std::string digest;  ///< 64 hex digits: HMAC-SHA256 of the value's canonical encoding
};

/// A person who approved a call, or who made the grant that let it run.
struct RecordedApprover {
  std::string group;  ///< that was approved for; "" for a grant, or if the rules name none
  std::string name;
  std::string key;  ///< name and id ("name+1a2b3c4d") of the key that signed it; "" without one
};

/// A record that was read back. Texts that do not apply are empty.
struct AuditRecord {
  uint64_t id = 0;        ///< position in the log, from 1 without gaps
  std::string chain;      ///< 32 hex digits: the chain of the writing process
  uint64_t sequence = 0;  ///< position in its chain, from 1
  std::string hash;       ///< 64 hex digits

  RecordKind kind = RecordKind::denied;
  int64_t time_ns = 0;                         ///< since 1970-01-01T00:00:00Z
  std::string action, trace, parent, session;  ///< action in 32 hex digits
  std::string capability, agent, principal, tenant, environment;
  bool decided = false;  ///< stage, effect and code are set; a failed call has no after decision
  Stage stage = Stage::before;
  Effect effect = Effect::deny;
  bool observed = false;  ///< decided under observe: the effect was not enforced
  DecisionCode code = DecisionCode::default_effect;
  std::string cause;  ///< why the runtime, not a policy, stopped the call: "approval_rejected" ...
  std::string rule, reason, fault;
  std::vector<RecordedObligation> obligations;
  std::string approval;  ///< id of the approval that the call waits for or consumed
  OutcomeStatus status = OutcomeStatus::none;
  std::string error;  ///< of a failed call
  int64_t elapsed_ns = 0;
  std::string program;  ///< digest, 64 hex digits
  bool has_input = false, has_output = false;
  Document input, output, resource, metadata;  ///< after `redact`
  std::vector<std::string> lost;               ///< actions whose records are lost

  // The other facts that the rules saw; see docs/audit.md, "Replay".
  std::vector<RedactedValue> redacted;      ///< parts of input and output that the rules saw in full
  std::string digest_key;                   ///< id of the key that made these digests, 16 hex digits
  Document context;                         ///< attributes of agent, principal, tenant, environment, session
  std::string type, target, description;    ///< of the action
  std::optional<double> risk;               ///< of the action, if the host gave one
  Document attributes;                      ///< of the action, if an event gave them as a whole
  std::string grant;                        ///< id of the grant used instead of an approval
  std::string policy, policy_version;       ///< of the rule, if its policy declares a version
  std::string remote;                       ///< a remote decision point's answer or its substitute
  std::vector<RecordedApprover> approvers;  ///< of the approval or the grant that was used
  std::vector<AskingRule> asking;           ///< what the rules that require approval need
  std::string rejected;                     ///< why the call could not be bound: invalid UTF-8, say
  Document state;                           ///< what was read and changed of what is remembered
};

/// Writes one line of JSON with keys in a fixed order, without those that do not apply. Under
/// observe the effect reads "would_deny", ...
ORDAIN_API std::string to_json(const AuditRecord& record);

/// Selects records; an empty field matches all.
struct ORDAIN_API AuditFilter {
  std::string agent, principal, tenant, capability, session, action, rule;
  std::optional<RecordKind> kind;
  std::optional<Effect> effect;           ///< of a decided record
  std::optional<int64_t> from_ns, to_ns;  ///< time in [from, to)

  bool empty() const;
  bool matches(const AuditRecord& record) const;
};

struct VerifyOptions {
  /// If keys are given, one of them must have signed every checkpoint, and there must be at least
  /// one checkpoint.
  std::vector<PublicKey> keys = {};
  /// Signed notes that were kept elsewhere; see read_checkpoints. They must belong to this log.
  std::vector<std::string> checkpoints = {};
  /// With keys: how many records after the last checkpoint are accepted. A log that is in use has
  /// some.
  uint64_t unsigned_tail = 0;
};

/// The result of `verify`.
struct AuditVerification {
  bool ok = true;
  uint64_t records = 0;  ///< number of good records before the first bad one
  uint64_t chains = 0;
  uint64_t first = 1;  ///< id of the first record; above 1 if older segments were removed
  uint64_t segments = 0;
  uint64_t checkpoints = 0;  ///< number that matched, including those kept elsewhere
  uint64_t signed_upto = 0;  ///< last record that a checkpoint in the log covers; checked with keys
  uint64_t bad_record = 0;   ///< id of the first bad record, or the missing id; 0 if ok
  std::string problem;       ///< what is wrong with it
};

/// Reads the log of one database directory, even while runtimes write to it. Use it from one thread
/// at a time. Segments begun after `open` are not read.
class ORDAIN_API AuditLog {
 public:
  /// @returns error "no_database" if the directory holds no log, or a "database_..." error.
  static Result<AuditLog> open(const std::string& directory);
  AuditLog(AuditLog&&) noexcept;
  AuditLog& operator=(AuditLog&&) noexcept;
  ~AuditLog();

  Result<uint64_t> count() const;
  Result<uint64_t> count(const AuditFilter& filter) const;
  /// Looks at the ends of each segment for records whose ids do not belong there: below its first, beyond a gap before
  /// its last, or in the range of the next segment. Ordain writes none, so the log should be verified. `verify` finds
  /// every one; this finds those at the ends, and reads only a few rows.
  Result<bool> has_stray_ids() const;
  /// @returns the last `count` records, oldest first
  Result<std::vector<AuditRecord>> tail(size_t count) const;
  /// Calls `visit` for every record from id `first` on, oldest first, until it returns false.
  /// @returns error "bad_record" naming the id where a record cannot be read.
  Result<void> for_each(uint64_t first, const std::function<bool(const AuditRecord&)>& visit) const;
  /// Like for_each, with the canonical bytes of each record (docs/audit.md), undecoded and
  /// unverified. The bytes live during the visit.
  Result<void> for_each_body(uint64_t first,
                             const std::function<bool(uint64_t id, std::string_view body)>& visit) const;
  /// Like for_each, for the records that match. Sealed segments are searched by their indexes.
  Result<void> query(const AuditFilter& filter, const std::function<bool(const AuditRecord&)>& visit) const;
  /// Writes one line of JSON (without line feed) per record, oldest first, until `write` returns
  /// false. Without a filter, the lines can be restored by `import_audit`: the first line describes
  /// the log, and each checkpoint follows the records that it covers. @returns the number of
  /// records written.
  Result<uint64_t> export_jsonl(const std::function<bool(std::string_view line)>& write,
                                const AuditFilter& filter = {}) const;
  /// Recomputes every hash and every checkpoint. A damaged database file is an error; a wrong record is a result.
  Result<AuditVerification> verify(const VerifyOptions& options = {}) const;
  /// Proves that the record is in the log, as a C2SP tlog-proof for check_audit_proof. @returns
  /// error "no_record", "no_checkpoint" if none covers it, or "bad_record" if the record itself
  /// does not verify.
  Result<std::string> prove(uint64_t id) const;

 private:
  struct Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The facts that a proof shows.
struct ProvenRecord {
  AuditRecord record;
  std::string origin;      ///< of the checkpoint: key name, '/', log id
  uint64_t size = 0;       ///< number of records that the checkpoint covers
  bool is_signed = false;  ///< keys were given, and one of them signed the checkpoint
};
/// Checks a proof on its own; no log is needed. Without keys the signature is not checked.
/// @returns error "bad_proof" with the reason, "not_signed" or "bad_signature"
ORDAIN_API Result<ProvenRecord> check_audit_proof(std::string_view proof, const std::vector<PublicKey>& keys = {});

/// Reads the notes in a file that checkpoints were appended to. @returns error "bad_note" or
/// "unreadable".
ORDAIN_API Result<std::vector<std::string>> read_checkpoints(const std::string& path);

/// Restores a log in `directory` from the lines of an unfiltered export, until `next` returns
/// false. Every line must agree with the record that it carries, and the whole log must verify;
/// otherwise no log is made. @returns the number of records imported, or error "log_exists",
/// "bad_line" (with its number), "bad_record" or "database_...".
ORDAIN_API Result<uint64_t> import_audit(const std::string& directory,
                                         const std::function<bool(std::string* line)>& next);

/// Seals the current segment, begins the next, and adds missing indexes to sealed segments. With a
/// key, a checkpoint covers the sealed records. Runtimes that write to the log continue in the new
/// segment by themselves. @returns whether there was a record to seal.
ORDAIN_API Result<bool> rotate_audit(const std::string& directory, const std::optional<PrivateKey>& key = {},
                                     const std::string& checkpoint_file = {});

struct PrunedAudit {
  uint64_t segments = 0;  ///< number removed
  uint64_t first = 0;     ///< id of the first record that remains
};
/// Removes the oldest sealed segments, except the last `keep` of them and the current one. What
/// remains still verifies, because its head holds the hash and the tree of all records before. With
/// a key, that head is signed, which `verify` with keys requires.
ORDAIN_API Result<PrunedAudit> prune_audit(const std::string& directory, size_t keep,
                                           const std::optional<PrivateKey>& key = {});

}  // namespace ordain
