// audit_fields: the numbers of a record's fields, as docs/audit.md lists them. Append only.
#pragma once

#include <cstdint>

namespace ordain::detail {

inline constexpr char kRecordVersion = 2;

enum Field : uint8_t {
  kKind = 1,
  kTime,
  kAction,
  kTrace,
  kParent,
  kSession,
  kCapability,
  kAgent,
  kPrincipal,
  kTenant,
  kEnvironment,
  kStage,
  kEffect,
  kObserved,
  kCode,
  kCause,
  kRule,
  kReason,
  kFault,
  kObligation,
  kApproval,
  kStatus,
  kError,
  kElapsed,
  kProgram,
  kInput,
  kOutput,
  kResource,
  kMetadata,
  kLost,
  kRedacted,
  kDigestKey,
  kContext,
  kType,
  kTarget,
  kDescription,
  kRisk,
  kRejected,
  kAttributes,
  kGrant,
};

}  // namespace ordain::detail
