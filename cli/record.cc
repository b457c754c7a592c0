#include "cli/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "cli/terminal.h"
#include "ordain/approvals.h"
#include "runtime/audit_record.h"
#include "runtime/redact.h"
#include "runtime/value_bytes.h"

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

// Attributes of who acts, encoded; "" if the event names none.
std::string context_of(const EventReader& reader) {
  std::vector<MapEntry> roots;
  for (std::string_view root : {"agent", "principal", "tenant", "environment", "session"}) {
    if (const Value* fact = reader.fact(root)) roots.push_back({Value::string(root), *fact});
  }
  std::string out;
  if (roots.empty()) return out;
  Arena arena;
  detail::append_value(out, Value::map_of(make_map(arena, roots)));
  return out;
}

std::optional<double> risk_of(const Value* risk) {
  if (risk == nullptr) return std::nullopt;
  if (risk->is(Kind::floating)) return risk->d;
  if (risk->is(Kind::integer)) return static_cast<double>(risk->i);
  if (risk->is(Kind::unsigned_integer)) return static_cast<double>(risk->u);
  constexpr std::array<std::string_view, 5> kNames = {"none", "low", "medium", "high", "critical"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (risk->is(Kind::string) && risk->as_text() == kNames[i]) return static_cast<double>(i);
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Recorder> Recorder::open(const Where& where, std::shared_ptr<const Program> program) {
  std::error_code made;
  if (std::filesystem::create_directories(where.directory, made)) {
    std::filesystem::permissions(where.directory, std::filesystem::perms::owner_all, made);
  }
  AuditOptions options{.durability = Durability::async, .queue_wait = std::chrono::seconds(60)};
  options.checkpoint_file = where.checkpoints;
  if (!where.key.empty()) {
    auto key = PrivateKey::load(where.key);
    if (!key) {
      complain(key.error().message);
      return nullptr;
    }
    options.key = *key;
  }
  auto writer = detail::AuditWriter::open(where.directory, options);
  if (!writer) {
    complain(writer.error().message);
    return nullptr;
  }
  auto out = std::make_unique<Recorder>();
  out->program_ = std::move(program);
  out->writer_ = std::move(*writer);
  out->session_ = Id128::random().hex();
  return out;
}

void Recorder::take_digests(const Decision& decision, std::string_view root, const Value* fact,
                            std::vector<detail::DraftRedacted>& out) const {
  if (fact == nullptr) return;
  std::vector<detail::FoundValue> found;
  for (const Obligation& obligation : decision.obligations) {
    if (obligation.kind == RuleKind::redact) detail::find_values(*fact, root, obligation.path, &found);
  }
  for (const detail::FoundValue& one : found) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const auto& had) { return had.path == one.path; });
    std::string bytes;
    detail::append_value(bytes, one.value);
    if (!known) out.push_back({one.path, digest_key_.digest(bytes)});
  }
}

bool Recorder::add(const EventReader& reader, const Decision& decision) {
  detail::RecordDraft draft;
  draft.kind = RecordKind::decision;
  draft.time_ns = reader.now().seconds * 1'000'000'000 + reader.now().nanos;
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
  if (decision.rule != kNone) draft.rule = program_->rules()[decision.rule].name;
  draft.reason = decision.reason;
  const std::string fault = fault_text(*program_, decision);
  draft.fault = fault;
  std::vector<detail::DraftObligation> obligations;
  for (const Obligation& obligation : decision.obligations) {
    obligations.push_back(
        {obligation.kind, program_->rules()[obligation.rule].name, obligation.path, obligation.reason});
  }
  draft.obligations = obligations;
  draft.program = &program_->digest();
  Arena arena;
  Value input, output;
  draft.input = redacted(arena, reader.fact("input"), "input", decision, &input);
  draft.output = redacted(arena, reader.fact("output"), "output", decision, &output);
  draft.resource = reader.fact("resource");
  draft.metadata = reader.fact("metadata");
  std::vector<detail::DraftRedacted> digests;
  take_digests(decision, "input", reader.fact("input"), digests);
  take_digests(decision, "output", reader.fact("output"), digests);
  draft.redacted = digests;
  if (!digests.empty()) draft.digest_key = &digest_key_id_;
  const std::string context = context_of(reader);
  draft.context = context;
  draft.attributes = reader.fact("action");
  draft.risk = risk_of(reader.fact("risk"));
  draft.rejected = reader.flaw();
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
