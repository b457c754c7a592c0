// LinkTables: what linking adds to a program's tables so that engines find everything by number: resolved functions,
// places of slots, and the index made ready to be walked.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "ordain/function.h"
#include "vm/program/program_data.h"

namespace ordain::vm {

/// Rules of a range that no DAG leads through are tried in runs of so many: one native function each.
inline constexpr uint32_t kBatchRules = 32;

/// Prepared argument with the call that uses it.
struct LinkedPrepared {
  const Overload* overload = nullptr;
  std::shared_ptr<const void> object;
};

/// Where a slot's value, symbol and bits are: what engines, and those who fill it, need of a Slot.
struct SlotPlace {
  uint32_t bank = 0;
  uint32_t index = 0;
  uint32_t first_bit = 0;
  Kind kind = Kind::absent;  ///< of every value that the slot may hold; absent: any
  bool compared = false;
  bool builtin = false;
  bool has_bits = false;
};

class LiteralIndex;

/// A IndexNode, ready to be walked. Which members count depends on the test.
struct IndexStep {
  IndexTest test;
  bool absent;
  uint8_t bank;
  uint32_t slot;  ///< index within the bank
  uint32_t next;
  uint32_t first;         ///< leaf: of index_leaves; symbol, number: of index_cells; member: of index_members; text: of
                          ///< index_texts
  uint32_t mask;          ///< symbol, number: cells less one; member: words less one
  uint32_t edges;         ///< first of index_edges
  uint32_t count;         ///< of edges, or of leaves
  uint32_t below, above;  ///< threshold, present: edges 0 and 1, kNone where there is none
  uint64_t bound;         ///< threshold, text: the node's; member: the slot's first word of bits
};

/// Of an open-addressing hash table.
struct IndexCell {
  uint64_t key = 0;
  uint32_t node = kNone;  ///< kNone: empty
};
inline uint64_t hash_index_key(uint64_t key) { return (key ^ key >> 29) * 0x9E3779B97F4A7C15u >> 32; }

/// The members among the edges of one word of a slot's bits; `rank`: edges before them.
struct IndexMembers {
  uint64_t mask = 0;
  uint32_t word = 0;
  uint32_t rank = 0;
};

/// Imports and prepared calls, resolved, by index of ProgramData::imports and ::prepared; and the plan, ready to be
/// walked.
struct LinkTables {
  std::vector<const Overload*> overloads;  ///< nullptr for a dynamic import
  std::vector<const Function*> functions;
  std::vector<LinkedPrepared> prepared;
  std::vector<SlotPlace> slots;  ///< by SlotId
  uint32_t max_registers = 0;
  uint32_t max_saved_faults = 0;
  std::vector<uint8_t> batch_sizes;  ///< by entry of the plan that begins a run: its rules; else 0
  std::vector<uint8_t> steps;        ///< by instruction: what the interpreter runs there, a Step

  std::vector<IndexStep> index_steps;  ///< by index of ProgramData::index_nodes
  std::vector<IndexCell> index_cells;
  std::vector<IndexMembers> index_members;
  std::vector<std::shared_ptr<const LiteralIndex>> index_texts;
  const IndexEdge* index_edges = nullptr;   ///< the ProgramData's
  const IndexLeaf* index_leaves = nullptr;  ///< the same
};

/// Size that `registers` and `saved` must have for any predicate of the program.
uint32_t max_registers(const ProgramData& data);
uint32_t max_saved_faults(const ProgramData& data);

/// A number or a point in time as an unsigned integer in the same order. Doubles: not NaN, -0.0 as 0.0. Of timestamps
/// and durations only the whole seconds, which never decrease when the value grows.
inline uint64_t order_key(const Value& value) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  if (value.is(Kind::unsigned_integer)) return value.u;
  if (!value.is(Kind::floating)) return static_cast<uint64_t>(value.i) ^ kSign;
  const auto bits = std::bit_cast<uint64_t>(value.d == 0 ? 0.0 : value.d);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

}  // namespace ordain::vm
