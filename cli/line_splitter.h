// A LineSplitter cuts a stream of bytes into lines, and keeps no more than a bound of one.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "agents/mcp/json_text.h"

namespace ordain::cli {

class LineSplitter {
 public:
  /// @param most the most bytes of a line. @param too_long is called for a line with more of them, with the id of the
  /// JSON-RPC message that it holds, or ""
  LineSplitter(size_t most, std::function<void(std::string_view line)> line,
               std::function<void(std::string_view id)> too_long);

  void add(std::string_view bytes);
  /// The stream has ended: what has come of a last line is one.
  void finish();

 private:
  void add_part(std::string_view part);
  void end_line();

  const size_t most_;
  std::function<void(std::string_view)> line_, too_long_;
  std::string kept_;
  bool dropping_ = false;  // the line was too long: its id is still looked for
  mcp::IdFinder finder_;
};

}  // namespace ordain::cli
