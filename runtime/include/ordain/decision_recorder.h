// DecisionRecorder writes decisions that were made outside a Runtime to an audit log, as records of
// kind `decision`.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ordain/audit.h"
#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/value.h"

namespace ordain {

/// The facts that a decision was about. Views and values must live until `add` returns; absent ones
/// are nullptr.
struct DecidedFacts {
  std::string_view capability;
  Stage stage = Stage::before;
  int64_t time_ns = 0;  ///< `now` as the rules saw it
  /// Of agent, principal, tenant, environment, session: a record of attributes, or a string, which
  /// stands for its `id`.
  std::array<const Value*, 5> who{};
  const Value* input = nullptr;
  const Value* output = nullptr;
  const Value* resource = nullptr;
  const Value* metadata = nullptr;
  const Value* action = nullptr;
  std::optional<double> risk;
  std::string_view rejected;  ///< why the call could not be bound at all
};

/// Writes to one log. Use it from one thread.
class ORDAIN_API DecisionRecorder {
 public:
  /// Opens the log of a directory, or creates both, readable only by the owner. Whatever the
  /// durability, `add` waits only for room in the queue (`options.queue_wait`); `flush` waits for
  /// the disk. Without `options.digest_key`, digests of redacted values are comparable only within
  /// this recorder's records.
  /// @returns an error of the database
  static Result<std::unique_ptr<DecisionRecorder>> open(const std::string& directory, const AuditOptions& options);
  ~DecisionRecorder();

  /// Queues the record of a decision of `program`. Input and output are recorded after the
  /// decision's `redact` obligations. @returns error "audit_unavailable" if the log takes no more
  /// records, or "invalid_decision" if the decision names rules that `program` does not have.
  Result<void> add(const Program& program, const DecidedFacts& facts, const Decision& decision);
  /// Waits until all records are committed. @returns error "audit_unavailable" if they cannot be.
  Result<void> flush();

 private:
  struct Impl;
  explicit DecisionRecorder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordain
