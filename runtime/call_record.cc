// call_record: drafts, and hands over to the writer and the sinks.
#include "runtime/call_record.h"

#include <utility>

#include "runtime/value_bytes.h"

namespace ordain::detail {

void CallRecord::note(const Ruling& decision, Stage stage, int64_t now_ns) {
  const Who& who = who_.who();
  draft = RecordDraft{};
  redacted_.clear();
  draft.kind = stage == Stage::before ? RecordKind::intent : RecordKind::outcome;
  draft.time_ns = now_ns;
  draft.action = action_.id;
  draft.trace = action_.problem.empty() ? action_.trace() : "";
  draft.parent = action_.problem.empty() ? action_.options->parent : "";
  draft.session = who.session;
  draft.capability = action_.problem.empty() ? action_.capability : "(invalid)";
  draft.agent = who.agent;
  draft.principal = who.principal;
  draft.tenant = who.tenant;
  draft.environment = who.environment;
  draft.decided = true;
  draft.stage = stage;
  draft.effect = decision.effect;
  draft.observed = observe_;
  draft.code = decision.code;
  draft.rule = decision.rule;
  draft.reason = decision.reason;
  fault_ = decision.fault;
  draft.fault = fault_;
  draft.program = &worker_.program->digest();
  draft.input = &input;
  if (!action_.options->resource.is(Kind::null)) draft.resource = &action_.options->resource;
  if (!action_.options->metadata.is(Kind::null)) draft.metadata = &action_.options->metadata;
  draft.context = worker_.attributes;
  draft.rejected = action_.problem;
  if (action_.problem.empty()) {
    draft.type = action_.options->type;
    draft.target = action_.options->target;
    draft.description = action_.options->description;
    if (action_.options->risk) draft.risk = action_.options->risk->value;
  }
  obligations_.clear();
  for (const RulingObligation& obligation : decision.obligations) {
    obligations_.push_back({obligation.kind, obligation.rule, obligation.path, obligation.reason});
  }
  draft.obligations = obligations_;
}

void CallRecord::begin_outcome(int64_t elapsed_ns) {
  draft.kind = RecordKind::outcome;
  draft.elapsed_ns = elapsed_ns;
  draft.input = draft.resource = draft.metadata = nullptr;
  draft.context = draft.type = draft.target = draft.description = {};
  draft.risk.reset();
  if (!draft.decided || draft.stage == Stage::before) clear_redacted();
}

void CallRecord::clear_redacted() {
  redacted_.clear();
  draft.redacted = {};
  draft.digest_key = nullptr;
}

void CallRecord::digest_redacted(const Ruling& decision, std::string_view root, const Value& value) {
  if (core_.audit == nullptr || !decision.redacts()) return;
  std::vector<FoundValue> found;
  for (const RulingObligation& obligation : decision.obligations) {
    if (obligation.kind == RuleKind::redact) find_values(value, root, obligation.path, &found);
  }
  for (const FoundValue& one : found) digest(one);
}

void CallRecord::digest_withheld(const Value& output) {
  if (core_.audit == nullptr) return;
  redacted_.clear();
  digest({"output", output});
}

void CallRecord::digest(const FoundValue& found) {
  for (const DraftRedacted& known : redacted_) {
    if (known.path == found.path) return;
  }
  std::string bytes;
  append_value(bytes, found.value);
  redacted_.push_back({found.path, core_.digest_key.digest(bytes)});
  draft.redacted = redacted_;
  draft.digest_key = &core_.digest_key_id;
}

/// Whether the call goes on only once the record is on disk.
bool CallRecord::waits() const {
  const AuditOptions& audit = core_.options.audit;
  if (audit.durability != Durability::group) return audit.durability == Durability::sync;
  if (draft.kind == RecordKind::decision) return true;  // the host acts on it out of our sight
  if (draft.kind != RecordKind::intent || !audit.wait_for_irreversible) return false;
  CapabilityId id = worker_.call->capability().id;
  return id != kNone && worker_.program->schema().capabilities[id].has_effect("irreversible");
}

RecordRole CallRecord::role() const {
  if (draft.kind == RecordKind::intent) return RecordRole::intent;
  // Without an intent on record (fail_mode open) an outcome has no room kept for it.
  return draft.kind == RecordKind::outcome && reserved_ ? RecordRole::outcome : RecordRole::single;
}

Recorded CallRecord::append() {
  if (core_.audit == nullptr && core_.options.sinks.empty()) return Recorded::yes;
  const std::string_view body = encode_record(draft, worker_.record);
  const bool sunk = core_.options.sinks.empty() || sink(body);
  // A call that some sink does not know of must not execute; what was executed is recorded wherever it can be.
  const bool closed = !observe_ && core_.options.fail_mode == FailMode::closed;
  if (!sunk && closed && draft.kind == RecordKind::intent) return Recorded::unavailable;
  if (core_.audit == nullptr) return sunk ? Recorded::yes : Recorded::lost;
  const Recorded recorded = queue(body);
  if (recorded != Recorded::yes && core_.options.telemetry != nullptr) {
    core_.options.telemetry->write_failed("audit");
  }
  return recorded == Recorded::yes && !sunk ? Recorded::lost : recorded;
}

Recorded CallRecord::queue(std::string_view body) {
  Ticket ticket;
  const bool waiting = waits();
  const Admission admission = core_.audit->append(body, action_.id, role(), waiting ? &ticket : nullptr);
  if (admission != Admission::taken) return admission == Admission::full ? Recorded::full : Recorded::unavailable;
  reserved_ = draft.kind == RecordKind::intent;
  return waiting && !core_.audit->wait(ticket) ? Recorded::lost : Recorded::yes;
}

void CallRecord::abandon() {
  if (std::exchange(reserved_, false)) core_.audit->release();
}

/// Gives the record to the sinks. @returns false if one of them failed.
bool CallRecord::sink(std::string_view body) {
  AuditRecord record;
  bool ok = decode_record(body, &record);
  for (const auto& one : core_.options.sinks) {
    bool written = false;
    try {
      written = one->write(record).ok();
    } catch (...) {  // the same as an error
    }
    if (!written && core_.options.telemetry != nullptr) core_.options.telemetry->write_failed("sink");
    ok = ok && written;
  }
  return ok;
}

}  // namespace ordain::detail
