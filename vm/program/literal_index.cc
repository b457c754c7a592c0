// Builds the tables of a LiteralIndex, and compares candidates in full.
#include "vm/program/literal_index.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

namespace ordain::vm {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Of a longer literal only so many windows are looked at, so that building takes time in proportion
/// to the number of literals: one long text may stand in many nodes.
constexpr size_t kWindowsConsidered = 128;

size_t window_size(size_t literal) { return literal >= 4 ? 4 : literal >= 2 ? 2 : 1; }

}  // namespace

LiteralIndex::LiteralIndex(std::vector<Literal> literals) : literals_(std::move(literals)) {
  std::unordered_map<uint64_t, uint32_t> uses;
  const auto each_window = [&](const Literal& literal, const auto& use) {
    const size_t size = window_size(literal.text.size());
    const size_t end = std::min(literal.text.size() - size + 1, kWindowsConsidered);
    for (size_t at = 0; at < end; ++at) use(window(literal.text, at, size), at);
  };
  for (const Literal& literal : literals_) each_window(literal, [&](uint64_t key, size_t) { ++uses[key]; });

  std::vector<std::pair<uint64_t, Entry>> chosen;
  for (uint32_t i = 0; i < literals_.size(); ++i) {
    uint64_t best = 0;
    uint32_t fewest = UINT32_MAX, offset = 0;
    each_window(literals_[i], [&](uint64_t key, size_t at) {
      if (uses[key] >= fewest) return;
      fewest = uses[key];
      best = key;
      offset = static_cast<uint32_t>(at);
    });
    chosen.push_back({best, {i, offset}});
    sizes_ |= window_size(literals_[i].text.size());
    ignores_case_ = ignores_case_ || literals_[i].ignore_case;
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  // By chance, about six in a hundred windows of a text pass the filter.
  const size_t filter_bits = std::clamp<size_t>(std::bit_ceil(16 * chosen.size()), 1 << 10, 1 << 19);
  filter_.assign(filter_bits / 64, 0);
  filter_shift_ = 64 - static_cast<unsigned>(std::countr_zero(filter_bits));
  buckets_.assign(std::bit_ceil(2 * chosen.size() + 1), {});
  for (size_t i = 0; i < chosen.size(); ++i) {
    const uint64_t key = chosen[i].first;
    if (i == 0 || chosen[i - 1].first != key) {
      const uint64_t hash = mix(key);
      filter_[(hash >> filter_shift_) / 64] |= uint64_t{1} << (hash >> filter_shift_) % 64;
      uint64_t at = hash >> 20;
      while (buckets_[at & (buckets_.size() - 1)].count != 0) ++at;
      size_t end = i;
      while (end < chosen.size() && chosen[end].first == key) ++end;
      buckets_[at & (buckets_.size() - 1)] = {key, static_cast<uint32_t>(i), static_cast<uint32_t>(end - i)};
    }
    entries_.push_back(chosen[i].second);
  }
}

LiteralIndex::Bucket LiteralIndex::find(uint64_t key) const {
  for (uint64_t at = mix(key) >> 20;; ++at) {
    const Bucket& bucket = buckets_[at & (buckets_.size() - 1)];
    if (bucket.count == 0 || bucket.key == key) return bucket;
  }
}

bool LiteralIndex::occurs(const Entry& entry, std::string_view text, size_t at) const {
  const Literal& literal = literals_[entry.literal];
  if (at < entry.offset || text.size() - (at - entry.offset) < literal.text.size()) return false;
  const size_t begin = at - entry.offset;
  if (literal.where == IndexLiteral::at_start && begin != 0) return false;
  if (literal.where == IndexLiteral::at_end && begin + literal.text.size() != text.size()) return false;
  const char* found = text.data() + begin;
  if (!literal.ignore_case) return std::memcmp(found, literal.text.data(), literal.text.size()) == 0;
  return std::equal(literal.text.begin(), literal.text.end(), found,
                    [](char a, char b) { return lower(a) == lower(b); });
}

// The Kelvin sign and the long s match k and s in patterns that ignore case. No other character
// beyond ASCII matches an ASCII letter.
bool LiteralIndex::may_fold(std::string_view text) const {
  return ignores_case_ &&
         (text.find("\xE2\x84\xAA") != std::string_view::npos || text.find("\xC5\xBF") != std::string_view::npos);
}

size_t LiteralIndex::bytes() const {
  return sizeof(*this) + literals_.capacity() * sizeof(Literal) + entries_.capacity() * sizeof(Entry) +
         buckets_.capacity() * sizeof(Bucket) + filter_.capacity() * sizeof(uint64_t);
}

}  // namespace ordain::vm
