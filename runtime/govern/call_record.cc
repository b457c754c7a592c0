// call_record.cc drafts records and passes them to the writer and the sinks.
#include "runtime/govern/call_record.h"

#include <utility>

#include "runtime/audit/secrets.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/state/state_record.h"

namespace ordain::detail {

CallRecord::CallRecord(Core& core, Worker& worker, const Identity& who, const ActionFacts& action, bool observe)
    : core_(core), worker_(worker), action_(action), observe_(observe) {
  const Who& acting = who.who();
  draft.action = action.id;
  draft.session = acting.session;
  draft.capability = "(invalid)";
  draft.agent = acting.agent;
  draft.principal = acting.principal;
  draft.tenant = acting.tenant;
  draft.environment = acting.environment;
  draft.decided = true;
  draft.observed = observe;
  draft.input = &input;
  const CallOptions& options = *action.options;
  if (!options.resource.is(Kind::null)) draft.resource = &options.resource;
  if (!options.metadata.is(Kind::null)) draft.metadata = &options.metadata;
  draft.rejected = action.problem.empty() ? options.flaw : action.problem;
  if (!action.problem.empty()) return;
  draft.trace = action.trace();
  draft.parent = options.parent;
  draft.capability = action.capability;
  draft.type = options.type;
  draft.target = options.target;
  draft.description = options.description;
  if (options.risk) draft.risk = options.risk->value;
}

void CallRecord::note(const Ruling& decision, Stage stage, int64_t now_ns) {
  draft.kind = stage == Stage::before ? RecordKind::intent : RecordKind::outcome;
  draft.time_ns = now_ns;
  draft.stage = stage;
  draft.effect = decision.effect;
  draft.code = decision.code;
  draft.rule = decision.rule;
  draft.reason = decision.reason;
  draft.fault = decision.fault;
  note_policy(*worker_.program, decision.policy_rule, draft);
  draft.remote = decision.host != nullptr ? std::string_view(decision.host->remote) : std::string_view();
  draft.cause = draft.approval = draft.grant = {};
  draft.approvers = {};
  draft.asking = decision.approvals;
  draft.program = &worker_.program->digest();
  draft.context = worker_.attributes;
  obligations_.clear();
  for (const RulingObligation& obligation : decision.obligations) {
    obligations_.push_back({obligation.kind, obligation.rule, obligation.path, obligation.reason, obligation.with});
  }
  draft.obligations = obligations_;
  draft.state = nullptr;
  redacts_ = redacts_ || decision.redacts();
  clear_redacted();
}

void CallRecord::keep_state(const state::Meter& meter, const state::MeteredCall& call) {
  const DigestKey* hide = conceals() || redacts_ ? &core_.secret_key : nullptr;
  remembered_ = describe_state(worker_.arena, meter, call, hide);
  draft.state = remembered_.is(Kind::null) ? nullptr : &remembered_;
}

void CallRecord::begin_outcome(int64_t elapsed_ns) {
  draft.kind = RecordKind::outcome;
  draft.elapsed_ns = elapsed_ns;
  draft.input = draft.resource = draft.metadata = nullptr;
  draft.context = draft.type = draft.target = draft.description = {};
  draft.risk.reset();
  draft.approvers = {};
  draft.asking = {};
  if (!draft.decided || draft.stage == Stage::before) clear_redacted();
}

void CallRecord::clear_redacted() {
  redacted_.clear();
  draft.redacted = {};
  draft.digest_key = nullptr;
}

bool CallRecord::conceals() const {
  return !secrets_of(worker_.program->schema(), worker_.call->capability().id).empty();
}

Value CallRecord::conceal(std::string_view root, const Value& value) {
  if (!conceals()) return value;
  std::vector<FoundValue> found;
  const auto& secrets = secrets_of(worker_.program->schema(), worker_.call->capability().id);
  const Value out = conceal_secrets(worker_.arena, value, root, secrets, core_.secret_key, &found);
  if (core_.audit == nullptr) return out;
  for (const FoundValue& one : found) digest(one);
  return out;
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

/// @returns whether the call continues only once the record is on disk
bool CallRecord::waits() const {
  const AuditOptions& audit = core_.options.audit;
  if (uses_approval()) return true;  // only once it is on record, nobody else can use it
  if (audit.durability != Durability::group) return audit.durability == Durability::sync;
  if (draft.kind == RecordKind::decision) return true;  // the host acts on it unseen
  if (draft.kind != RecordKind::intent || !audit.wait_for_irreversible) return false;
  CapabilityId id = worker_.call->capability().id;
  return id != kNone && worker_.program->schema().capabilities[id].has_effect("irreversible");
}

bool CallRecord::uses_approval() const {
  return !draft.approval.empty() && (draft.kind == RecordKind::intent || draft.kind == RecordKind::decision);
}

RecordRole CallRecord::role() const {
  if (draft.kind == RecordKind::intent) return RecordRole::intent;
  // If the intent is not on record (fail_mode open), no room is reserved for its outcome.
  return draft.kind == RecordKind::outcome && reserved_ ? RecordRole::outcome : RecordRole::single;
}

Recorded CallRecord::append() {
  if (core_.audit == nullptr && core_.options.sinks.empty()) return Recorded::yes;
  const std::string_view body = encode_record(draft, worker_.record);
  const bool sunk = core_.options.sinks.empty() || pass_to_sinks(core_, body);
  // A call that a sink has not recorded must not execute; an executed call is recorded wherever
  // possible.
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
  std::optional<ApprovalUse> use;
  if (uses_approval()) use = ApprovalUse{std::string(draft.approval), approval_since};
  const Admission admission =
      core_.audit->append(body, action_.id, role(), waiting ? &ticket : nullptr, use ? &*use : nullptr);
  if (admission != Admission::taken) return admission == Admission::full ? Recorded::full : Recorded::unavailable;
  reserved_ = draft.kind == RecordKind::intent;
  if (!waiting) return Recorded::yes;
  const Written written = core_.audit->wait(ticket);
  if (written == Written::refused) return Recorded::refused;
  return written == Written::yes ? Recorded::yes : Recorded::lost;
}

void CallRecord::abandon() {
  if (std::exchange(reserved_, false)) core_.audit->release();
}

bool pass_to_sinks(Core& core, std::string_view body) {
  AuditRecord record;
  bool ok = decode_record(body, &record);
  for (const auto& one : core.options.sinks) {
    bool written = false;
    try {
      written = one->write(record).ok();
    } catch (...) {  // treated like an error
    }
    if (!written && core.options.telemetry != nullptr) core.options.telemetry->write_failed("sink");
    ok = ok && written;
  }
  return ok;
}

}  // namespace ordain::detail
