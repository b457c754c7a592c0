#include "cli/line_splitter.h"

#include <utility>

namespace ordain::cli {

LineSplitter::LineSplitter(size_t most, std::function<void(std::string_view)> line,
                           std::function<void(std::string_view)> too_long)
    : most_(most), line_(std::move(line)), too_long_(std::move(too_long)) {}

void LineSplitter::add(std::string_view bytes) {
  for (size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    add_part(bytes.substr(0, end));
    end_line();
    bytes.remove_prefix(end + 1);
  }
  add_part(bytes);
}

void LineSplitter::add_part(std::string_view part) {
  if (!dropping_ && kept_.size() + part.size() <= most_) {
    kept_ += part;
    return;
  }
  if (!dropping_) finder_.read(kept_);
  dropping_ = true;
  kept_ = std::string();  // gives its memory back
  finder_.read(part);
}

void LineSplitter::end_line() {
  if (dropping_) {
    too_long_(finder_.id());
  } else {
    line_(kept_);
  }
  kept_.clear();
  dropping_ = false;
  finder_ = mcp::IdFinder();
}

void LineSplitter::finish() {
  if (dropping_ || !kept_.empty()) end_line();
}

}  // namespace ordain::cli
