// Values that may change a decision: the constants beside which a condition reads a field.
#pragma once

#include <string>
#include <vector>

#include "ordain/what_if.h"
#include "vm/program/program_data.h"

namespace ordain::detail {

/// A field with a value that might change what a condition comes to.
struct Candidate {
  FieldChange change;
  bool numeric = false;  ///< `number` is the value to set
  double number = 0;
  double constant = 0;  ///< numeric: the constant of the policies that it is or lies beside
  double step = 0;  ///< numeric: 1 for integers; 0 for doubles, whose neighbours are one unit in the last place away
};

/// Appends what the predicate's code suggests. @param event the event, as a map
void add_candidates(const ProgramData& data, uint32_t predicate, const Value& event, std::vector<Candidate>& out);

/// The value at a dotted path of an event; nullptr if there is none. A string stands for its `id`.
const Value* find_value(const Value& event, std::string_view path);

/// The next number in the direction of `towards`.
double neighbour(const Candidate& candidate, double number, double towards);
std::string number_json(const Candidate& candidate, double number);

}  // namespace ordain::detail
