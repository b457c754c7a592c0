// audit_json writes a record as one line of JSON, for people and scripts. Keys come in a fixed
// order.
#include <fmt/format.h>

#include "ordain/audit.h"
#include "ordain/time_text.h"
#include "runtime/audit/json_line.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

std::string effect_name(const AuditRecord& record) {
  std::string name(to_string(record.effect));
  return record.observed && record.effect != Effect::allow ? "would_" + name : name;
}

void add_obligations(JsonLine& line, const AuditRecord& record) {
  if (record.obligations.empty()) return;
  std::string list = "[";
  for (const auto& obligation : record.obligations) {
    JsonLine item;
    item.text("kind", to_string(obligation.kind)).text("rule", obligation.rule);
    item.optional_text("path", obligation.path).optional_text("reason", obligation.reason);
    if (obligation.has_with) item.raw("with", obligation.with.json());
    if (list.size() > 1) list += ',';
    list += item.done();
  }
  line.raw("obligations", list + "]");
}

void add_redacted(JsonLine& line, const AuditRecord& record) {
  if (record.redacted.empty()) return;
  std::string list = "[";
  for (const auto& redacted : record.redacted) {
    if (list.size() > 1) list += ',';
    list += JsonLine().text("path", redacted.path).text("digest", redacted.digest).done();
  }
  line.raw("redacted", list + "]").text("digest_key", record.digest_key);
}

void add_approvers(JsonLine& line, const AuditRecord& record) {
  if (record.approvers.empty()) return;
  std::string list = "[";
  for (const auto& approver : record.approvers) {
    if (list.size() > 1) list += ',';
    JsonLine item;
    item.text("name", approver.name).optional_text("group", approver.group).optional_text("key", approver.key);
    list += item.done();
  }
  line.raw("approvers", list + "]");
}

}  // namespace

std::string to_json(const AuditRecord& record) {
  JsonLine line;
  if (record.id != 0) {  // a record given to a sink has no place in a log
    line.raw("id", std::to_string(record.id)).text("chain", record.chain);
    line.raw("sequence", std::to_string(record.sequence)).text("hash", record.hash);
  }
  line.text("kind", to_string(record.kind)).text("time", format_time(record.time_ns));
  line.optional_text("action", record.action)
      .optional_text("trace", record.trace)
      .optional_text("parent", record.parent);
  line.optional_text("session", record.session)
      .optional_text("capability", record.capability)
      .optional_text("agent", record.agent);
  line.optional_text("principal", record.principal)
      .optional_text("tenant", record.tenant)
      .optional_text("environment", record.environment);
  if (record.decided) {
    line.text("stage", to_string(record.stage))
        .text("effect", effect_name(record))
        .text("code", to_string(record.code));
  }
  if (record.observed) line.raw("observed", "true");
  line.optional_text("cause", record.cause)
      .optional_text("rule", record.rule)
      .optional_text("reason", record.reason)
      .optional_text("fault", record.fault);
  add_obligations(line, record);
  line.optional_text("approval", record.approval);
  if (record.status != OutcomeStatus::none) line.text("status", to_string(record.status));
  line.optional_text("error", record.error);
  if (record.elapsed_ns != 0) line.raw("elapsed_ns", std::to_string(record.elapsed_ns));
  line.optional_text("program", record.program);
  if (record.has_input) line.raw("input", record.input.json());
  if (record.has_output) line.raw("output", record.output.json());
  if (!record.resource.root().is(Kind::null)) line.raw("resource", record.resource.json());
  if (!record.metadata.root().is(Kind::null)) line.raw("metadata", record.metadata.json());
  if (!record.lost.empty()) line.texts("lost", record.lost);
  add_redacted(line, record);
  if (!record.context.root().is(Kind::null)) line.raw("context", record.context.json());
  line.optional_text("type", record.type)
      .optional_text("target", record.target)
      .optional_text("description", record.description);
  if (record.risk) line.raw("risk", to_json(Value::floating(*record.risk)));
  line.optional_text("rejected", record.rejected);
  if (!record.attributes.root().is(Kind::null)) line.raw("attributes", record.attributes.json());
  line.optional_text("grant", record.grant);
  line.optional_text("policy", record.policy)
      .optional_text("policy_version", record.policy_version)
      .optional_text("remote", record.remote);
  add_approvers(line, record);
  if (!record.asking.empty()) line.raw("approvals", asking_json(record.asking));
  if (!record.state.root().is(Kind::null)) line.raw("state", record.state.json());
  return line.done();
}

}  // namespace ordain
