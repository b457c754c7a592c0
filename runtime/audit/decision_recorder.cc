// DecisionRecorder writes decisions to the audit log for hosts that decide without a Runtime. It
// applies the decision's `redact` obligations before anything is recorded.
#include "ordain/decision_recorder.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "runtime/audit/record.h"
#include "runtime/audit/secrets.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/audit/writer.h"
#include "runtime/identity/identity_fields.h"
#include "runtime/identity/text.h"
#include "vm/json/redact.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

std::string_view id_of(const Value* value) {
  if (value != nullptr && value->is(Kind::map)) value = map_find(*value->map, "id");
  return value != nullptr && value->is(Kind::string) ? value->as_text() : std::string_view();
}

// Whether the decision names rules or places that the program does not have.
bool is_of_another_program(const Program& program, const Decision& decision) {
  const auto unknown = [&](RuleId rule) { return rule != kNone && rule >= program.rules().size(); };
  return unknown(decision.rule) ||
         (decision.fault.location != kNone && decision.fault.location >= program.locations().size()) ||
         std::any_of(decision.obligations.begin(), decision.obligations.end(),
                     [&](const Obligation& obligation) { return obligation.rule >= program.rules().size(); }) ||
         std::any_of(decision.approvals.begin(), decision.approvals.end(),
                     [&](const ApprovalNeed& need) { return need.rule >= program.rules().size(); });
}

std::vector<AskingRule> asking_rules(const Program& program, const Decision& decision) {
  std::vector<AskingRule> out;
  for (const ApprovalNeed& need : decision.approvals) {
    out.push_back({program.rules()[need.rule].name,
                   {need.from.begin(), need.from.end()},
                   need.need,
                   need.distinct,
                   need.expires_seconds});
  }
  return out;
}

// @returns the fact after the decision's `redact` obligations, as it may be recorded; nullptr if
// the fact is absent or cannot be redacted. `*kept` holds the fact without its secrets.
const Value* redact_fact(Arena& arena, const Value* fact, std::string_view root, const Decision& decision,
                         Value* kept) {
  if (fact == nullptr) return nullptr;
  for (const Obligation& obligation : decision.obligations) {
    if (obligation.kind != RuleKind::redact || obligation.path.rfind(root, 0) != 0) continue;
    if (!fits_redaction(*fact, root, obligation.path)) return nullptr;
    if (!detail::redact(arena, *kept, root, obligation.path, obligation.with, kept)) return nullptr;
  }
  return kept;
}

// @param found the secrets of the fact; what the decision redacts besides is appended
void take_digests(const DigestKey& key, const Decision& decision, std::string_view root, const Value* fact,
                  std::vector<FoundValue> found, std::vector<DraftRedacted>& out) {
  if (fact == nullptr) return;
  for (const Obligation& obligation : decision.obligations) {
    if (obligation.kind == RuleKind::redact) find_values(*fact, root, obligation.path, &found);
  }
  for (const FoundValue& one : found) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const auto& had) { return had.path == one.path; });
    std::string bytes;
    append_value(bytes, one.value);
    if (!known) out.push_back({one.path, key.digest(bytes)});
  }
}

// @returns the encoded attributes of the caller's identity; "" without any
std::string context_of(const DecidedFacts& facts) {
  std::vector<MapEntry> roots;
  for (size_t i = 0; i < facts.who.size(); ++i) {
    if (facts.who[i] != nullptr) roots.push_back({Value::string(kIdentityFields[i].root), *facts.who[i]});
  }
  std::string out;
  if (roots.empty()) return out;
  Arena arena;
  append_value(out, Value::map_of(make_map(arena, roots)));
  return out;
}

}  // namespace

struct DecisionRecorder::Impl {
  Impl(OwnedWriter to, const AuditOptions& options, DigestKey secrets)
      : writer(std::move(to)),
        digest_key(options.digest_key ? *options.digest_key : DigestKey::generate()),
        secret_key(std::move(secrets)) {}

  OwnedWriter writer;
  const std::string session = Id128::random().hex();  // groups the records of this recorder
  const DigestKey digest_key;
  const std::array<uint8_t, 8> digest_key_id = digest_key.id();
  const DigestKey secret_key;
  std::string buffer;

  void note_facts(const DecidedFacts& facts, RecordDraft& draft) const {
    draft.time_ns = facts.time_ns;
    draft.session = session;
    draft.capability = facts.capability;
    draft.agent = id_of(facts.who[0]);
    draft.principal = id_of(facts.who[1]);
    draft.tenant = id_of(facts.who[2]);
    draft.environment = id_of(facts.who[3]);
    draft.stage = facts.stage;
    draft.resource = facts.resource;
    draft.metadata = facts.metadata;
    draft.attributes = facts.action;
    draft.risk = facts.risk;
    draft.rejected = facts.rejected;
  }

  static void note_decision(const Program& program, const Decision& decision, RecordDraft& draft) {
    draft.decided = true;
    draft.effect = decision.effect;
    draft.code = decision.code;
    if (decision.rule != kNone) draft.rule = program.rules()[decision.rule].name;
    note_policy(program, decision.rule, draft);
    draft.reason = decision.reason;
    draft.program = &program.digest();
  }
};

DecisionRecorder::DecisionRecorder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DecisionRecorder::~DecisionRecorder() = default;

Result<std::unique_ptr<DecisionRecorder>> DecisionRecorder::open(const std::string& directory,
                                                                 const AuditOptions& options) {
  std::error_code made;
  if (std::filesystem::create_directories(directory, made)) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, made);
  }
  auto writer = AuditWriter::open(directory, options);
  if (!writer) return writer.error();
  auto secrets = open_secret_key(directory);
  if (!secrets) return secrets.error();
  auto impl = std::make_unique<Impl>(std::move(*writer), options, std::move(*secrets));
  return std::unique_ptr<DecisionRecorder>(new DecisionRecorder(std::move(impl)));
}

Result<void> DecisionRecorder::add(const Program& program, const DecidedFacts& facts, const Decision& decision) {
  if (is_of_another_program(program, decision)) {
    return Error{"invalid_decision", "the decision is of another program"};
  }
  Impl& self = *impl_;
  RecordDraft draft;
  draft.kind = RecordKind::decision;
  draft.action = Id128::random();
  self.note_facts(facts, draft);
  Impl::note_decision(program, decision, draft);
  const std::string fault = fault_text(program, decision.fault);
  draft.fault = fault;
  std::vector<DraftObligation> obligations;
  for (const Obligation& obligation : decision.obligations) {
    obligations.push_back(
        {obligation.kind, program.rules()[obligation.rule].name, obligation.path, obligation.reason, obligation.with});
  }
  draft.obligations = obligations;
  const std::vector<AskingRule> asking = asking_rules(program, decision);
  draft.asking = asking;
  Arena arena;
  const auto& secrets = secrets_of(program.schema(), program.resolve(facts.capability).id);
  std::vector<FoundValue> input_secrets, output_secrets;
  Value input, output;
  if (facts.input != nullptr) {
    input = conceal_secrets(arena, *facts.input, "input", secrets, self.secret_key, &input_secrets);
  }
  if (facts.output != nullptr) {
    output = conceal_secrets(arena, *facts.output, "output", secrets, self.secret_key, &output_secrets);
  }
  draft.input = redact_fact(arena, facts.input, "input", decision, &input);
  draft.output = redact_fact(arena, facts.output, "output", decision, &output);
  std::vector<DraftRedacted> digests;
  take_digests(self.digest_key, decision, "input", facts.input, std::move(input_secrets), digests);
  take_digests(self.digest_key, decision, "output", facts.output, std::move(output_secrets), digests);
  draft.redacted = digests;
  if (!digests.empty()) draft.digest_key = &self.digest_key_id;
  const std::string context = context_of(facts);
  draft.context = context;
  const std::string_view body = encode_record(draft, self.buffer);
  const Admission admission = self.writer->append(body, draft.action, RecordRole::single, nullptr);
  if (admission == Admission::taken) return {};
  return Error{"audit_unavailable", "the audit log takes no more records: " + self.writer->health().error};
}

Result<void> DecisionRecorder::flush() {
  if (impl_->writer->flush()) return {};
  return Error{"audit_unavailable", "the audit log could not be written: " + impl_->writer->health().error};
}

}  // namespace ordain
