// What a condition demands of single slots: the tests by which the planner can tell that a rule does not apply.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "vm/program/program_data.h"

namespace ordain::indexing {

/// The key of an edge: a string (symbol, member), an order_key (number), 0 or 1 (present), a literal (text).
struct Key {
  std::string text;
  uint64_t number = 0;
  IndexLiteral::Where where = IndexLiteral::anywhere;
  bool ignore_case = false;
  auto operator<=>(const Key&) const = default;
};

/// A condition on one slot that can be answered by look-up. The conjunct that it comes from is false, without a fault,
/// wherever the slot is present and the atom does not hold.
struct Atom {
  IndexTest test = IndexTest::present;
  SlotId slot = kNone;
  std::vector<Key> keys;                ///< any of them; not of a threshold
  std::vector<uint32_t> key_numbers;    ///< the same, as the DAG's builder numbers them
  uint64_t low = 0, high = UINT64_MAX;  ///< threshold: order_key, both inclusive
  uint64_t longest = UINT64_MAX;        ///< text: of longer texts the conjunct may fault
  bool exact = true;                    ///< where the atom holds, so does the conjunct
};

/// A conjunction: if it is false, the disjunct that it comes from is.
struct Alternative {
  std::vector<Atom> atoms;
  bool exact = true;  ///< if all atoms hold, the condition is true
};

/// The condition is false, without a fault, unless one of the alternatives may be true. No alternatives: it is never
/// true.
/// @param strict a fault of the condition matters (not of an allow or a warn): skipping the rule must not lose one
std::vector<Alternative> alternatives(const typed::Expression& condition, const Schema& schema, bool strict);

}  // namespace ordain::indexing
