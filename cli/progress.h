// A bar on standard error that shows how far a command is: on a terminal only, drawn over itself, cleared when done.
#pragma once

#include <string>
#include <string_view>

namespace ordain::cli {

class ProgressBar {
 public:
  /// @param wanted false to show nothing, for instance where the output itself shows how far the command is
  explicit ProgressBar(bool wanted = true);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Draws the bar if it looks different from the last one. `done`: 0 to 1. `what` may be empty.
  void show(double done, std::string_view what = "");
  /// Removes the bar, so that other text can be printed there.
  void clear();

 private:
  const bool shown_;
  int percent_ = -1;  // drawn now; -1: nothing is
  std::string what_;
};

}  // namespace ordain::cli
