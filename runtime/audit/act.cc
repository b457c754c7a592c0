// act.cc encodes acts, and waits for their commit.
#include "runtime/audit/act.h"

#include "runtime/audit/record.h"

namespace ordain::detail {

std::string_view encode_act(const Act& act, const Id128& id, std::string& buffer) {
  RecordDraft draft;
  draft.kind = RecordKind::act;
  draft.time_ns = act.time_ns;
  draft.action = id;
  draft.capability = act.capability;
  draft.agent = act.agent;
  draft.principal = act.by;
  draft.reason = act.because;
  draft.type = act.what;
  draft.target = act.target;
  draft.description = act.description;
  return encode_record(draft, buffer);
}

Result<void> record_act(AuditWriter& writer, const Act& act) {
  const Id128 id = Id128::random();
  std::string buffer;
  Ticket ticket;
  const std::string_view body = encode_act(act, id, buffer);
  const bool taken = writer.append(body, id, RecordRole::single, &ticket) == Admission::taken;
  if (taken && writer.wait(ticket) == Written::yes) return {};
  return Error{"audit_unavailable", "the audit log cannot be written: " + writer.health().error};
}

Result<void> record_act(const std::string& directory, const Act& act) {
  auto writer = AuditWriter::open(directory, AuditOptions());
  if (!writer.ok()) return writer.error();
  return record_act(**writer, act);
}

}  // namespace ordain::detail
