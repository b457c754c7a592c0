// These tests compare the tree with a naive implementation of RFC 9162, and with published test
// values.
#include "runtime/audit/merkle.h"

#include <gtest/gtest.h>

#include <bit>

#include "ordain/digest.h"
#include "runtime/identity/text.h"

namespace ordain::detail {
namespace {

Sha256::Hash numbered(uint64_t n) {
  Sha256 hasher;
  hasher.add(&n, sizeof(n));
  return hasher.finish();
}

/// MTH of RFC 9162, 2.1.1, over leaf hashes.
Sha256::Hash naive_root(const std::vector<Sha256::Hash>& leaves, size_t begin, size_t end) {
  Sha256 hasher;
  if (begin == end) return hasher.finish();
  if (end - begin == 1) return leaves[begin];
  size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  return node_hash(hasher, naive_root(leaves, begin, begin + split), naive_root(leaves, begin + split, end));
}

/// PATH of RFC 9162, 2.1.3.1.
std::vector<Sha256::Hash> naive_path(const std::vector<Sha256::Hash>& leaves, size_t begin, size_t end, size_t at) {
  if (end - begin <= 1) return {};
  size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  split += begin;
  auto path = at < split ? naive_path(leaves, begin, split, at) : naive_path(leaves, split, end, at);
  path.push_back(at < split ? naive_root(leaves, split, end) : naive_root(leaves, begin, split));
  return path;
}

std::vector<Sha256::Hash> make_leaves(size_t count) {
  Sha256 hasher;
  std::vector<Sha256::Hash> out;
  for (size_t i = 0; i < count; ++i) out.push_back(leaf_hash(hasher, numbered(i)));
  return out;
}

TEST(Merkle, PrefixesKeepLeavesAndNodesApart) {
  Sha256 hasher;
  Sha256::Hash hash = numbered(1);
  std::string bytes(reinterpret_cast<const char*>(hash.data()), hash.size());
  EXPECT_EQ(leaf_hash(hasher, hash), sha256(std::string(1, '\0') + bytes));
  EXPECT_EQ(node_hash(hasher, hash, hash), sha256(std::string(1, '\1') + bytes + bytes));
  EXPECT_EQ(hex_of({reinterpret_cast<const char*>(CompactTree{}.root(hasher).data()), 32}),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Merkle, EverySizeTo70HasTheNaiveRootAndPaths) {
  Sha256 hasher;
  const auto leaves = make_leaves(70);
  CompactTree tree;
  LeafTree whole{{}, leaves};
  for (size_t size = 1; size <= 70; ++size) {
    tree.add(hasher, leaves[size - 1]);
    Sha256::Hash root = naive_root(leaves, 0, size);
    ASSERT_EQ(tree.root(hasher), root) << size;
    ASSERT_EQ(tree.peaks.size(), static_cast<size_t>(std::popcount(size)));
    for (size_t at = 0; at < size; ++at) {
      auto path = inclusion_path(hasher, whole, at, size);
      ASSERT_EQ(path, naive_path(leaves, 0, size, at)) << at << " of " << size;
      Sha256::Hash found{};
      ASSERT_TRUE(root_of_path(hasher, at, size, leaves[at], path, &found));
      ASSERT_EQ(found, root);
    }
  }
}

TEST(Merkle, PathsFromATreeWhoseBeginningIsKnownByItsPeaks) {
  Sha256 hasher;
  const auto leaves = make_leaves(70);
  for (size_t base = 0; base < 70; ++base) {
    LeafTree rest;
    for (size_t i = 0; i < base; ++i) rest.base.add(hasher, leaves[i]);
    rest.leaves.assign(leaves.begin() + static_cast<ptrdiff_t>(base), leaves.end());
    for (size_t size = base + 1; size <= 70; size += 3) {
      for (size_t at = base; at < size; ++at) {
        ASSERT_EQ(inclusion_path(hasher, rest, at, size), naive_path(leaves, 0, size, at)) << base << ' ' << size;
      }
    }
  }
}

TEST(Merkle, AWrongLeafIndexSizeOrPathLeadsElsewhere) {
  Sha256 hasher;
  const auto leaves = make_leaves(21);
  LeafTree whole{{}, leaves};
  const Sha256::Hash root = naive_root(leaves, 0, 21);
  for (size_t at = 0; at < 21; ++at) {
    auto path = inclusion_path(hasher, whole, at, 21);
    auto leads = [&](uint64_t index, uint64_t size, const Sha256::Hash& leaf, const std::vector<Sha256::Hash>& by) {
      Sha256::Hash found{};
      return root_of_path(hasher, index, size, leaf, by, &found) && found == root;
    };
    ASSERT_TRUE(leads(at, 21, leaves[at], path));
    EXPECT_FALSE(leads(at, 21, leaves[(at + 1) % 21], path));
    EXPECT_FALSE(leads((at + 1) % 21, 21, leaves[at], path));
    EXPECT_FALSE(leads(at + 21, 21, leaves[at], path));
    EXPECT_FALSE(leads(at, at, leaves[at], path));
    for (size_t i = 0; i < path.size(); ++i) {
      auto changed = path;
      changed[i][0] ^= 1;
      EXPECT_FALSE(leads(at, 21, leaves[at], changed));
      changed = path;
      changed.erase(changed.begin() + static_cast<ptrdiff_t>(i));
      EXPECT_FALSE(leads(at, 21, leaves[at], changed));
    }
    auto longer = path;
    longer.push_back(root);
    EXPECT_FALSE(leads(at, 21, leaves[at], longer));
  }
}

TEST(Merkle, TheFrontierComesBack) {
  Sha256 hasher;
  CompactTree tree, back;
  for (const auto& leaf : make_leaves(70)) {
    tree.add(hasher, leaf);
    ASSERT_TRUE(CompactTree::parse(tree.size, tree.frontier(), &back));
    EXPECT_EQ(back, tree);
    EXPECT_FALSE(CompactTree::parse(tree.size, tree.frontier() + "x", &back));
  }
}

}  // namespace
}  // namespace ordain::detail
