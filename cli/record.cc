#include "cli/record.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/terminal.h"
#include "ordain/approvals.h"
#include "runtime/audit_record.h"
#include "runtime/redact.h"

namespace ordain::cli {
namespace {

std::string fault_text(const Program& program, const Decision& decision) {
  if (!decision.fault) return "";
  std::string out = fault_message(decision.fault);
  if (decision.fault.location != kNone) {
    const Location& at = program.locations()[decision.fault.location];
    out += fmt::format(" at {}:{}:{}", program.files()[at.file], at.line, at.column);
  }
  return out;
}

std::string_view text_of(const Value* value) {
  if (value == nullptr) return "";
  if (value->is(Kind::string)) return value->as_text();
  const Value* id = value->is(Kind::map) ? map_find(*value->map, "id") : nullptr;
  return id != nullptr && id->is(Kind::string) ? id->as_text() : "";
}

// The fact as it may be kept: after the decision's `redact` obligations. nullptr if there is none, or it cannot be
// redacted.
const Value* redacted(Arena& arena, const Value* fact, std::string_view root, const Decision& decision, Value* kept) {
  if (fact == nullptr) return nullptr;
  *kept = *fact;
  for (const Obligation& obligation : decision.obligations) {
    if (obligation.kind != RuleKind::redact || obligation.path.rfind(root, 0) != 0) continue;
    if (!detail::redact(arena, *kept, root, obligation.path, obligation.with, kept)) return nullptr;
  }
  return kept;
}

}  // namespace

std::unique_ptr<Recorder> Recorder::open(const std::string& directory) {
  std::error_code made;
  if (std::filesystem::create_directories(directory, made)) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, made);
  }
  auto writer = detail::AuditWriter::open(
      directory, AuditOptions{.durability = Durability::async, .queue_wait = std::chrono::seconds(60)});
  if (!writer) {
    complain(writer.error().message);
    return nullptr;
  }
  auto out = std::make_unique<Recorder>();
  out->writer_ = std::move(*writer);
  out->session_ = Id128::random().hex();
  return out;
}

bool Recorder::add(const EventReader& reader, const Decision& decision) {
  const Program& program = reader.call().program();
  detail::RecordDraft draft;
  draft.kind = RecordKind::decision;
  draft.time_ns = system_time_ns();
  draft.action = Id128::random();
  draft.session = session_;
  draft.capability = reader.capability();
  draft.agent = text_of(reader.fact("agent"));
  draft.principal = text_of(reader.fact("principal"));
  draft.tenant = text_of(reader.fact("tenant"));
  draft.environment = text_of(reader.fact("environment"));
  draft.decided = true;
  draft.stage = reader.call().stage();
  draft.effect = decision.effect;
  draft.code = decision.code;
  if (decision.rule != kNone) draft.rule = program.rules()[decision.rule].name;
  draft.reason = decision.reason;
  const std::string fault = fault_text(program, decision);
  draft.fault = fault;
  std::vector<detail::DraftObligation> obligations;
  for (const Obligation& obligation : decision.obligations) {
    obligations.push_back({obligation.kind, program.rules()[obligation.rule].name, obligation.path, obligation.reason});
  }
  draft.obligations = obligations;
  draft.program = &program.digest();
  Arena arena;
  Value input, output;
  draft.input = redacted(arena, reader.fact("input"), "input", decision, &input);
  draft.output = redacted(arena, reader.fact("output"), "output", decision, &output);
  draft.resource = reader.fact("resource");
  draft.metadata = reader.fact("metadata");
  detail::encode_record(draft, body_);
  if (writer_->append(body_, draft.action, detail::RecordRole::single, nullptr) == detail::Admission::taken)
    return true;
  complain("the audit log takes no more records: " + writer_->health().error);
  return false;
}

bool Recorder::close() {
  if (writer_->flush()) return true;
  complain("the audit log could not be written: " + writer_->health().error);
  return false;
}

}  // namespace ordain::cli
