// audit_view reads a record's fields without copying them. It checks sizes, because a record may
// hold any bytes.
#include "runtime/audit/view.h"

#include "runtime/audit/fields.h"
#include "runtime/audit/value_bytes.h"

namespace ordain::detail {
namespace {

bool view_obligation(std::string_view bytes, RecordView* out) {
  ObligationView obligation;
  std::string_view kind;
  if (!take_bytes(bytes, 1, &kind) || !read_enum(kind, RuleKind::warn, &obligation.kind)) return false;
  if (!take_sized(bytes, &obligation.rule) || !take_sized(bytes, &obligation.path) ||
      !take_sized(bytes, &obligation.reason)) {
    return false;
  }
  out->obligations.push_back(obligation);
  return bytes.empty();
}

bool view_asking_rule(std::string_view bytes, RecordView* out) {
  AskingView rule;
  std::string_view distinct;
  uint64_t expires = 0;
  uint8_t flag = 0;
  if (!take_sized(bytes, &rule.rule) || !take_u32(bytes, &rule.need) || !take_bytes(bytes, 1, &distinct) ||
      !read_enum(distinct, uint8_t{1}, &flag) || !take_u64(bytes, &expires)) {
    return false;
  }
  rule.distinct = flag != 0;
  rule.expires_seconds = static_cast<int64_t>(expires);
  rule.groups = bytes;
  for (std::string_view group; !bytes.empty();) {
    if (!take_sized(bytes, &group)) return false;
  }
  out->asking.push_back(rule);
  return true;
}

bool view_shown(std::string_view bytes, RecordView* out) {
  uint32_t number = 0;
  if (!take_u32(bytes, &number) || number >= out->obligations.size()) return false;
  out->obligations[number].with = bytes;
  return !bytes.empty();
}

// @returns where a field of plain bytes goes; nullptr for the other fields
std::string_view* place_of(uint8_t field, RecordView* out) {
  switch (field) {
    case kTrace:
      return &out->trace;
    case kParent:
      return &out->parent;
    case kSession:
      return &out->session;
    case kCapability:
      return &out->capability;
    case kAgent:
      return &out->agent;
    case kPrincipal:
      return &out->principal;
    case kTenant:
      return &out->tenant;
    case kEnvironment:
      return &out->environment;
    case kCause:
      return &out->cause;
    case kRule:
      return &out->rule;
    case kReason:
      return &out->reason;
    case kApproval:
      return &out->approval;
    case kInput:
      return &out->input;
    case kOutput:
      return &out->output;
    case kResource:
      return &out->resource;
    case kMetadata:
      return &out->metadata;
    case kContext:
      return &out->context;
    case kAttributes:
      return &out->attributes;
    case kType:
      return &out->type;
    case kTarget:
      return &out->target;
    case kDescription:
      return &out->description;
    case kRejected:
      return &out->rejected;
    case kError:
      return &out->error;
    case kState:
      return &out->state;
    default:
      return nullptr;
  }
}

bool view_field(uint8_t field, std::string_view bytes, RecordView* out) {
  switch (field) {
    case kKind:
      return read_enum(bytes, RecordKind::act, &out->kind) && bytes[0] != 0;
    case kTime:
      return read_number(bytes, &out->time_ns);
    case kAction:
      out->action = bytes;
      return bytes.size() == 16;
    case kStage:
      out->decided = true;
      return read_enum(bytes, Stage::after, &out->stage);
    case kEffect:
      return read_enum(bytes, Effect::deny, &out->effect);
    case kObserved:
      out->observed = bytes == std::string_view("\1", 1);
      return bytes.size() == 1;
    case kCode:
      return read_enum(bytes, DecisionCode::budget_exceeded, &out->code);
    case kObligation:
      return view_obligation(bytes, out);
    case kStatus:
      return read_enum(bytes, OutcomeStatus::failed, &out->status);
    case kElapsed:
      return read_number(bytes, &out->elapsed_ns);
    case kProgram:
      out->program = bytes;
      return bytes.size() == sizeof(Digest);
    case kRedacted:
      return take_sized(bytes, &out->redacted.emplace_back());
    case kRisk:
      return read_risk(bytes, &out->risk);
    case kApprover:
      return take_sized(bytes, &out->approvers.emplace_back());
    case kAsking:
      return view_asking_rule(bytes, out);
    case kShown:
      return view_shown(bytes, out);
    default:
      if (std::string_view* place = place_of(field, out)) *place = bytes;
      return field >= kKind && field <= kLastField;
  }
}

}  // namespace

bool view_record(std::string_view body, RecordView* out) {
  auto obligations = std::move(out->obligations);
  auto redacted = std::move(out->redacted);
  auto asking = std::move(out->asking);
  auto approvers = std::move(out->approvers);
  obligations.clear();
  redacted.clear();
  asking.clear();
  approvers.clear();
  *out = RecordView();
  out->obligations = std::move(obligations);
  out->redacted = std::move(redacted);
  out->asking = std::move(asking);
  out->approvers = std::move(approvers);
  return read_fields(body, [out](uint8_t field, std::string_view bytes) { return view_field(field, bytes, out); });
}

bool view_head(std::string_view body, RecordHead* out) {
  if (body.empty() || body.front() != kRecordVersion) return false;
  body.remove_prefix(1);
  *out = RecordHead();
  while (!body.empty() && static_cast<uint8_t>(body.front()) <= kAction) {
    const auto field = static_cast<uint8_t>(body.front());
    body.remove_prefix(1);
    std::string_view bytes;
    if (!take_sized(body, &bytes)) return false;
    if (field == kKind && (!read_enum(bytes, RecordKind::act, &out->kind) || bytes[0] == 0)) return false;
    if (field == kAction) out->action = bytes;
  }
  return true;
}

}  // namespace ordain::detail
