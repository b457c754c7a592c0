// audit_record implements the canonical encoding of records. docs/audit.md has the grammar; the
// numbers here are part of it and append-only.
#include "runtime/audit/record.h"

#include <bit>
#include <cstring>

#include "runtime/audit/fields.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/identity/text.h"

namespace ordain {
namespace detail {
namespace {

constexpr size_t kHead = 5;  ///< tag and size

size_t size_of(const DraftObligation& one) { return 13 + one.rule.size() + one.path.size() + one.reason.size(); }
size_t size_of(const DraftApprover& one) { return 12 + one.group.size() + one.name.size() + one.key.size(); }
size_t size_of(const AskingRule& one) {
  size_t out = 4 + one.rule.size() + 4 + 1 + 8;
  for (const std::string& group : one.from) out += 4 + group.size();
  return out;
}
size_t size_of(const DraftRedacted& one) { return 4 + one.path.size() + one.digest.size(); }

/// Computes how many bytes the fields take, and each of the values among them.
class Measure {
 public:
  static constexpr size_t kValues = 6;

  void byte(Field, uint8_t) { total_ += kHead + 1; }
  void number(Field, uint64_t) { total_ += kHead + 8; }
  void bytes(Field, const void*, size_t size) { total_ += kHead + size; }
  void obligation(const DraftObligation& one) { total_ += kHead + size_of(one); }
  void redacted(const DraftRedacted& one) { total_ += kHead + size_of(one); }
  void approver(const DraftApprover& one) { total_ += kHead + size_of(one); }
  void asking(const AskingRule& one) { total_ += kHead + size_of(one); }
  void value(Field, const Value& value) {
    const auto size = value_size(value);
    if (size) total_ += kHead + *size;
    sizes_[count_++] = size;
  }
  void shown(uint32_t, const Value& value) {
    if (const auto size = value_size(value)) total_ += kHead + 4 + *size;
  }
  size_t total() const { return total_; }
  const std::optional<size_t>* values() const { return sizes_; }

 private:
  size_t total_ = 0, count_ = 0;
  std::optional<size_t> sizes_[kValues];
};

/// Writes the fields into memory that Measure sized for them.
class Writer {
 public:
  Writer(char* to, const std::optional<size_t>* values) : to_(to), next_value_(values) {}

  void byte(Field field, uint8_t value) {
    head(field, 1);
    *to_++ = static_cast<char>(value);
  }
  void number(Field field, uint64_t value) {
    head(field, 8);
    to_ = put_u64(to_, value);
  }
  void bytes(Field field, const void* bytes, size_t size) {
    head(field, size);
    to_ = put_bytes(to_, {static_cast<const char*>(bytes), size});
  }
  void obligation(const DraftObligation& one) {
    head(kObligation, size_of(one));
    *to_++ = static_cast<char>(one.kind);
    for (std::string_view text : {one.rule, one.path, one.reason}) sized(text);
  }
  void redacted(const DraftRedacted& one) {
    head(kRedacted, size_of(one));
    sized(one.path);
    to_ = put_bytes(to_, {reinterpret_cast<const char*>(one.digest.data()), one.digest.size()});
  }
  void approver(const DraftApprover& one) {
    head(kApprover, size_of(one));
    for (std::string_view text : {one.group, one.name, std::string_view(one.key)}) sized(text);
  }
  void asking(const AskingRule& one) {
    head(kAsking, size_of(one));
    sized(one.rule);
    to_ = put_u32(to_, one.need);
    *to_++ = one.distinct ? 1 : 0;
    to_ = put_u64(to_, static_cast<uint64_t>(one.expires_seconds));
    for (const std::string& group : one.from) sized(group);
  }
  void value(Field field, const Value& value) {
    const auto size = *next_value_++;
    if (!size) return;
    head(field, *size);
    to_ = write_value(to_, value);
  }
  void shown(uint32_t obligation, const Value& value) {
    const auto size = value_size(value);
    if (!size) return;
    head(kShown, 4 + *size);
    to_ = write_value(put_u32(to_, obligation), value);
  }

 private:
  void head(Field field, size_t size) {
    *to_++ = static_cast<char>(field);
    to_ = put_u32(to_, static_cast<uint32_t>(size));
  }
  void sized(std::string_view text) { to_ = put_bytes(put_u32(to_, static_cast<uint32_t>(text.size())), text); }

  char* to_;
  const std::optional<size_t>* next_value_;
};

bool read_text(std::string_view bytes, std::string* out) {
  *out = bytes;
  return valid_utf8(bytes);
}

bool read_hex(std::string_view bytes, size_t size, std::string* out) {
  *out = hex_of(bytes);
  return bytes.size() == size;
}

bool read_value(std::string_view bytes, Document* out) {
  Arena arena;
  Value value;
  if (!take_value(bytes, arena, &value) || !bytes.empty()) return false;
  *out = Document::copy_of(value);
  return true;
}

bool read_obligation(std::string_view bytes, AuditRecord* record) {
  std::string_view kind, rule, path, reason;
  if (!take_bytes(bytes, 1, &kind) || !take_sized(bytes, &rule) || !take_sized(bytes, &path) ||
      !take_sized(bytes, &reason) || !bytes.empty()) {
    return false;
  }
  RecordedObligation out;
  if (!read_enum(kind, RuleKind::warn, &out.kind)) return false;
  bool texts = read_text(rule, &out.rule) && read_text(path, &out.path) && read_text(reason, &out.reason);
  record->obligations.push_back(std::move(out));
  return texts;
}

bool read_redacted(std::string_view bytes, AuditRecord* record) {
  std::string_view path;
  RedactedValue out;
  if (!take_sized(bytes, &path) || !read_text(path, &out.path) || !read_hex(bytes, 32, &out.digest)) return false;
  record->redacted.push_back(std::move(out));
  return true;
}

bool read_approver(std::string_view bytes, AuditRecord* record) {
  std::string_view group, name, key;
  if (!take_sized(bytes, &group) || !take_sized(bytes, &name) || !take_sized(bytes, &key) || !bytes.empty()) {
    return false;
  }
  RecordedApprover out;
  bool texts = read_text(group, &out.group) && read_text(name, &out.name) && read_text(key, &out.key);
  record->approvers.push_back(std::move(out));
  return texts;
}

bool read_asking_rule(std::string_view bytes, AuditRecord* record) {
  std::string_view rule, distinct, group;
  uint64_t expires = 0;
  uint8_t flag = 0;
  AskingRule out;
  if (!take_sized(bytes, &rule) || !take_u32(bytes, &out.need) || !take_bytes(bytes, 1, &distinct) ||
      !take_u64(bytes, &expires) || !read_enum(distinct, uint8_t{1}, &flag) || !read_text(rule, &out.rule)) {
    return false;
  }
  out.distinct = flag != 0;
  out.expires_seconds = static_cast<int64_t>(expires);
  while (!bytes.empty()) {
    if (!take_sized(bytes, &group) || !read_text(group, &out.from.emplace_back())) return false;
  }
  record->asking.push_back(std::move(out));
  return true;
}

bool read_shown(std::string_view bytes, AuditRecord* record) {
  uint32_t number = 0;
  if (!take_u32(bytes, &number) || number >= record->obligations.size()) return false;
  RecordedObligation& obligation = record->obligations[number];
  if (obligation.kind != RuleKind::redact || obligation.has_with) return false;
  return (obligation.has_with = read_value(bytes, &obligation.with));
}

bool read_field(uint8_t field, std::string_view bytes, AuditRecord* record) {
  uint8_t flag = 0;
  switch (field) {
    case kKind:
      return read_enum(bytes, RecordKind::act, &record->kind) && bytes[0] != 0;
    case kTime:
      return read_number(bytes, &record->time_ns);
    case kAction:
      return read_hex(bytes, 16, &record->action);
    case kTrace:
      return read_text(bytes, &record->trace);
    case kParent:
      return read_text(bytes, &record->parent);
    case kSession:
      return read_text(bytes, &record->session);
    case kCapability:
      return read_text(bytes, &record->capability);
    case kAgent:
      return read_text(bytes, &record->agent);
    case kPrincipal:
      return read_text(bytes, &record->principal);
    case kTenant:
      return read_text(bytes, &record->tenant);
    case kEnvironment:
      return read_text(bytes, &record->environment);
    case kStage:
      record->decided = true;
      return read_enum(bytes, Stage::after, &record->stage);
    case kEffect:
      return read_enum(bytes, Effect::deny, &record->effect);
    case kObserved:
      return read_enum(bytes, uint8_t{1}, &flag) && (record->observed = flag != 0);
    case kCode:
      return read_enum(bytes, DecisionCode::budget_exceeded, &record->code);
    case kCause:
      return read_text(bytes, &record->cause);
    case kRule:
      return read_text(bytes, &record->rule);
    case kReason:
      return read_text(bytes, &record->reason);
    case kFault:
      return read_text(bytes, &record->fault);
    case kObligation:
      return read_obligation(bytes, record);
    case kApproval:
      return read_text(bytes, &record->approval);
    case kStatus:
      return read_enum(bytes, OutcomeStatus::failed, &record->status);
    case kError:
      return read_text(bytes, &record->error);
    case kElapsed:
      return read_number(bytes, &record->elapsed_ns);
    case kProgram:
      return read_hex(bytes, 32, &record->program);
    case kInput:
      return (record->has_input = read_value(bytes, &record->input));
    case kOutput:
      return (record->has_output = read_value(bytes, &record->output));
    case kResource:
      return read_value(bytes, &record->resource);
    case kMetadata:
      return read_value(bytes, &record->metadata);
    case kLost:
      record->lost.emplace_back();
      return read_hex(bytes, 16, &record->lost.back());
    case kRedacted:
      return read_redacted(bytes, record);
    case kDigestKey:
      return read_hex(bytes, 8, &record->digest_key);
    case kContext:
      return read_value(bytes, &record->context);
    case kType:
      return read_text(bytes, &record->type);
    case kTarget:
      return read_text(bytes, &record->target);
    case kDescription:
      return read_text(bytes, &record->description);
    case kRisk:
      return read_risk(bytes, &record->risk);
    case kRejected:
      return read_text(bytes, &record->rejected);
    case kAttributes:
      return read_value(bytes, &record->attributes);
    case kGrant:
      return read_text(bytes, &record->grant);
    case kPolicy:
      return read_text(bytes, &record->policy);
    case kPolicyVersion:
      return read_text(bytes, &record->policy_version);
    case kRemote:
      return read_text(bytes, &record->remote);
    case kApprover:
      return read_approver(bytes, record);
    case kAsking:
      return read_asking_rule(bytes, record);
    case kShown:
      return read_shown(bytes, record);
    case kState:
      return read_value(bytes, &record->state);
    default:
      return false;
  }
}

/// Passes the draft's fields to `to`, in the order of their numbers.
template <typename To>
void each_field(const RecordDraft& draft, To& to) {
  const auto text = [&](Field field, std::string_view bytes) {
    if (!bytes.empty()) to.bytes(field, bytes.data(), bytes.size());
  };
  const auto value = [&](Field field, const Value* value) {
    if (value != nullptr) to.value(field, *value);
  };
  to.byte(kKind, static_cast<uint8_t>(draft.kind));
  to.number(kTime, static_cast<uint64_t>(draft.time_ns));
  if (draft.kind != RecordKind::lost) to.bytes(kAction, draft.action.bytes.data(), draft.action.bytes.size());
  text(kTrace, draft.trace);
  text(kParent, draft.parent);
  text(kSession, draft.session);
  text(kCapability, draft.capability);
  text(kAgent, draft.agent);
  text(kPrincipal, draft.principal);
  text(kTenant, draft.tenant);
  text(kEnvironment, draft.environment);
  if (draft.decided) {
    to.byte(kStage, static_cast<uint8_t>(draft.stage));
    to.byte(kEffect, static_cast<uint8_t>(draft.effect));
  }
  if (draft.observed) to.byte(kObserved, 1);
  if (draft.decided) to.byte(kCode, static_cast<uint8_t>(draft.code));
  text(kCause, draft.cause);
  text(kRule, draft.rule);
  text(kReason, draft.reason);
  text(kFault, draft.fault);
  for (const DraftObligation& obligation : draft.obligations) to.obligation(obligation);
  text(kApproval, draft.approval);
  if (draft.status != OutcomeStatus::none) to.byte(kStatus, static_cast<uint8_t>(draft.status));
  text(kError, draft.error);
  if (draft.elapsed_ns != 0) to.number(kElapsed, static_cast<uint64_t>(draft.elapsed_ns));
  if (draft.program != nullptr) to.bytes(kProgram, draft.program->data(), draft.program->size());
  value(kInput, draft.input);
  value(kOutput, draft.output);
  value(kResource, draft.resource);
  value(kMetadata, draft.metadata);
  for (const Id128& id : draft.lost) to.bytes(kLost, id.bytes.data(), id.bytes.size());
  for (const DraftRedacted& redacted : draft.redacted) to.redacted(redacted);
  if (draft.digest_key != nullptr) to.bytes(kDigestKey, draft.digest_key->data(), draft.digest_key->size());
  text(kContext, draft.context);
  text(kType, draft.type);
  text(kTarget, draft.target);
  text(kDescription, draft.description);
  if (draft.risk) to.number(kRisk, std::bit_cast<uint64_t>(*draft.risk));
  text(kRejected, draft.rejected);
  value(kAttributes, draft.attributes);
  text(kGrant, draft.grant);
  text(kPolicy, draft.policy);
  text(kPolicyVersion, draft.policy_version);
  text(kRemote, draft.remote);
  for (const DraftApprover& approver : draft.approvers) to.approver(approver);
  for (const AskingRule& rule : draft.asking) to.asking(rule);
  for (size_t i = 0; i < draft.obligations.size(); ++i) {
    const DraftObligation& obligation = draft.obligations[i];
    if (obligation.kind == RuleKind::redact && obligation.with.present())
      to.shown(static_cast<uint32_t>(i), obligation.with);
  }
  value(kState, draft.state);
}

}  // namespace

std::string_view encode_record(const RecordDraft& draft, std::string& buffer) {
  Measure measure;
  each_field(draft, measure);
  const size_t size = 1 + measure.total();
  if (buffer.size() < size) buffer.resize(size);
  buffer[0] = kRecordVersion;
  Writer to(buffer.data() + 1, measure.values());
  each_field(draft, to);
  return {buffer.data(), size};
}

bool decode_record(std::string_view body, AuditRecord* record) {
  return read_fields(body,
                     [record](uint8_t field, std::string_view bytes) { return read_field(field, bytes, record); });
}

Sha256::Hash chain_hash(Sha256& hasher, const Sha256::Hash& previous, const RecordPlace& place, std::string_view body) {
  uint8_t head[32 + 8 + 16 + 8];
  std::memcpy(head, previous.data(), 32);
  for (int i = 0; i < 8; ++i) head[32 + i] = static_cast<uint8_t>(place.id >> (8 * i));
  std::memcpy(head + 40, place.chain.bytes.data(), 16);
  for (int i = 0; i < 8; ++i) head[56 + i] = static_cast<uint8_t>(place.sequence >> (8 * i));
  hasher.add(head, sizeof(head));
  hasher.add(body);
  return hasher.finish();
}

}  // namespace detail

std::string_view to_string(RecordKind kind) {
  switch (kind) {
    case RecordKind::denied:
      return "denied";
    case RecordKind::pending:
      return "pending";
    case RecordKind::intent:
      return "intent";
    case RecordKind::outcome:
      return "outcome";
    case RecordKind::lost:
      return "lost";
    case RecordKind::decision:
      return "decision";
    case RecordKind::act:
      return "act";
  }
  return "unknown";
}

std::string_view to_string(OutcomeStatus status) {
  switch (status) {
    case OutcomeStatus::none:
      return "none";
    case OutcomeStatus::released:
      return "released";
    case OutcomeStatus::redacted:
      return "redacted";
    case OutcomeStatus::withheld:
      return "withheld";
    case OutcomeStatus::failed:
      return "failed";
  }
  return "unknown";
}

}  // namespace ordain
