// The walk visits a node, the edges that the call's facts select, and the node's `next`. The
// index is a matching tree with "don't care" branches, as used in content-based publish/subscribe
// systems (Aguilera et al., "Matching Events in a Content-Based Subscription System", 1999), so the
// cost follows the rules that can match.
#include "vm/decide/index_walk.h"

#include <algorithm>

#include "vm/program/literal_index.h"
#include "vm/program/network_index.h"

namespace ordain::vm {

namespace {

bool is_nan(const Value& value) { return value.is(Kind::floating) && std::isnan(value.d); }

uint32_t find_cell(const LinkTables& link, const IndexStep& step, uint64_t key) {
  const IndexCell* cells = link.index_cells.data() + step.first;
  for (uint64_t at = hash_index_key(key);; ++at) {
    const IndexCell& cell = cells[at & step.mask];
    if (cell.node == kNone || cell.key == key) return cell.node;
  }
}

// Returns how many bounds are at most `key`. Halves without a branch, because the outcome of a
// comparison cannot be predicted.
uint32_t count_bounds(const uint64_t* bounds, uint32_t count, uint64_t key) {
  const uint64_t* at = bounds;
  for (; count > 1; count -= count / 2) at += (count / 2) & -static_cast<uint32_t>(at[count / 2 - 1] <= key);
  return static_cast<uint32_t>(at - bounds) + (*at <= key ? 1 : 0);
}

}  // namespace

bool Candidates::gather(const Frame& frame, Arena& arena, const RuleRange& range) {
  link_ = frame.link;
  arena_ = &arena;
  count_ = 0;
  first_ = range.entries.first;
  size_ = range.entries.count;
  many_ = nullptr;
  failed_ = false;
  walk(frame, range.nodes.first, true);
  return settle();
}

void Candidates::walk(const Frame& frame, uint32_t node, bool sure) {
  while (node != kNone) {
    const IndexStep& step = link_->index_steps[node];
    node = step.next;
    if (step.test == IndexTest::leaf) {
      leaf(step, sure);
      continue;
    }
    const Value& value = frame.facts.slots[step.bank][step.slot];
    switch (step.test) {
      case IndexTest::symbol: {
        const SymbolId symbol = frame.facts.symbols[step.bank][step.slot];
        if (symbol != 0) {
          walk(frame, find_cell(*link_, step, symbol), sure);
        } else if (step.absent && !value.present()) {
          follow_all(frame, step);
        }
        continue;
      }
      case IndexTest::present:
        walk(frame, value.present() ? step.above : step.below, sure);
        continue;
      case IndexTest::member:
        if (!step.absent || value.present()) {
          follow_members(frame, step, sure);
        } else {
          follow_all(frame, step);
        }
        continue;
      default:
        break;
    }
    if (!value.present()) {
      if (step.absent) follow_all(frame, step);
    } else if (step.test == IndexTest::text) {
      follow_text(frame, step, value, sure);
    } else if (step.test == IndexTest::network) {
      follow_networks(frame, step, value, sure);
    } else if (is_nan(value)) {
      continue;  // every comparison with NaN is false
    } else if (step.test == IndexTest::threshold) {
      walk(frame, order_key(value) < step.bound ? step.below : step.above, sure);
    } else if (step.test == IndexTest::interval) {
      const uint32_t up_to = count_bounds(link_->index_bounds.data() + step.first, step.count, order_key(value));
      if (up_to != 0) walk(frame, link_->index_edges[step.edges + up_to - 1].node, sure);
    } else {
      walk(frame, find_cell(*link_, step, order_key(value)), sure);
    }
  }
}

void Candidates::leaf(const IndexStep& step, bool sure) {
  const IndexLeaf* leaves = link_->index_leaves + step.first;
  for (uint32_t i = 0; i < step.count; ++i) add({leaves[i].entry - first_, sure && leaves[i].sure});
}

/// A rule below the edges may fault, so all edges are followed.
void Candidates::follow_all(const Frame& frame, const IndexStep& step) {
  for (uint32_t i = 0; i < step.count; ++i) walk(frame, link_->index_edges[step.edges + i].node, false);
}

void Candidates::follow_members(const Frame& frame, const IndexStep& step, bool sure) {
  const uint64_t* bits = frame.facts.bits[step.bank] + step.bound;  // the slot's first word
  for (uint32_t i = 0; i <= step.mask; ++i) {
    const IndexMembers& members = link_->index_members[step.first + i];
    for (uint64_t set = bits[members.word] & members.mask; set != 0; set &= set - 1) {
      const uint64_t below = (set & -set) - 1;
      const uint32_t rank = members.rank + static_cast<uint32_t>(std::popcount(members.mask & below));
      walk(frame, link_->index_edges[step.edges + rank].node, sure);
    }
  }
}

void Candidates::follow_text(const Frame& frame, const IndexStep& step, const Value& text, bool sure) {
  if (text.aux > step.bound) return follow_all(frame, step);
  if (!text.is(Kind::string)) return;
  const LiteralIndex& index = *link_->index_texts[step.first];
  const bool scanned = index.scan(text.as_text(), *arena_, [&](uint32_t literal) {
    walk(frame, link_->index_edges[step.edges + literal].node, sure);
  });
  failed_ = failed_ || !scanned;
}

/// Testing a text that is not an address faults, so all edges are followed.
void Candidates::follow_networks(const Frame& frame, const IndexStep& step, const Value& text, bool sure) {
  if (!text.is(Kind::string)) return;
  const NetworkIndex& index = *link_->index_networks[step.first];
  const bool read = index.scan(
      text.as_text(), [&](uint32_t network) { walk(frame, link_->index_edges[step.edges + network].node, sure); });
  if (!read) follow_all(frame, step);
}

void Candidates::add(Candidate candidate) {
  if (many_ == nullptr && count_ < kRoom) {
    few_[count_++] = candidate;
    return;
  }
  if (many_ == nullptr) {
    const size_t words = (size_ + 63) / 64;
    many_ = arena_->array<uint64_t>(words);
    if (many_ == nullptr) {
      failed_ = true;
      return;
    }
    std::fill_n(many_, words, 0);
    for (const Candidate& few : few_) many_[few.place() / 64] |= uint64_t{1} << few.place() % 64;
  }
  many_[candidate.place() / 64] |= uint64_t{1} << candidate.place() % 64;
}

// Sorts the candidates and drops repetitions.
bool Candidates::settle() {
  if (failed_) return false;
  if (many_ == nullptr) {
    items_ = few_;
    if (count_ < 2) return true;
    std::sort(few_, few_ + count_);
    const auto same = [](const Candidate& a, const Candidate& b) { return a.place() == b.place(); };
    count_ = static_cast<uint32_t>(std::unique(few_, few_ + count_, same) - few_);
    return true;
  }
  size_t most = 0;
  for (size_t word = 0; word < (size_ + 63) / 64; ++word) most += static_cast<size_t>(std::popcount(many_[word]));
  auto* items = arena_->array<Candidate>(most);
  if (items == nullptr) return false;
  count_ = 0;
  for (uint32_t word = 0; word < (size_ + 63) / 64; ++word) {
    for (uint64_t set = many_[word]; set != 0; set &= set - 1) {
      items[count_++] = {word * 64 + static_cast<uint32_t>(std::countr_zero(set)), false};
    }
  }
  items_ = items;
  return true;
}

}  // namespace ordain::vm
