#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>

#include "cli/terminal.h"

namespace ordain::cli {

ProgressBar::ProgressBar(bool wanted) : shown_(wanted && isatty(STDERR_FILENO) != 0) {}

void ProgressBar::show(double done, std::string_view what) {
  const auto percent = static_cast<int>(100 * std::clamp(done, 0.0, 1.0));
  if (!shown_ || (percent == percent_ && what == what_)) return;
  percent_ = percent;
  what_ = what;
  print_error("{}[{:.<40}] {:>3} % {}{}", ReadyText{"\r"}, std::string(static_cast<size_t>(percent * 2 / 5), '#'),
              percent, what, ReadyText{"\033[K"});
}

void ProgressBar::clear() {
  if (percent_ < 0) return;
  write_error("\r\033[K");
  percent_ = -1;
}

}  // namespace ordain::cli
