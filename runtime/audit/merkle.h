// merkle is the tree of RFC 9162 over the records' hashes. A writer keeps only the right edge of
// the tree (the roots of its perfect subtrees), since adding a leaf needs nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/keys/sha256.h"

namespace ordain::detail {

/// SHA-256(0x00, bytes).
Sha256::Hash leaf_hash(Sha256& hasher, const Sha256::Hash& record);
/// SHA-256(0x01, left, right).
Sha256::Hash node_hash(Sha256& hasher, const Sha256::Hash& left, const Sha256::Hash& right);

/// Represents a tree of any size in O(log n) memory.
struct CompactTree {
  uint64_t size = 0;
  std::vector<Sha256::Hash> peaks;  ///< roots of the perfect subtrees, the largest first: one for each bit of `size`

  void add(Sha256& hasher, const Sha256::Hash& leaf);
  Sha256::Hash root(Sha256& hasher) const;  ///< of an empty tree: SHA-256 of nothing
  std::string frontier() const;             ///< the peaks, back to back
  /// @returns false if the bytes do not hold exactly the peaks of a tree of `size` leaves
  static bool parse(uint64_t size, std::string_view frontier, CompactTree* out);
  bool operator==(const CompactTree&) const = default;
};

/// A tree from which paths can be taken. The part before its leaves is known only by its peaks.
struct LeafTree {
  CompactTree base;
  std::vector<Sha256::Hash> leaves;  ///< the leaves numbered base.size and up

  uint64_t size() const { return base.size + leaves.size(); }
};

/// @returns the inclusion proof (RFC 9162, 2.1.3.1) of leaf `index` in the tree's first `size`
/// leaves, nearest sibling first. Requires base.size <= index < size <= tree.size().
std::vector<Sha256::Hash> inclusion_path(Sha256& hasher, const LeafTree& tree, uint64_t index, uint64_t size);

/// Computes the root that the path leads to (RFC 9162, 2.1.3.2). @returns false if the path has the
/// wrong length.
bool root_of_path(Sha256& hasher, uint64_t index, uint64_t size, const Sha256::Hash& leaf,
                  const std::vector<Sha256::Hash>& path, Sha256::Hash* root);

}  // namespace ordain::detail
