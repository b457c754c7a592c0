// NearestWord: the word that was probably meant, for messages that ask "did you mean".
#pragma once

#include <string_view>

namespace ordain {

/// Of the words that are offered, the first of those that take the fewest slips to make of the mistyped one: a letter
/// wrong, missing, too many, or swapped with the next. Case is ignored. A word that takes many slips is not near.
class NearestWord {
 public:
  explicit NearestWord(std::string_view mistyped) : mistyped_(mistyped) {}

  void offer(std::string_view word);
  /// Empty if none was near. Views what was offered.
  std::string_view found() const { return found_; }

 private:
  std::string_view mistyped_;
  std::string_view found_;
  size_t slips_ = 0;
};

}  // namespace ordain
