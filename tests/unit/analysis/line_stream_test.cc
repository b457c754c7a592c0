// These tests cover a stream of lines that several threads read: every line once, numbered, in
// order, whatever the chunks.
#include "analysis/line_stream.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <string>

#include "vm/value/start_thread.h"

namespace ordain::detail {
namespace {

TEST(LineStream, LinesComeBackInOrder) {
  std::string text;
  for (int i = 1; i <= 5000; ++i)
    text += "line " + std::to_string(i) + std::string(static_cast<size_t>(i % 90), '.') + "\n";
  text += "last";
  for (const unsigned threads : {1u, 4u}) {
    for (const size_t chunk_bytes : {16u, 4096u, 1u << 20}) {
      std::FILE* file = std::tmpfile();
      ASSERT_NE(file, nullptr);
      std::fwrite(text.data(), 1, text.size(), file);
      std::rewind(file);
      std::string seen;
      uint64_t line = 1;
      const auto work = [](Chunk& chunk, unsigned) { chunk.out = chunk.text; };
      const auto done = [&](Chunk& chunk) {
        EXPECT_EQ(chunk.first_line, line);
        for (const char c : chunk.out) line += c == '\n';
        seen += chunk.out;
        return true;
      };
      EXPECT_TRUE(stream_lines(fileno(file), threads, chunk_bytes, work, done));
      EXPECT_EQ(seen, text) << threads << " threads, chunks of " << chunk_bytes;
      std::fclose(file);
    }
  }
}

std::atomic<int> g_streams_may_start{0};

// The threads that can be started do all the work, and without any the calling thread does it.
TEST(LineStream, GoesOnWithTheThreadsThatStart) {
  vm::g_may_start_thread = [] { return g_streams_may_start.fetch_sub(1) > 0; };
  for (const int startable : {0, 1, 3, 4}) {
    g_streams_may_start = startable;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(write(ends[1], "a\nb\nc\n", 6), 6);
    close(ends[1]);
    std::string seen;
    std::atomic<unsigned> most = 0;
    const auto work = [&](Chunk& chunk, unsigned worker) {
      if (worker > most) most = worker;
      chunk.out = chunk.text;
    };
    EXPECT_TRUE(stream_lines(ends[0], 4, 2, work, [&](Chunk& chunk) { return seen += chunk.out, true; })) << startable;
    EXPECT_EQ(seen, "a\nb\nc\n") << startable;
    EXPECT_LE(most, static_cast<unsigned>(std::max(startable - 1, 0)));
    close(ends[0]);
  }
  vm::g_may_start_thread = nullptr;
}

// A thread takes longer to start than a short input takes to work on.
TEST(LineStream, StartsNoThreadsForInputOfOneChunk) {
  static std::atomic<int> asked;
  vm::g_may_start_thread = [] { return asked.fetch_add(1) >= 0; };
  const std::pair<std::string, bool> inputs[] = {
      {"", false}, {"a", false}, {"a\nb\n", false}, {"a\nb", false}, {std::string(40, 'x') + "\n" + "y\nz\n", true}};
  for (const auto& [text, wants_threads] : inputs) {
    asked = 0;
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    std::fwrite(text.data(), 1, text.size(), file);
    std::rewind(file);
    std::string seen;
    const auto work = [](Chunk& chunk, unsigned) { chunk.out = chunk.text; };
    EXPECT_TRUE(stream_lines(fileno(file), 3, 44, work, [&](Chunk& chunk) { return seen += chunk.out, true; })) << text;
    EXPECT_EQ(seen, text);
    EXPECT_EQ(asked > 0, wants_threads) << text;
    std::fclose(file);
  }
  vm::g_may_start_thread = nullptr;
}

TEST(LineStream, StopsWhenAskedToAndFailsWhereNothingCanBeRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "a\nb\n", 4), 4);
  close(ends[1]);
  for (const unsigned threads : {1u, 2u}) {
    const bool first = threads == 1;  // the second stream finds the pipe empty
    EXPECT_EQ(stream_lines(ends[0], threads, 16, [](Chunk&, unsigned) {}, [](Chunk&) { return false; }), !first);
  }
  close(ends[0]);
  EXPECT_FALSE(stream_lines(ends[0], 1, 16, [](Chunk&, unsigned) {}, [](Chunk&) { return true; }));
}

}  // namespace
}  // namespace ordain::detail
