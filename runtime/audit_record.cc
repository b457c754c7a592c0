// audit_record: the canonical encoding of records. The grammar is in docs/audit.md; numbers here are part of it, append
// only.
#include "runtime/audit_record.h"

#include <algorithm>
#include <cstring>

#include "runtime/audit_fields.h"
#include "runtime/text.h"
#include "runtime/value_bytes.h"

namespace ordain {
namespace detail {
namespace {

/// Writes the fields that nearly every record has, without a look at the buffer's size for each: `room_for` has made
/// room for all.
class HeadWriter {
 public:
  explicit HeadWriter(char* to) : to_(to) {}

  void byte(Field field, uint8_t value) {
    tag(field, 1);
    *to_++ = static_cast<char>(value);
  }
  void number(Field field, int64_t value) {
    tag(field, 8);
    for (int i = 0; i < 8; ++i) *to_++ = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
  void text(Field field, std::string_view bytes) {
    if (!bytes.empty()) raw(field, bytes.data(), bytes.size());
  }
  void raw(Field field, const void* bytes, size_t size) {
    tag(field, static_cast<uint32_t>(size));
    put(bytes, size);
  }
  void obligation(const DraftObligation& obligation) {
    const size_t texts = obligation.rule.size() + obligation.path.size() + obligation.reason.size();
    tag(kObligation, static_cast<uint32_t>(13 + texts));
    *to_++ = static_cast<char>(obligation.kind);
    for (std::string_view text : {obligation.rule, obligation.path, obligation.reason}) {
      size(static_cast<uint32_t>(text.size()));
      put(text.data(), text.size());
    }
  }
  void version() { *to_++ = kRecordVersion; }
  const char* end() const { return to_; }

 private:
  void tag(Field field, uint32_t bytes) {
    *to_++ = static_cast<char>(field);
    size(bytes);
  }
  void size(uint32_t bytes) {
    for (int i = 0; i < 4; ++i) *to_++ = static_cast<char>(bytes >> (8 * i));
  }
  void put(const void* bytes, size_t size) {
    if (size != 0) std::memcpy(to_, bytes, size);
    to_ += size;
  }
  char* to_;
};

/// At least what write_head needs.
size_t head_room(const RecordDraft& draft) {
  size_t out = 512;  // tags, sizes, and what is not text
  for (std::string_view text :
       {draft.trace, draft.parent, draft.session, draft.capability, draft.agent, draft.principal, draft.tenant,
        draft.environment, draft.cause, draft.rule, draft.reason, draft.fault, draft.approval, draft.error}) {
    out += text.size();
  }
  for (const DraftObligation& obligation : draft.obligations) {
    out += 18 + obligation.rule.size() + obligation.path.size() + obligation.reason.size();
  }
  return out;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void text(Field field, std::string_view bytes) {
    if (!bytes.empty()) raw(field, bytes);
  }
  void raw(Field field, std::string_view bytes) {
    append_tagged_u32(out_, field, static_cast<uint32_t>(bytes.size()));
    out_.append(bytes);
  }
  void raw(Field field, const void* bytes, size_t size) { raw(field, {static_cast<const char*>(bytes), size}); }
  void number(Field field, int64_t value) {
    append_tagged_u32(out_, field, 8);
    append_u64(out_, static_cast<uint64_t>(value));
  }
  void value(Field field, const Value* value) {
    if (value == nullptr) return;
    size_t start = out_.size();
    append_tagged_u32(out_, field, 0);
    size_t body = out_.size();
    if (!append_value(out_, *value)) {
      out_.resize(start);
      return;
    }
    auto size = static_cast<uint32_t>(out_.size() - body);
    for (int i = 0; i < 4; ++i) out_[body - 4 + i] = static_cast<char>(size >> (8 * i));
  }
  void redacted(const DraftRedacted& redacted) {
    out_.push_back(static_cast<char>(kRedacted));
    append_u32(out_, static_cast<uint32_t>(4 + redacted.path.size() + redacted.digest.size()));
    append_sized(out_, redacted.path);
    out_.append(reinterpret_cast<const char*>(redacted.digest.data()), redacted.digest.size());
  }

 private:
  std::string& out_;
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

bool read_field(uint8_t field, std::string_view bytes, AuditRecord* record) {
  uint8_t flag = 0;
  switch (field) {
    case kKind:
      return read_enum(bytes, RecordKind::decision, &record->kind) && bytes[0] != 0;
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
    default:
      return false;
  }
}

}  // namespace

namespace {

void write_head(const RecordDraft& draft, HeadWriter& to) {
  to.version();
  to.byte(kKind, static_cast<uint8_t>(draft.kind));
  to.number(kTime, draft.time_ns);
  if (draft.kind != RecordKind::lost) to.raw(kAction, draft.action.bytes.data(), draft.action.bytes.size());
  to.text(kTrace, draft.trace);
  to.text(kParent, draft.parent);
  to.text(kSession, draft.session);
  to.text(kCapability, draft.capability);
  to.text(kAgent, draft.agent);
  to.text(kPrincipal, draft.principal);
  to.text(kTenant, draft.tenant);
  to.text(kEnvironment, draft.environment);
  if (draft.decided) {
    to.byte(kStage, static_cast<uint8_t>(draft.stage));
    to.byte(kEffect, static_cast<uint8_t>(draft.effect));
  }
  if (draft.observed) to.byte(kObserved, 1);
  if (draft.decided) to.byte(kCode, static_cast<uint8_t>(draft.code));
  to.text(kCause, draft.cause);
  to.text(kRule, draft.rule);
  to.text(kReason, draft.reason);
  to.text(kFault, draft.fault);
  for (const DraftObligation& obligation : draft.obligations) to.obligation(obligation);
  to.text(kApproval, draft.approval);
  if (draft.status != OutcomeStatus::none) to.byte(kStatus, static_cast<uint8_t>(draft.status));
  to.text(kError, draft.error);
  if (draft.elapsed_ns != 0) to.number(kElapsed, draft.elapsed_ns);
  if (draft.program != nullptr) to.raw(kProgram, draft.program->data(), draft.program->size());
}

}  // namespace

void encode_record(const RecordDraft& draft, std::string& out) {
  out.resize(head_room(draft));
  HeadWriter head(out.data());
  write_head(draft, head);
  out.resize(static_cast<size_t>(head.end() - out.data()));
  Writer to(out);
  to.value(kInput, draft.input);
  to.value(kOutput, draft.output);
  to.value(kResource, draft.resource);
  to.value(kMetadata, draft.metadata);
  for (const Id128& id : draft.lost) to.raw(kLost, id.bytes.data(), id.bytes.size());
  for (const DraftRedacted& redacted : draft.redacted) to.redacted(redacted);
  if (draft.digest_key != nullptr) to.raw(kDigestKey, draft.digest_key->data(), draft.digest_key->size());
  to.text(kContext, draft.context);
  to.text(kType, draft.type);
  to.text(kTarget, draft.target);
  to.text(kDescription, draft.description);
  if (draft.risk) {
    int64_t bits = 0;
    std::memcpy(&bits, &*draft.risk, sizeof(bits));
    to.number(kRisk, bits);
  }
  to.text(kRejected, draft.rejected);
  to.value(kAttributes, draft.attributes);
  to.text(kGrant, draft.grant);
  to.text(kPolicy, draft.policy);
  to.text(kPolicyVersion, draft.policy_version);
  to.text(kRemote, draft.remote);
}

bool decode_record(std::string_view body, AuditRecord* record) {
  if (body.empty() || body.front() != kRecordVersion) return false;
  body.remove_prefix(1);
  uint8_t last = 0;
  while (!body.empty()) {
    auto field = static_cast<uint8_t>(body.front());
    body.remove_prefix(1);
    std::string_view bytes;
    bool repeats = field == kObligation || field == kLost || field == kRedacted;
    if (field < last || (field == last && !repeats) || !take_sized(body, &bytes)) return false;
    last = field;
    if (!read_field(field, bytes, record)) return false;
  }
  return last >= kTime;
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
