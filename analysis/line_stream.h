// Lines of a file or a pipe, worked on by several threads, handed back in order, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ordain::detail {

/// Whole lines, and what became of them.
struct Chunk {
  uint64_t first_line = 1;  ///< number of the first line, from 1
  std::string text;         ///< the lines; the last one may lack its line end
  std::string out;          ///< for `work` to fill
};

/// Reads the file descriptor to its end in chunks of about `chunk_bytes` (a longer line makes a longer one). `work` is
/// called for each on one of `threads` threads (its number from 0 is passed), `done` on the calling thread, in order.
/// What a pipe has is worked on as it comes. Exceptions of `work` end the process, those of `done` are the caller's.
/// @returns false if reading fails (errno) or `done` says to stop.
bool stream_lines(int descriptor, unsigned threads, size_t chunk_bytes,
                  const std::function<void(Chunk&, unsigned worker)>& work, const std::function<bool(Chunk&)>& done);

}  // namespace ordain::detail
