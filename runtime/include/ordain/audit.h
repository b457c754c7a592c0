// Audit: the record of what was decided and done, hash-chained, in `audit.db` of a database directory. The format is in
// docs/audit.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "ordain/identity.h"
#include "ordain/json.h"
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
};

/// One line of JSON, keys in a fixed order; what does not apply is left out. Under observe the effect reads
/// "would_deny", ...
std::string to_json(const AuditRecord& record);

/// What `verify` found.
struct AuditVerification {
  bool ok = true;
  uint64_t records = 0;  ///< good ones, before the first bad one
  uint64_t chains = 0;
  uint64_t bad_record = 0;  ///< id of the first bad record, or the missing id; 0 if ok
  std::string problem;      ///< what is wrong with it
};

/// Reads the log of one database directory, also while runtimes write to it. One thread at a time.
class AuditLog {
 public:
  /// @returns error "no_database" if the directory holds no log, or a "database_..." error.
  static Result<AuditLog> open(const std::string& directory);
  AuditLog(AuditLog&&) noexcept;
  AuditLog& operator=(AuditLog&&) noexcept;
  ~AuditLog();

  Result<uint64_t> count() const;
  /// The last `count` records, oldest first.
  Result<std::vector<AuditRecord>> tail(size_t count) const;
  /// Calls `visit` for every record from id `first` on, oldest first, until it returns false.
  /// @returns error "bad_record" naming the id where a record cannot be read.
  Result<void> for_each(uint64_t first, const std::function<bool(const AuditRecord&)>& visit) const;
  /// One line of JSON (without line feed) a record, oldest first, until `write` returns false. @returns records
  /// written.
  Result<uint64_t> export_jsonl(const std::function<bool(std::string_view line)>& write) const;
  /// Recomputes every hash. A damaged database file is an error; a wrong record is a result.
  Result<AuditVerification> verify() const;

 private:
  struct Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordain
