// Audit: the record of what was decided and done, hash-chained and signed, in `audit.db` of a database directory. The
// format is in docs/audit.md.
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
#include "ordain/identity.h"
#include "ordain/json.h"
#include "ordain/keys.h"
#include "ordain/result.h"

namespace ordain {

/// What a call waits for before it goes on.
enum class Durability : uint8_t {
  sync,   ///< every record's commit
  group,  ///< only the intent record of a capability declared `effect irreversible`
  async,  ///< nothing; nothing is dropped, but no time is promised
};

struct AuditOptions {
  Durability durability = Durability::group;
  bool wait_for_irreversible = true;          ///< under `group`: wait for the intent of irreversible capabilities
  size_t queue_records = 8192;                ///< records that may wait for the writer
  size_t queue_bytes = 64 << 20;              ///< their bytes; a larger record is taken only when the queue is empty
  std::chrono::milliseconds queue_wait{250};  ///< how long a call waits for room before it is denied
  std::chrono::milliseconds linger{2};        ///< how long the writer gathers records when no call waits for it
  std::chrono::milliseconds busy_wait{5000};  ///< how long a batch waits for another process's transaction
  std::chrono::milliseconds retry{100};       ///< between attempts to recover after a failed batch

  /// With a key, checkpoints of the whole log are signed: at open, at the end of the batch with which
  /// `checkpoint_records` records are not covered, `checkpoint_every` after the last one if any are not, and at close.
  std::optional<PrivateKey> key = {};
  uint64_t checkpoint_records = 4096;
  std::chrono::milliseconds checkpoint_every{10'000};
  /// Each checkpoint is appended to this file too, once it is committed; keep it where who can write the database
  /// cannot write. "": nowhere. A failure shows in RuntimeHealth and is made up for by the next checkpoint.
  std::string checkpoint_file = {};
  /// Digests of redacted values. Without one a key is made for each runtime and forgotten: digests then tell equal
  /// values from different ones within one runtime's records only.
  std::optional<DigestKey> digest_key = {};
  /// Records after which the log goes on in a new file; 0: never by itself.
  uint64_t segment_records = 0;

  /// Told of records that could not be written: ids of their actions, and why. Runs on the writer thread; must not
  /// call the runtime. The ids are also recorded once the log is writable again.
  std::function<void(const std::vector<std::string>& actions, const Error& error)> on_lost;
};

/// The numbers are part of the record format; append only.
enum class RecordKind : uint8_t {
  denied = 1,    ///< a before decision that stopped the call
  pending = 2,   ///< the call waits for approval
  intent = 3,    ///< the call is about to execute
  outcome = 4,   ///< what became of it
  lost = 5,      ///< earlier records could not be written; names their actions
  decision = 6,  ///< a decision alone, of an event: nothing was executed or asked
};
std::string_view to_string(RecordKind kind);

/// What became of an executed call. The numbers are part of the record format; append only.
enum class OutcomeStatus : uint8_t {
  none = 0,
  released = 1,
  redacted = 2,  ///< released after `redact`
  withheld = 3,  ///< executed, but the output was kept back
  failed = 4,    ///< the tool failed or threw
};
std::string_view to_string(OutcomeStatus status);

struct RecordedObligation {
  RuleKind kind = RuleKind::warn;
  std::string rule;
  std::string path;    ///< redact
  std::string reason;  ///< warn
};

/// What stands in the record for a value that was taken out.
struct RedactedValue {
  std::string path;    ///< "input.card", "output.rows[2].iban", "output"; an index for each list, a name for each map
  std::string digest;  ///< 64 hex digits: HMAC-SHA256 of the value's canonical encoding
};

/// One record, read back. Texts that do not apply are empty.
struct AuditRecord {
  uint64_t id = 0;        ///< position in the log, from 1 without gaps
  std::string chain;      ///< 32 hex digits: which writing process
  uint64_t sequence = 0;  ///< position in its chain, from 1
  std::string hash;       ///< 64 hex digits

  RecordKind kind = RecordKind::denied;
  int64_t time_ns = 0;                         ///< since 1970-01-01T00:00:00Z
  std::string action, trace, parent, session;  ///< action in 32 hex digits
  std::string capability, agent, principal, tenant, environment;
  bool decided = false;  ///< stage, effect and code mean something: a failed call, say, has no after decision
  Stage stage = Stage::before;
  Effect effect = Effect::deny;
  bool observed = false;  ///< decided under observe: the effect was not enforced
  DecisionCode code = DecisionCode::default_effect;
  std::string cause;  ///< why the runtime stopped the call where no policy did: "approval_rejected", "audit_full" ...
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

  // What else the rules saw; see docs/audit.md, "Replay".
  std::vector<RedactedValue> redacted;    ///< which parts of input and output are not as the rules saw them
  std::string digest_key;                 ///< id of the key of these digests, 16 hex digits
  Document context;                       ///< attributes of agent, principal, tenant, environment, session
  std::string type, target, description;  ///< of the action
  std::optional<double> risk;             ///< of the action, where the host gave one
  Document attributes;                    ///< of the action, where an event gave them as a whole
  std::string grant;                      ///< id of the grant that stood in for an approval
  std::string policy, policy_version;     ///< of the rule, where its policy declares a version
  std::string remote;                     ///< what a remote decision point said, or what stood in for it
  std::string rejected;                   ///< why the call could not be bound at all: a name that is not UTF-8, say
};

/// One line of JSON, keys in a fixed order; what does not apply is left out. Under observe the effect reads
/// "would_deny", ...
std::string to_json(const AuditRecord& record);

/// Which records are wanted; what is left empty matches all.
struct AuditFilter {
  std::string agent, principal, tenant, capability, session, action, rule;
  std::optional<RecordKind> kind;
  std::optional<Effect> effect;           ///< of a decided record
  std::optional<int64_t> from_ns, to_ns;  ///< time in [from, to)

  bool empty() const;
  bool matches(const AuditRecord& record) const;
};

struct VerifyOptions {
  /// With keys, every checkpoint must be signed by one of them, and at least one must be there.
  std::vector<PublicKey> keys = {};
  /// Signed notes that were kept elsewhere; see read_checkpoints. They must be of this log.
  std::vector<std::string> checkpoints = {};
  /// With keys: how many records after the last checkpoint are accepted. A log that is being written has some.
  uint64_t unsigned_tail = 0;
};

/// What `verify` found.
struct AuditVerification {
  bool ok = true;
  uint64_t records = 0;  ///< good ones, before the first bad one
  uint64_t chains = 0;
  uint64_t first = 1;  ///< id of the first record; greater than 1 where older segments were removed
  uint64_t segments = 0;
  uint64_t checkpoints = 0;  ///< that matched, those kept elsewhere included
  uint64_t signed_upto = 0;  ///< id of the last record that a checkpoint in the log covers; checked if keys were given
  uint64_t bad_record = 0;   ///< id of the first bad record, or the missing id; 0 if ok
  std::string problem;       ///< what is wrong with it
};

/// Reads the log of one database directory, also while runtimes write to it. One thread at a time. Segments that are
/// begun after `open` are not seen.
class AuditLog {
 public:
  /// @returns error "no_database" if the directory holds no log, or a "database_..." error.
  static Result<AuditLog> open(const std::string& directory);
  AuditLog(AuditLog&&) noexcept;
  AuditLog& operator=(AuditLog&&) noexcept;
  ~AuditLog();

  Result<uint64_t> count() const;
  Result<uint64_t> count(const AuditFilter& filter) const;
  /// The last `count` records, oldest first.
  Result<std::vector<AuditRecord>> tail(size_t count) const;
  /// Calls `visit` for every record from id `first` on, oldest first, until it returns false.
  /// @returns error "bad_record" naming the id where a record cannot be read.
  Result<void> for_each(uint64_t first, const std::function<bool(const AuditRecord&)>& visit) const;
  /// The same for their canonical bytes (docs/audit.md), undecoded and unverified. The bytes live during the visit.
  Result<void> for_each_body(uint64_t first,
                             const std::function<bool(uint64_t id, std::string_view body)>& visit) const;
  /// The same for the records that match. Sealed segments are searched by their indexes.
  Result<void> query(const AuditFilter& filter, const std::function<bool(const AuditRecord&)>& visit) const;
  /// One line of JSON (without line feed) a record, oldest first, until `write` returns false. Without a filter the
  /// lines are what `import_audit` reads: a first line of the log itself, and after the records that it covers each
  /// checkpoint. @returns records written.
  Result<uint64_t> export_jsonl(const std::function<bool(std::string_view line)>& write,
                                const AuditFilter& filter = {}) const;
  /// Recomputes every hash and every checkpoint. A damaged database file is an error; a wrong record is a result.
  Result<AuditVerification> verify(const VerifyOptions& options = {}) const;
  /// A proof that the record is in the log: a C2SP tlog-proof, for check_audit_proof. @returns error "no_record",
  /// "no_checkpoint" if none covers it, or "bad_record" if the record itself does not verify.
  Result<std::string> prove(uint64_t id) const;

 private:
  struct Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What a proof shows.
struct ProvenRecord {
  AuditRecord record;
  std::string origin;      ///< of the checkpoint: key name, '/', log id
  uint64_t size = 0;       ///< records that the checkpoint covers
  bool is_signed = false;  ///< keys were given, and one of them signed the checkpoint
};
/// Checks a proof by itself; no log is needed. Without keys the signature is not checked.
/// @returns error "bad_proof" with what is wrong, "not_signed" or "bad_signature".
Result<ProvenRecord> check_audit_proof(std::string_view proof, const std::vector<PublicKey>& keys = {});

/// The notes in a file that checkpoints were appended to. @returns error "bad_note" or "unreadable".
Result<std::vector<std::string>> read_checkpoints(const std::string& path);

/// Makes a log in `directory` from the lines of an unfiltered export, until `next` returns false. Every line must agree
/// with the record it carries, and the whole log must verify; otherwise nothing is made. @returns the records
/// imported, or error "log_exists", "bad_line" (with its number), "bad_record" or "database_...".
Result<uint64_t> import_audit(const std::string& directory, const std::function<bool(std::string* line)>& next);

/// Seals the current segment, begins the next, and gives sealed ones the indexes that they lack. With a key the sealed
/// records are covered by a checkpoint. Runtimes that write to the log move on by themselves. @returns whether there
/// was a record to seal.
Result<bool> rotate_audit(const std::string& directory, const std::optional<PrivateKey>& key = {},
                          const std::string& checkpoint_file = {});

struct PrunedAudit {
  uint64_t segments = 0;  ///< removed
  uint64_t first = 0;     ///< id of the first record that remains
};
/// Removes the oldest sealed segments, all but the last `keep` of them and the current one. What remains still
/// verifies: its head knows the hash and the tree of all before. With a key that is signed, and `verify` with keys
/// demands it.
Result<PrunedAudit> prune_audit(const std::string& directory, size_t keep, const std::optional<PrivateKey>& key = {});

}  // namespace ordain
