// audit_view gives the fields of a record where they lie in its body, for callers that read many
// records: it copies and converts nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ordain/audit.h"

namespace ordain::detail {

struct ObligationView {
  RuleKind kind = RuleKind::warn;
  std::string_view rule, path;
  std::string_view reason;  ///< of a warning
  std::string_view with;    ///< what a redaction shows, encoded; empty if the record does not say
};

/// What one rule that requires approval asks for.
struct AskingView {
  std::string_view rule;
  uint32_t need = 0;
  bool distinct = true;
  int64_t expires_seconds = 0;
  std::string_view groups;  ///< texts, each with its size (take_sized)
};

/// Views of a body. Texts that do not apply are empty, and so are values, which stay encoded
/// (take_value).
struct RecordView {
  RecordKind kind = RecordKind::denied;
  int64_t time_ns = 0;
  std::string_view action;  ///< 16 bytes; empty for `lost`
  std::string_view trace, parent, session, capability, agent, principal, tenant, environment;
  bool decided = false;
  Stage stage = Stage::before;
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  bool observed = false;
  std::string_view cause, rule, reason, approval;
  std::vector<ObligationView> obligations;
  OutcomeStatus status = OutcomeStatus::none;
  std::string_view error;
  int64_t elapsed_ns = 0;
  std::string_view program;  ///< 32 bytes, or empty
  std::string_view input, output, resource, metadata, context, attributes;
  std::vector<std::string_view> redacted;  ///< paths
  std::string_view type, target, description, rejected;
  std::optional<double> risk;
  std::vector<std::string_view> approvers;  ///< the group of each
  std::vector<AskingView> asking;
  std::string_view state;  ///< what was read and changed of the state, encoded
};

/// Replaces `*out`. Accepts any bytes safely; texts are not checked to be UTF-8. @returns false if
/// the bytes are not a record.
bool view_record(std::string_view body, RecordView* out);

/// What a reader of the whole log must know about each record, read from the first bytes of its
/// body alone.
struct RecordHead {
  RecordKind kind = RecordKind::denied;
  std::string_view action;  ///< 16 bytes, or empty
};
bool view_head(std::string_view body, RecordHead* out);

}  // namespace ordain::detail
