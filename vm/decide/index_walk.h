// Candidates walks the index: it finds which rules of a range can match a call, without running
// any of them.
#pragma once

#include <cstdint>
#include <span>

#include "vm/interpret/frame.h"

namespace ordain::vm {

/// A candidate: the place of a rule's entry within its range, and whether its condition is known to
/// be true.
class Candidate {
 public:
  Candidate() = default;
  Candidate(uint32_t place, bool sure) : bits_(place << 1 | (sure ? 0 : 1)) {}
  uint32_t place() const { return bits_ >> 1; }
  bool sure() const { return (bits_ & 1) == 0; }
  auto operator<=>(const Candidate&) const = default;

 private:
  uint32_t bits_;  // of two candidates with the same place, the sure one sorts first
};

/// The rules of one range that can match, in source order, each once. Serves one range of one
/// decision.
class Candidates {
 public:
  /// @returns false if the arena is exhausted; every rule is then a candidate.
  bool gather(const Frame& frame, Arena& arena, const RuleRange& range);
  std::span<const Candidate> all() const { return {items_, count_}; }

 private:
  static constexpr uint32_t kRoom = 48;

  void walk(const Frame& frame, uint32_t node, bool sure);
  void leaf(const IndexStep& step, bool sure);
  void follow_all(const Frame& frame, const IndexStep& step);
  void follow_members(const Frame& frame, const IndexStep& step, bool sure);
  void follow_text(const Frame& frame, const IndexStep& step, const Value& text, bool sure);
  void follow_networks(const Frame& frame, const IndexStep& step, const Value& text, bool sure);
  void add(Candidate candidate);
  bool settle();

  const LinkTables* link_;
  Arena* arena_;
  const Candidate* items_;
  uint32_t count_;
  uint32_t first_;  ///< of the range's entries
  uint32_t size_;   ///< of the range
  uint64_t* many_;  ///< for more than kRoom candidates: a bit for each place
  bool failed_;
  Candidate few_[kRoom];
};

}  // namespace ordain::vm
