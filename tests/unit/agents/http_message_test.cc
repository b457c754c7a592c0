// These tests cover what the hook takes for an answer of the daemon, and what it keeps of a call.
#include "agents/hook/http_message.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agents/hook/kept_calls.h"

namespace ordain::agents {
namespace {

HttpState state(std::string_view text, HttpReply* reply = nullptr) {
  HttpReply unused;
  std::string why;
  const HttpState out = read_http_reply(text, reply != nullptr ? reply : &unused, &why);
  EXPECT_EQ(out == HttpState::broken, !why.empty()) << text;
  return out;
}

constexpr std::string_view kGood = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 4\r\n\r\nbody";

TEST(HttpMessage, ARequestIsOneText) {
  EXPECT_EQ(http_post("/v1/decide", "{}"),
            "POST /v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            "Connection: close\r\n\r\n{}");
}

TEST(HttpMessage, EveryBeginningOfAnAnswerIsIncomplete) {
  for (size_t size = 0; size < kGood.size(); ++size) {
    EXPECT_EQ(state(kGood.substr(0, size)), HttpState::incomplete) << size;
  }
  HttpReply reply;
  EXPECT_EQ(state(kGood, &reply), HttpState::complete);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "body");
  EXPECT_EQ(state("HTTP/1.1 404\r\ncontent-length:0\r\n\r\n", &reply), HttpState::complete);
  EXPECT_EQ(reply.status, 404);
}

TEST(HttpMessage, AnythingElseIsBroken) {
  for (const std::string& text :
       {std::string("hello"), std::string("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 100 Continue\r\n\r\n"), std::string("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 2000\r\nContent-Length: 0\r\n\r\n"), std::string("HTTP/1.1 200 OK\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx"),
        std::string("HTTP/1.1 200 OK\r\n Content-Length: 1\r\n\r\nx"),
        std::string("HTTP/1.1 200 OK\r\nX: a\nb\r\nContent-Length: 1\r\n\r\nx"), std::string(kGood) + "more",
        "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x')}) {
    EXPECT_EQ(state(text), HttpState::broken) << text.substr(0, 80);
  }
}

class KeptCalls : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / ("kept-calls-" + std::to_string(::getpid()));
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string folder() const { return (root_ / "calls").string(); }
  std::filesystem::path root_;
};

TEST_F(KeptCalls, AnIdIsGivenBackOnce) {
  keep_call(folder(), "key", "c-1");
  EXPECT_EQ(take_call(folder(), "other"), std::nullopt);
  EXPECT_EQ(take_call(folder(), "key"), "c-1");
  EXPECT_EQ(take_call(folder(), "key"), std::nullopt);
  keep_call(folder(), "key", "c-2");
  keep_call(folder(), "key", "c-3");
  EXPECT_EQ(take_call(folder(), "key"), "c-3");
}

TEST_F(KeptCalls, OnlyInADirectoryOfThisUserAlone) {
  keep_call(folder(), "key", "c-1");
  struct stat status{};
  ASSERT_EQ(::stat(folder().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(::chmod(folder().c_str(), 0755), 0);
  EXPECT_EQ(take_call(folder(), "key"), std::nullopt) << "others could have written it";
  ASSERT_EQ(::chmod(folder().c_str(), 0700), 0);
  EXPECT_EQ(take_call(folder(), "key"), "c-1");
  std::filesystem::create_directory_symlink(folder(), root_ / "link");
  keep_call((root_ / "link").string(), "key", "c-2");
  EXPECT_EQ(take_call(folder(), "key"), std::nullopt) << "a link may lead anywhere";
}

TEST_F(KeptCalls, WhatCouldNotBeAnIdIsNotKept) {
  for (const std::string& id : {std::string(), std::string("a/b"), std::string("a\nb"), std::string(200, 'a')}) {
    keep_call(folder(), "key", id);
    EXPECT_EQ(take_call(folder(), "key"), std::nullopt) << id;
  }
  keep_call(folder(), "", "c-1");
  EXPECT_EQ(take_call(folder(), ""), std::nullopt);
  keep_call(folder(), std::string(70'000, 'k'), "c-1");
  EXPECT_EQ(take_call(folder(), std::string(70'000, 'k')), std::nullopt);
}

TEST_F(KeptCalls, FilesAreBounded) {
  for (int n = 0; n < 5000; ++n) keep_call(folder(), "key " + std::to_string(n), "c-1");
  const auto files = std::filesystem::directory_iterator(folder());
  EXPECT_LE(std::distance(begin(files), end(files)), 4096);
}

}  // namespace
}  // namespace ordain::agents
