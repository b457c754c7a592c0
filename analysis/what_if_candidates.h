// Values that may change a decision: the constants beside which a condition reads a field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/what_if_numbers.h"
#include "ordain/what_if.h"
#include "vm/program/program_data.h"

namespace ordain::detail {

/// A field with a value that might change what a condition comes to.
struct Candidate {
  FieldChange change;
  bool numeric = false;  ///< the value to set is the number at `position` of `scale`
  Scale scale = Scale::integers;
  int64_t position = 0;
};

/// Appends what the predicate's code suggests. @param event the event, as a map
void add_candidates(const ProgramData& data, uint32_t predicate, const Value& event, std::vector<Candidate>& out);

/// The value at a dotted path of an event; nullptr if there is none. A string stands for its `id`.
const Value* find_value(const Value& event, std::string_view path);

}  // namespace ordain::detail
