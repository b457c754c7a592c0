// merkle.cc adds leaves, computes roots, and builds and checks inclusion paths.
#include "runtime/audit/merkle.h"

#include <bit>
#include <cassert>

namespace ordain::detail {
namespace {

/// @returns the root of leaves [begin, end). A perfect subtree that lies before the kept leaves is
/// one of the base's peaks: the recursion only reaches such a subtree when its parent extends into
/// the leaves.
Sha256::Hash range_root(Sha256& hasher, const LeafTree& tree, uint64_t begin, uint64_t end) {
  if (end <= tree.base.size) {
    uint64_t at = 0;
    for (size_t peak = 0; peak < tree.base.peaks.size(); ++peak) {
      if (at == begin) return tree.base.peaks[peak];
      at += std::bit_floor(tree.base.size - at);
    }
    assert(false && "not a peak");
    return {};
  }
  if (end - begin == 1) return tree.leaves[begin - tree.base.size];
  uint64_t split = begin + std::bit_ceil(end - begin) / 2;
  Sha256::Hash left = range_root(hasher, tree, begin, split);
  return node_hash(hasher, left, range_root(hasher, tree, split, end));
}

}  // namespace

Sha256::Hash leaf_hash(Sha256& hasher, const Sha256::Hash& record) {
  uint8_t bytes[33] = {0};
  std::copy(record.begin(), record.end(), bytes + 1);
  hasher.add(bytes, sizeof(bytes));
  return hasher.finish();
}

Sha256::Hash node_hash(Sha256& hasher, const Sha256::Hash& left, const Sha256::Hash& right) {
  uint8_t bytes[65] = {1};
  std::copy(left.begin(), left.end(), bytes + 1);
  std::copy(right.begin(), right.end(), bytes + 33);
  hasher.add(bytes, sizeof(bytes));
  return hasher.finish();
}

void CompactTree::add(Sha256& hasher, const Sha256::Hash& leaf) {
  Sha256::Hash node = leaf;
  for (uint64_t bits = size; (bits & 1) != 0; bits >>= 1) {
    node = node_hash(hasher, peaks.back(), node);
    peaks.pop_back();
  }
  peaks.push_back(node);
  ++size;
}

Sha256::Hash CompactTree::root(Sha256& hasher) const {
  if (peaks.empty()) return hasher.finish();
  Sha256::Hash node = peaks.back();
  for (size_t at = peaks.size() - 1; at-- > 0;) node = node_hash(hasher, peaks[at], node);
  return node;
}

std::string CompactTree::frontier() const {
  std::string out;
  for (const auto& peak : peaks) out.append(reinterpret_cast<const char*>(peak.data()), peak.size());
  return out;
}

bool CompactTree::parse(uint64_t size, std::string_view frontier, CompactTree* out) {
  constexpr size_t kHash = sizeof(Sha256::Hash);
  if (frontier.size() != static_cast<size_t>(std::popcount(size)) * kHash) return false;
  out->size = size;
  out->peaks.resize(frontier.size() / kHash);
  for (size_t i = 0; i < frontier.size(); ++i) out->peaks[i / kHash][i % kHash] = static_cast<uint8_t>(frontier[i]);
  return true;
}

std::vector<Sha256::Hash> inclusion_path(Sha256& hasher, const LeafTree& tree, uint64_t index, uint64_t size) {
  std::vector<Sha256::Hash> path;
  uint64_t begin = 0, end = size;
  while (end - begin > 1) {
    uint64_t split = begin + std::bit_ceil(end - begin) / 2;
    bool left = index < split;
    path.push_back(left ? range_root(hasher, tree, split, end) : range_root(hasher, tree, begin, split));
    (left ? end : begin) = split;
  }
  return {path.rbegin(), path.rend()};
}

bool root_of_path(Sha256& hasher, uint64_t index, uint64_t size, const Sha256::Hash& leaf,
                  const std::vector<Sha256::Hash>& path, Sha256::Hash* root) {
  if (index >= size) return false;
  uint64_t node = index, last = size - 1;
  Sha256::Hash hash = leaf;
  for (const auto& sibling : path) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(hasher, sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hasher, hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  *root = hash;
  return last == 0;
}

}  // namespace ordain::detail
