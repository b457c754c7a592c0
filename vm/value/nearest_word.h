// NearestWord finds the word that was probably meant, for messages that ask "did you mean".
#pragma once

#include <string_view>

namespace ordain {

/// Of the words offered, finds the first that takes the fewest slips to turn into the mistyped
/// word. A slip is a letter that is wrong, missing, superfluous, or swapped with the next. Case is
/// ignored. A word that takes many slips is not near.
class NearestWord {
 public:
  explicit NearestWord(std::string_view mistyped) : mistyped_(mistyped) {}

  void offer(std::string_view word);
  /// The nearest word; empty if none was near. It views a word that was offered.
  std::string_view found() const { return found_; }

 private:
  std::string_view mistyped_;
  std::string_view found_;
  size_t slips_ = 0;
};

}  // namespace ordain
