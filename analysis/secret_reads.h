// secret_reads says which predicates read fields that a capability declares `secret`: what is said about their parts
// must not show the constants that the fields are compared with.
#pragma once

#include <string>
#include <vector>

#include "vm/program/program_data.h"

namespace ordain::detail {

/// Returns the slots that the predicate reads or tests for presence; one may appear more than once.
std::vector<SlotId> slots_read(const ProgramData& data, uint32_t predicate);

/// Returns the path of a field whose value the predicate reads, and that is a secret of the capability or holds one; ""
/// if there is none. A test for presence reads no value. @param capability kNone for one that is not declared
std::string secret_read(const ProgramData& data, CapabilityId capability, uint32_t predicate);

}  // namespace ordain::detail
