// What the makers of a stream and the connection that writes it see of each other.
#include "server/http_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

namespace ordain::server {
namespace {

TEST(HttpStream, GivesWhatWasSentInOrderAndOnce) {
  HttpStream stream;
  EXPECT_TRUE(stream.send("a"));
  EXPECT_TRUE(stream.send("b"));
  EXPECT_EQ(stream.take().bytes, "ab");
  EXPECT_EQ(stream.take().bytes, "");
  EXPECT_FALSE(stream.take().closed);
  EXPECT_TRUE(stream.send("c"));
  stream.close();
  const HttpStream::Taken last = stream.take();
  EXPECT_EQ(last.bytes, "c");
  EXPECT_TRUE(last.closed);
  EXPECT_FALSE(stream.send("d"));
  EXPECT_EQ(stream.take().bytes, "");
}

TEST(HttpStream, SaysOnceThatThereIsSomething) {
  HttpStream stream;
  int ready = 0;
  stream.watch([&] { ++ready; });
  EXPECT_EQ(ready, 0);
  stream.send("a");
  stream.send("b");
  EXPECT_EQ(ready, 1);
  stream.watch([&] { ++ready; });  // there is something already
  EXPECT_EQ(ready, 2);
  stream.take();
  stream.watch([&] { ++ready; });
  stream.close();
  EXPECT_EQ(ready, 3);
}

TEST(HttpStream, AReaderThatIsGoneGetsNothing) {
  HttpStream stream;
  auto owned = std::make_shared<int>(0);
  stream.watch([owned] { ++*owned; });
  EXPECT_EQ(owned.use_count(), 2);
  stream.abandon();
  EXPECT_EQ(owned.use_count(), 1);  // nothing owns the connection any more
  EXPECT_TRUE(stream.is_gone());
  EXPECT_FALSE(stream.send("a"));
  EXPECT_EQ(*owned, 0);
  EXPECT_TRUE(stream.take().closed);
}

TEST(HttpStream, AReaderThatTakesNothingIsTakenForGone) {
  HttpStream stream(10);
  EXPECT_TRUE(stream.send("12345"));
  EXPECT_TRUE(stream.send("67890"));
  EXPECT_FALSE(stream.send("1"));
  EXPECT_TRUE(stream.is_gone());
  const HttpStream::Taken taken = stream.take();
  EXPECT_EQ(taken.bytes, "");
  EXPECT_TRUE(taken.closed);
}

TEST(HttpStream, LosesNothingBetweenThreads) {
  HttpStream stream;
  constexpr int kSent = 10'000;
  std::thread maker([&] {
    for (int i = 0; i < kSent; ++i) stream.send("x");
    stream.close();
  });
  size_t got = 0;
  for (bool closed = false; !closed;) {
    const HttpStream::Taken taken = stream.take();
    got += taken.bytes.size();
    closed = taken.closed;
  }
  maker.join();
  EXPECT_EQ(got, static_cast<size_t>(kSent));
}

}  // namespace
}  // namespace ordain::server
