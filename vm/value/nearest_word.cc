// Compares words by optimal string alignment, if they are short enough to have been typed.
#include "vm/value/nearest_word.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace ordain {
namespace {

constexpr size_t kLongest = 80;  // longer words are pasted, not typed

size_t edit_distance(std::string_view a, std::string_view b) {
  auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
      bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

void NearestWord::offer(std::string_view word) {
  const size_t longer = std::max(mistyped_.size(), word.size());
  const size_t shorter = std::min(mistyped_.size(), word.size());
  const size_t near = longer < 3 ? 0 : std::max<size_t>(1, longer / 3);
  if (longer > kLongest || longer - shorter > near) return;
  const size_t slips = edit_distance(mistyped_, word);
  if (slips > near || (!found_.empty() && slips >= slips_)) return;
  found_ = word;
  slips_ = slips;
}

}  // namespace ordain
