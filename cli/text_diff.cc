// text_diff.cc finds the shortest list of changed lines by the algorithm of E. W. Myers ("An O(ND)
// Difference Algorithm and Its Variations", 1986).
#include "cli/text_diff.h"

#include <algorithm>
#include <cstdint>

namespace ordain::cli {
namespace {

using Lines = std::vector<std::string_view>;

constexpr int32_t kMostChanges = 2000;  // beyond, all lines between the first and the last change count as changed
constexpr size_t kContext = 3;

Lines lines_of(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const size_t length = end == std::string_view::npos ? text.size() : end + 1;
    out.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

struct Pair {
  size_t old_index, new_index;
};

// How far paths with a number of changes reach: on diagonal k, where k is the number of old lines minus the number of
// new lines, the number of old lines.
class Reach {
 public:
  explicit Reach(int32_t changes) : changes_(changes), reached_(2 * static_cast<size_t>(changes) + 3, 0) {}
  int32_t& at(int32_t k) { return reached_[static_cast<size_t>(k + changes_ + 1)]; }
  int32_t at(int32_t k) const { return reached_[static_cast<size_t>(k + changes_ + 1)]; }

 private:
  int32_t changes_;
  std::vector<int32_t> reached_;
};

// Whether the path that reaches furthest on diagonal k with `changes` changes comes from diagonal k + 1, by a new line.
bool comes_by_new_line(const Reach& before, int32_t k, int32_t changes) {
  return k == -changes || (k != changes && before.at(k - 1) < before.at(k + 1));
}

// Walks back from the ends of both texts. `reaches[d]` is how far one comes with d changes.
std::vector<Pair> walk_back(const std::vector<Reach>& reaches, int32_t old_count, int32_t new_count) {
  std::vector<Pair> out;
  int32_t x = old_count, y = new_count;
  for (auto changes = static_cast<int32_t>(reaches.size()) - 1; changes >= 0; --changes) {
    int32_t from_x = 0, from_y = 0;
    if (changes > 0) {
      const Reach& before = reaches[static_cast<size_t>(changes) - 1];
      const int32_t k = x - y;
      const int32_t from = comes_by_new_line(before, k, changes) ? k + 1 : k - 1;
      from_x = before.at(from);
      from_y = from_x - from;
    }
    while (x > from_x && y > from_y) {
      --x;
      --y;
      out.push_back({static_cast<size_t>(x), static_cast<size_t>(y)});
    }
    x = from_x;
    y = from_y;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

// The lines that stay, in order; none if there are too many changes.
std::vector<Pair> common_lines(const Lines& before, const Lines& after) {
  const auto old_count = static_cast<int32_t>(before.size()), new_count = static_cast<int32_t>(after.size());
  std::vector<Reach> reaches;
  for (int32_t changes = 0; changes <= kMostChanges; ++changes) {
    Reach reach(changes);
    for (int32_t k = -changes; k <= changes; k += 2) {
      int32_t x = 0;
      if (changes > 0) {
        const Reach& last = reaches.back();
        x = comes_by_new_line(last, k, changes) ? last.at(k + 1) : last.at(k - 1) + 1;
      }
      int32_t y = x - k;
      while (x < old_count && y < new_count && before[static_cast<size_t>(x)] == after[static_cast<size_t>(y)]) {
        ++x;
        ++y;
      }
      reach.at(k) = x;
      if (x < old_count || y < new_count) continue;
      reaches.push_back(std::move(reach));
      return walk_back(reaches, old_count, new_count);
    }
    reaches.push_back(std::move(reach));
  }
  return {};
}

// Every line of both texts, marked.
std::vector<DiffLine> marked_lines(const Lines& before, const Lines& after) {
  const auto first = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
  const auto same = static_cast<size_t>(first.first - before.begin());
  size_t same_at_end = 0;
  while (same_at_end < std::min(before.size(), after.size()) - same &&
         before[before.size() - 1 - same_at_end] == after[after.size() - 1 - same_at_end]) {
    ++same_at_end;
  }
  const Lines changed_before(first.first, before.end() - static_cast<std::ptrdiff_t>(same_at_end));
  const Lines changed_after(first.second, after.end() - static_cast<std::ptrdiff_t>(same_at_end));

  std::vector<DiffLine> out;
  for (size_t i = 0; i < same; ++i) out.push_back({' ', before[i]});
  std::vector<Pair> common = common_lines(changed_before, changed_after);
  common.push_back({changed_before.size(), changed_after.size()});
  size_t x = 0, y = 0;
  for (const Pair& pair : common) {
    while (x < pair.old_index) out.push_back({'-', changed_before[x++]});
    while (y < pair.new_index) out.push_back({'+', changed_after[y++]});
    if (x == changed_before.size()) break;
    out.push_back({' ', changed_before[x++]});
    ++y;
  }
  for (size_t i = before.size() - same_at_end; i < before.size(); ++i) out.push_back({' ', before[i]});
  return out;
}

}  // namespace

std::vector<DiffHunk> diff_texts(std::string_view before, std::string_view after) {
  const std::vector<DiffLine> lines = marked_lines(lines_of(before), lines_of(after));
  std::vector<DiffHunk> out;
  size_t old_line = 1, new_line = 1;  // of lines[i]
  size_t unchanged = 0;               // how many lines before lines[i] are the same in both texts
  for (size_t i = 0; i < lines.size();) {
    if (lines[i].mark == ' ') {
      ++unchanged, ++old_line, ++new_line, ++i;
      continue;
    }
    // A hunk ends where more unchanged lines follow than are shown at its end and at the beginning of the next.
    size_t end = i, last = i;
    for (; end < lines.size() && end - last <= 2 * kContext + 1; ++end) {
      if (lines[end].mark != ' ') last = end;
    }
    const size_t context = std::min(unchanged, kContext);
    const size_t begin = i - context;
    end = std::min(lines.size(), last + 1 + kContext);
    DiffHunk hunk{.old_line = old_line - context, .new_line = new_line - context};
    for (size_t each = begin; each < end; ++each) {
      hunk.lines.push_back(lines[each]);
      if (lines[each].mark != '+') ++hunk.old_count;
      if (lines[each].mark != '-') ++hunk.new_count;
    }
    old_line = hunk.old_line + hunk.old_count;
    new_line = hunk.new_line + hunk.new_count;
    if (hunk.old_count == 0) --hunk.old_line;
    if (hunk.new_count == 0) --hunk.new_line;
    out.push_back(std::move(hunk));
    unchanged = end - last - 1;
    i = end;
  }
  return out;
}

}  // namespace ordain::cli
