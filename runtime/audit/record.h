// audit_record defines a record as it is written, its canonical encoding, and the hash that chains
// it to the record before.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/audit.h"
#include "runtime/keys/sha256.h"

namespace ordain::detail {

struct DraftObligation {
  RuleKind kind;
  std::string_view rule, path, reason;
  Value with = {};  ///< what a redaction shows
};

/// Takes the place of a value that was redacted.
struct DraftRedacted {
  std::string path;
  Digest digest;
};

/// A person who approved the call, or who made the grant that lets it run.
struct DraftApprover {
  std::string_view group, name;
  std::string key;  ///< "name+id" of the key that signed it; "" without one
};

/// A record about to be written: views of the caller's memory. Empty texts, nullptr and zero are
/// not written.
struct RecordDraft {
  RecordKind kind = RecordKind::denied;
  int64_t time_ns = 0;
  Id128 action;
  std::string_view trace, parent, session, capability, agent, principal, tenant, environment;
  bool decided = false;  ///< stage, effect and code are set
  Stage stage = Stage::before;
  Effect effect = Effect::deny;
  bool observed = false;
  DecisionCode code = DecisionCode::default_effect;
  std::string_view cause, rule, reason, fault;
  std::span<const DraftObligation> obligations;
  std::string_view approval;
  OutcomeStatus status = OutcomeStatus::none;
  std::string_view error;
  int64_t elapsed_ns = 0;
  const Digest* program = nullptr;
  const Value* input = nullptr;
  const Value* output = nullptr;
  const Value* resource = nullptr;
  const Value* metadata = nullptr;
  std::span<const Id128> lost;
  std::span<const DraftRedacted> redacted;
  const std::array<uint8_t, 8>* digest_key = nullptr;  ///< of `redacted`; nullptr without a key
  std::string_view context;                            ///< of the caller's identity, encoded
  std::string_view type, target, description;
  std::optional<double> risk;
  std::string_view rejected;
  const Value* attributes = nullptr;  ///< of the action, if an event gave them as a whole
  std::string_view grant;
  std::string_view policy, policy_version;  ///< of the rule, if its policy declares a version
  std::string_view remote;
  std::span<const DraftApprover> approvers;
  std::span<const AskingRule> asking;  ///< what the rules that require approval need
  const Value* state = nullptr;        ///< what was read and changed of the state
};

/// Sets the policy of a rule in the draft, if that policy declares a version.
inline void note_policy(const Program& program, RuleId rule, RecordDraft& draft) {
  draft.policy_version = program.policy_version(rule);
  draft.policy = draft.policy_version.empty() ? std::string_view() : program.rules()[rule].policy;
}

/// Writes the encoding of `draft` to the front of `buffer`, which grows when it is too small and
/// never shrinks. A tree that is too deep to encode (its call was denied) is left out. @returns the
/// encoding, a view of `buffer`.
std::string_view encode_record(const RecordDraft& draft, std::string& buffer);

/// Fills every part of `*record` that the body holds. Accepts any bytes safely. @returns false if
/// they are not a record.
bool decode_record(std::string_view body, AuditRecord* record);

/// What a record's hash covers besides the previous hash: the record's place and its body.
struct RecordPlace {
  uint64_t id = 0;
  Id128 chain;
  uint64_t sequence = 0;
};
Sha256::Hash chain_hash(Sha256& hasher, const Sha256::Hash& previous, const RecordPlace& place, std::string_view body);

}  // namespace ordain::detail
