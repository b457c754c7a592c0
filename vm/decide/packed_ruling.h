// PackedRuling: what one native function answers for all rules about a capability.
#pragma once

#include <cstdint>

#include "ordain/program.h"

namespace ordain::vm {

/// What native code answers for all rules, packed so that it comes in a register.
struct PackedRuling {
  RuleId rule;
  uint32_t text;  ///< the reason, a constant; kNone: the rule's name
  bool denies;    ///< else it allows

  uint64_t packed() const { return uint64_t{denies} << 63 | ((uint64_t{text} + 1) & 0x7FFFFFFF) << 32 | rule; }
  static PackedRuling unpack(uint64_t packed) {
    return {static_cast<RuleId>(packed), static_cast<uint32_t>(packed >> 32 & 0x7FFFFFFF) - 1, packed >> 63 != 0};
  }
};

}  // namespace ordain::vm
