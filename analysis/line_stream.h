// stream_lines lets several threads work on the lines of a file or a pipe, and returns them in
// order, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ordain::detail {

/// Whole lines, and the result of the work on them.
struct Chunk {
  uint64_t first_line = 1;  ///< number of the first line, from 1
  std::string text;         ///< the lines; the last one may lack its line end
  std::string out;          ///< for `work` to fill
};

/// Reads the file descriptor to its end in chunks of about `chunk_bytes` (a longer line makes a
/// longer chunk). Each chunk is passed to `work` on one of `threads` threads, with the thread's
/// number from 0, and then to `done` on the calling thread, in order. Data from a pipe is worked on
/// as it arrives. An exception from `work` ends the process; an exception from `done` reaches the
/// caller.
/// @returns false if reading fails (see errno) or if `done` asks to stop.
bool stream_lines(int descriptor, unsigned threads, size_t chunk_bytes,
                  const std::function<void(Chunk&, unsigned worker)>& work, const std::function<bool(Chunk&)>& done);

}  // namespace ordain::detail
