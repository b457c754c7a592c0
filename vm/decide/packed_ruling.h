// PackedRuling is what one native function answers for all rules of a capability.
#pragma once

#include <cstdint>

#include "ordain/program.h"

namespace ordain::vm {

/// The native answer of all rules, packed so that a register can return it.
struct PackedRuling {
  RuleId rule;
  uint32_t text;  ///< the reason, a constant; kNone: the rule's name
  bool denies;    ///< otherwise it allows

  uint64_t packed() const { return uint64_t{denies} << 63 | ((uint64_t{text} + 1) & 0x7FFFFFFF) << 32 | rule; }
  static PackedRuling unpack(uint64_t packed) {
    return {static_cast<RuleId>(packed), static_cast<uint32_t>(packed >> 32 & 0x7FFFFFFF) - 1, packed >> 63 != 0};
  }
};

}  // namespace ordain::vm
