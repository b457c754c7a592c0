// The C interface to what a runtime keeps: approvals, the record, its health and its counters.
#include <cstdint>
#include <string>
#include <utility>

#include "embed/c_runtime.h"
#include "ordain/digest.h"
#include "ordain/time_text.h"
#include "runtime/audit/json_line.h"

using ordain::Approval;
using ordain::AuditFilter;
using ordain::AuditLog;
using ordain::AuditRecord;
using ordain::c_api::check_struct;
using ordain::c_api::checked;
using ordain::c_api::checked_handle;
using ordain::c_api::clear_result;
using ordain::c_api::Failure;
using ordain::c_api::guarded;
using ordain::c_api::HostObject;
using ordain::c_api::set_result;
using ordain::c_api::text_of;
using ordain::detail::JsonLine;

namespace {

const char* given_text(const char* text, const char* name) {
  if (text == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, std::string(name) + " is NULL"};
  return text;
}

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

const char* flag(bool value) { return value ? "true" : "false"; }

AuditLog open_log(const ordain_runtime& runtime) {
  if (runtime.database.empty()) ordain::c_api::refuse({"no_database", "this runtime keeps no record"});
  return checked(AuditLog::open(runtime.database));
}

std::optional<int64_t> take_time(HostObject& object, std::string_view name) {
  const std::string text = object.take_text(name);
  if (text.empty()) return std::nullopt;
  ordain::TimeParts parts;
  if (!ordain::parse_timestamp(text, &parts) || !ordain::duration_in_range(parts.seconds, parts.nanos)) {
    object.refuse(name, "must be a time such as 2026-01-31T12:00:00Z");
  }
  return ordain::duration_nanos(parts.seconds, parts.nanos);
}

struct WantedRecords {
  AuditFilter filter;
  uint64_t first = 1;
  uint64_t limit = 1000;
};

WantedRecords take_wanted(HostObject& object) {
  WantedRecords out;
  AuditFilter& filter = out.filter;
  filter.agent = object.take_text("agent");
  filter.principal = object.take_text("principal");
  filter.tenant = object.take_text("tenant");
  filter.capability = object.take_text("capability");
  filter.session = object.take_text("session");
  filter.action = object.take_text("action");
  filter.rule = object.take_text("rule");
  using ordain::RecordKind;
  constexpr RecordKind kKinds[] = {RecordKind::denied,  RecordKind::pending, RecordKind::intent,
                                   RecordKind::outcome, RecordKind::lost,    RecordKind::decision};
  std::vector<std::string_view> kinds;
  for (RecordKind kind : kKinds) kinds.push_back(to_string(kind));
  if (const size_t at = object.take_choice("kind", kinds, SIZE_MAX); at != SIZE_MAX) filter.kind = kKinds[at];
  using ordain::Effect;
  constexpr Effect kEffects[] = {Effect::deny, Effect::require_approval, Effect::allow};
  const size_t effect = object.take_choice("effect", {"deny", "require_approval", "allow"}, SIZE_MAX);
  if (effect != SIZE_MAX) filter.effect = kEffects[effect];
  filter.from_ns = take_time(object, "from");
  filter.to_ns = take_time(object, "to");
  const int64_t first = object.take_number("first").value_or(1);
  const int64_t limit = object.take_number("limit").value_or(1000);
  if (first < 1) object.refuse("first", "must be at least 1");
  if (limit < 1) object.refuse("limit", "must be at least 1");
  out.first = static_cast<uint64_t>(first);
  out.limit = static_cast<uint64_t>(limit);
  return out;
}

}  // namespace

ordain_status ordain_approvals_list(ordain_runtime* runtime, const char* state, ordain_bytes* approvals,
                                    ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(approvals, "approvals");
    const ordain_runtime& on = checked_handle(runtime);
    std::optional<ordain::ApprovalState> wanted;
    if (state != nullptr) {
      wanted = ordain::parse_approval_state(state);
      if (!wanted) throw Failure{ORDAIN_INVALID_ARGUMENT, "state is not a state of approvals"};
    }
    std::string out = "[";
    for (const Approval& one : checked(on.runtime.approvals().list(wanted, on.runtime.now_ns()))) {
      if (out.size() > 1) out += ',';
      out += to_json(one);
    }
    set_result(approvals, out + "]");
  });
}

ordain_status ordain_approvals_show(ordain_runtime* runtime, const char* id, ordain_bytes* approval,
                                    ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(approval, "approval");
    const ordain_runtime& on = checked_handle(runtime);
    set_result(approval, to_json(checked(on.runtime.approvals().show(given_text(id, "id"), on.runtime.now_ns()))));
  });
}

ordain_status ordain_approvals_vote(ordain_runtime* runtime, const ordain_vote* vote, ordain_bytes* approval,
                                    ordain_error* error) noexcept {
  return guarded(error, [&] {
    if (approval != nullptr) clear_result(approval, "approval");
    const ordain_runtime& on = checked_handle(runtime);
    check_struct(vote, "vote");
    if (vote->verdict != ORDAIN_REJECT && vote->verdict != ORDAIN_APPROVE) {
      throw Failure{ORDAIN_INVALID_ARGUMENT, "vote->verdict is not a verdict"};
    }
    const std::string id = given_text(vote->id, "vote->id"), approver = given_text(vote->approver, "vote->approver");
    const std::string group = text_or_empty(vote->group), note = text_or_empty(vote->note);
    ordain::ApprovalStore& store = on.runtime.approvals();
    const int64_t now = on.runtime.now_ns();
    const Approval after = checked(vote->verdict == ORDAIN_APPROVE ? store.approve(id, approver, group, note, now)
                                                                   : store.reject(id, approver, group, note, now));
    if (approval != nullptr) set_result(approval, to_json(after));
  });
}

ordain_status ordain_audit_query(ordain_runtime* runtime, const char* filter, size_t length, ordain_bytes* lines,
                                 ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(lines, "lines");
    const ordain_runtime& on = checked_handle(runtime);
    HostObject object("filter", text_of(given_text(filter, "filter"), length));
    const WantedRecords wanted = take_wanted(object);
    object.finish();
    std::string out;
    uint64_t found = 0;
    const AuditLog log = open_log(on);
    const auto read = log.for_each(wanted.first, [&](const AuditRecord& record) {
      if (!wanted.filter.matches(record)) return true;
      out += to_json(record);
      out += '\n';
      return ++found < wanted.limit;
    });
    if (!read.ok()) ordain::c_api::refuse(read.error());
    set_result(lines, out);
  });
}

ordain_status ordain_audit_verify(ordain_runtime* runtime, ordain_bytes* result, ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(result, "result");
    const ordain::AuditVerification found = checked(open_log(checked_handle(runtime)).verify());
    JsonLine line;
    line.raw("ok", flag(found.ok)).raw("records", std::to_string(found.records));
    line.raw("chains", std::to_string(found.chains)).raw("checkpoints", std::to_string(found.checkpoints));
    line.raw("bad_record", std::to_string(found.bad_record)).text("problem", found.problem);
    set_result(result, line.done());
  });
}

ordain_status ordain_runtime_flush(ordain_runtime* runtime, ordain_error* error) noexcept {
  return guarded(error, [&] {
    if (auto flushed = checked_handle(runtime).runtime.flush(); !flushed.ok()) {
      ordain::c_api::refuse(flushed.error());
    }
  });
}

ordain_status ordain_runtime_health(ordain_runtime* runtime, ordain_bytes* health, ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(health, "health");
    const ordain_runtime& on = checked_handle(runtime);
    const ordain::RuntimeHealth now = on.runtime.health();
    JsonLine line;
    line.raw("audit_available", flag(now.audit_available)).text("audit_error", now.audit_error);
    line.raw("records_written", std::to_string(now.records_written));
    line.raw("records_lost", std::to_string(now.records_lost)).raw("queue_depth", std::to_string(now.queue_depth));
    line.text("checkpoint_error", now.checkpoint_error);
    line.text("program", ordain::to_hex(on.runtime.program()->digest()));
    set_result(health, line.done());
  });
}

ordain_status ordain_runtime_metrics(ordain_runtime* runtime, ordain_bytes* text, ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(text, "text");
    const ordain_runtime& on = checked_handle(runtime);
    set_result(text, on.metrics->text(on.runtime.health()));
  });
}
