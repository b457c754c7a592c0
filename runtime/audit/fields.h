// audit_fields lists the numbers of a record's fields as in docs/audit.md (append only), and reads
// the fields of fixed size.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/audit/value_bytes.h"

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
  kPolicy,
  kPolicyVersion,
  kRemote,
  kApprover,
  kAsking,
  kShown,
  kState,
  kLastField = kState,
};

/// Reads a field of fixed size. @returns false if the size differs, or if an enumeration's value is
/// past `last`.
inline bool read_number(std::string_view bytes, int64_t* out) {
  uint64_t value = 0;
  if (bytes.size() != 8 || !take_u64(bytes, &value)) return false;
  *out = static_cast<int64_t>(value);
  return true;
}

template <typename E>
bool read_enum(std::string_view bytes, E last, E* out) {
  if (bytes.size() != 1 || static_cast<uint8_t>(bytes[0]) > static_cast<uint8_t>(last)) return false;
  *out = static_cast<E>(bytes[0]);
  return true;
}

inline bool read_risk(std::string_view bytes, std::optional<double>* out) {
  int64_t bits = 0;
  if (!read_number(bytes, &bits)) return false;
  *out = std::bit_cast<double>(bits);
  return true;
}

/// Calls `visit(field, bytes)` for each field of a record's body until it returns false. Tags
/// ascend; only some of them may repeat.
/// @returns false if the bytes are not a valid body, or if `visit` returned false
template <typename Visit>
bool read_fields(std::string_view body, const Visit& visit) {
  if (body.empty() || body.front() != kRecordVersion) return false;
  body.remove_prefix(1);
  uint8_t last = 0;
  while (!body.empty()) {
    const auto field = static_cast<uint8_t>(body.front());
    body.remove_prefix(1);
    std::string_view bytes;
    const bool repeats = field == kObligation || field == kLost || field == kRedacted || field == kApprover ||
                         field == kAsking || field == kShown;
    if (field < last || (field == last && !repeats) || !take_sized(body, &bytes)) return false;
    last = field;
    if (!visit(field, bytes)) return false;
  }
  return last >= kTime;
}

}  // namespace ordain::detail
