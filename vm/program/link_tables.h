// LinkTables holds what linking adds to a program's tables so that engines find everything by
// number: resolved functions, places of slots, and the index, ready to be walked.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "ordain/function.h"
#include "vm/program/program_data.h"

namespace ordain::vm {

/// Rules of a range without a DAG are tried in batches of this many, each compiled to one native
/// function.
inline constexpr uint32_t kBatchRules = 32;

/// A prepared argument and the call that uses it.
struct LinkedPrepared {
  const Overload* overload = nullptr;
  std::shared_ptr<const void> object;
};

/// Where a slot's value, symbol and bits are: all that engines, and the code that fills slots, need
/// of a Slot.
struct SlotPlace {
  uint32_t bank = 0;
  uint32_t index = 0;
  uint32_t first_bit = 0;
  Kind kind = Kind::absent;  ///< the kind of every value of the slot; absent: any kind
  bool compared = false;
  bool builtin = false;
  bool has_bits = false;
  bool limited = false;  ///< some capability declares limits for it, which the slot's own type lacks
};

class LiteralIndex;
class NetworkIndex;

/// An IndexNode, ready to be walked. Which members are used depends on the test.
struct IndexStep {
  IndexTest test;
  bool absent;
  uint8_t bank;
  uint32_t slot;  ///< index within the bank
  uint32_t next;
  uint32_t first;         ///< leaf: of index_leaves; symbol, number: of index_cells; member: of index_members; text: of
                          ///< index_texts; network: of index_networks; interval: of index_bounds
  uint32_t mask;          ///< symbol, number: cells less one; member: words less one
  uint32_t edges;         ///< first of index_edges
  uint32_t count;         ///< of edges, or of leaves
  uint32_t below, above;  ///< threshold, present: edges 0 and 1, kNone where there is none
  uint64_t bound;         ///< threshold, text: the node's; member: the slot's first word of bits
};

/// A cell of an open-addressing hash table.
struct IndexCell {
  uint64_t key = 0;
  uint32_t node = kNone;  ///< kNone: empty
};
inline uint64_t hash_index_key(uint64_t key) { return (key ^ key >> 29) * 0x9E3779B97F4A7C15u >> 32; }

/// The members among the edges in one word of a slot's bits. `rank` is the number of edges before
/// them.
struct IndexMembers {
  uint64_t mask = 0;
  uint32_t word = 0;
  uint32_t rank = 0;
};

/// Resolved imports and prepared calls, by index of ProgramData::imports and ::prepared, and the
/// index, ready to be walked.
struct LinkTables {
  std::vector<const Overload*> overloads;  ///< nullptr for a dynamic import
  std::vector<const Function*> functions;
  std::vector<LinkedPrepared> prepared;
  std::vector<SlotPlace> slots;  ///< by SlotId
  uint32_t max_registers = 0;
  uint32_t max_saved_faults = 0;
  std::vector<uint8_t> batch_sizes;  ///< by entry: the rules of the batch that begins there, else 0
  std::vector<uint8_t> steps;        ///< by instruction: the Step that the interpreter runs there
  std::vector<uint32_t> budgets;     ///< by RuleId: PackageInfo::budget; empty if no package has one

  std::vector<IndexStep> index_steps;  ///< by index of ProgramData::index_nodes
  std::vector<IndexCell> index_cells;
  std::vector<IndexMembers> index_members;
  std::vector<std::shared_ptr<const LiteralIndex>> index_texts;
  std::vector<std::shared_ptr<const NetworkIndex>> index_networks;
  std::vector<uint64_t> index_bounds;       ///< the keys of the edges of interval nodes
  const IndexEdge* index_edges = nullptr;   ///< the ProgramData's
  const IndexLeaf* index_leaves = nullptr;  ///< likewise

  const FunctionTable* table = nullptr;  ///< that the program was linked with
};

/// The size that `registers` and `saved` need for any predicate of the program.
uint32_t max_registers(const ProgramData& data);
uint32_t max_saved_faults(const ProgramData& data);

/// Maps a number or a point in time to an unsigned integer that keeps the order. A double must not
/// be NaN, and -0.0 counts as 0.0. Of timestamps and durations only the whole seconds count; they
/// never decrease when the value grows.
inline uint64_t order_key(const Value& value) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  if (value.is(Kind::unsigned_integer)) return value.u;
  if (!value.is(Kind::floating)) return static_cast<uint64_t>(value.i) ^ kSign;
  const auto bits = std::bit_cast<uint64_t>(value.d == 0 ? 0.0 : value.d);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

}  // namespace ordain::vm
