// The lines in which two texts differ, in pieces as `diff -u` shows them.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace ordain::cli {

struct DiffLine {
  char mark = ' ';             ///< ' ' in both texts, '-' in the first, '+' in the second
  std::string_view text = {};  ///< with its line feed, if it has one
};

/// Changed lines with up to three unchanged lines before and after them.
struct DiffHunk {
  size_t old_line = 0, old_count = 0;  ///< the first line, from 1 (0 before an empty text), and how many there are
  size_t new_line = 0, new_count = 0;
  std::vector<DiffLine> lines;
};

/// The texts must outlive the result. Of texts with thousands of changes the result may be longer than necessary.
std::vector<DiffHunk> diff_texts(std::string_view before, std::string_view after);

}  // namespace ordain::cli
