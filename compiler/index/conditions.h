// alternatives finds what a condition requires of single slots: the tests that show that a rule
// does not apply.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "vm/program/program_data.h"

namespace ordain::indexing {

/// The key of an edge: a string (symbol, member), an order_key (number), 0 or 1 (present), a literal (text), the bytes
/// of an address and a cidr's Value::aux (network).
struct Key {
  std::string text;
  uint64_t number = 0;
  IndexLiteral::Where where = IndexLiteral::anywhere;
  bool ignore_case = false;
  auto operator<=>(const Key&) const = default;
};

/// The range of a network's key, as a view of the key.
Value range_of(const Key& key);

/// A condition on one slot that a look-up can answer. If the slot is present and the atom does not
/// hold, the conjunct from which the atom comes is false, without a fault.
struct Atom {
  IndexTest test = IndexTest::present;
  SlotId slot = kNone;
  std::vector<Key> keys;                ///< one of them must match; empty for a threshold
  std::vector<uint32_t> key_numbers;    ///< the same keys, as the DAG's builder numbers them
  uint64_t low = 0, high = UINT64_MAX;  ///< threshold: order_key, both inclusive
  uint64_t longest = UINT64_MAX;        ///< text: the conjunct may fault for longer texts
  bool exact = true;                    ///< if the atom holds, so does the conjunct
};

/// A conjunction. If it is false, so is the disjunct from which it comes.
struct Alternative {
  std::vector<Atom> atoms;
  bool exact = true;  ///< if all atoms hold, the condition is true
  bool rare = false;  ///< only calls with extreme values fulfil it
};

/// Returns the alternatives of a condition: unless one of them may be true, the condition is false,
/// without a fault. If there are none, the condition is never true.
/// @param strict a fault of the condition matters (this is so except for allow and warn), so
/// skipping the rule must not lose a fault.
/// @param budget the steps that the condition may spend, at least.
std::vector<Alternative> alternatives(const typed::Expression& condition, const Schema& schema, bool strict,
                                      uint64_t budget);

}  // namespace ordain::indexing
