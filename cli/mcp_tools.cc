#include "cli/mcp_tools.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <string>

#include "agents/mcp/message.h"
#include "agents/mcp/replies.h"
#include "cli/line_splitter.h"

namespace ordain::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostBytes = 64 << 20;  // of a message
constexpr size_t kMostPages = 1000;
constexpr int kNoSuchMethod = -32601;

constexpr const char* kConnect =
    R"({{"jsonrpc":"2.0","id":"connect","method":"initialize","params":{{"protocolVersion":"2025-11-25",)"
    R"("capabilities":{{}},"clientInfo":{{"name":"ordain","version":"{}"}}}}}})";
// What requests carry where servers know no connections.
constexpr const char* kStateless = R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                                   R"("io.modelcontextprotocol/clientInfo":{{"name":"ordain","version":"{}"}},)"
                                   R"("io.modelcontextprotocol/clientCapabilities":{{}})";

Error bad_server(std::string why) { return {"bad_server", std::move(why)}; }

/// Sends requests to the server and waits for their answers, one at a time.
class Talk {
 public:
  Talk(ChildProcess& server, std::chrono::seconds limit)
      : server_(server),
        deadline_(Clock::now() + limit),
        splitter_(
            kMostBytes, [this](std::string_view line) { lines_.emplace_back(line); },
            [this](std::string_view) { lines_.emplace_back(); }) {}

  Result<void> send(std::string_view message) {
    std::string bytes = std::string(message) + "\n";
    while (!bytes.empty()) {
      if (!wait(server_.input(), POLLOUT)) return bad_server("the server does not read");
      const ssize_t written = ::write(server_.input(), bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR && errno != EAGAIN) return bad_server("the server ended before it answered");
      if (written > 0) bytes.erase(0, static_cast<size_t>(written));
    }
    return {};
  }

  /// @returns the whole answer to the request with this id
  Result<Document> ask(std::string_view id, std::string_view request) {
    if (auto sent = send(request); !sent) return sent.error();
    for (;;) {
      while (!lines_.empty()) {
        const std::string line = std::move(lines_.front());
        lines_.pop_front();
        const Result<Document> read = Document::parse(line);
        if (!read) continue;  // servers that print what is not a message are none of our concern here
        const Result<mcp::Message> message = mcp::read_message(line, read->root());
        if (!message) continue;
        if (message->kind == mcp::MessageKind::response && message->key == "s" + std::string(id)) return *read;
        if (message->kind != mcp::MessageKind::request) continue;
        if (auto sent = send(mcp::error_reply(message->id, kNoSuchMethod, "not supported")); !sent) return sent.error();
      }
      if (auto more = receive(); !more) return more.error();
    }
  }

 private:
  bool wait(int descriptor, short events) {
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      if (left <= 0) return false;
      pollfd polled{descriptor, events, 0};
      const int ready = ::poll(&polled, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  Result<void> receive() {
    if (!wait(server_.output(), POLLIN)) return bad_server("the server did not answer in time");
    std::array<char, 65536> bytes;
    const ssize_t count = ::read(server_.output(), bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (count <= 0) return bad_server("the server ended before it answered");
    splitter_.add({bytes.data(), static_cast<size_t>(count)});
    return {};
  }

  ChildProcess& server_;
  const Clock::time_point deadline_;
  std::deque<std::string> lines_;
  LineSplitter splitter_;
};

}  // namespace

Result<std::vector<Document>> ask_for_tools(ChildProcess& server, std::chrono::seconds limit) {
  Talk talk(server, limit);
  const Result<Document> connected = talk.ask("connect", fmt::format(kConnect, ORDAIN_VERSION));
  if (!connected) return connected.error();
  std::string meta;
  if (mcp::member(connected->root(), "error") != nullptr) {
    meta = fmt::format(kStateless, ORDAIN_VERSION);
  } else if (auto sent = talk.send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"); !sent) {
    return sent.error();
  }
  std::vector<Document> out;
  std::string cursor;
  for (size_t page = 0; page < kMostPages; ++page) {
    const std::string id = fmt::format("tools-{}", page);
    const Result<Document> answer = talk.ask(id, mcp::list_request(id, cursor, meta));
    if (!answer) return answer.error();
    const Value* result = mcp::member(answer->root(), "result");
    const Value* tools = result == nullptr ? nullptr : mcp::member(*result, "tools");
    if (tools == nullptr || !tools->is(Kind::list)) return bad_server("the server does not list its tools");
    for (const Value& tool : tools->as_list()) out.push_back(Document::copy_of(tool));
    cursor = mcp::text_member(*result, "nextCursor");
    if (cursor.empty()) return out;
  }
  return bad_server("the server's list of tools has no end");
}

}  // namespace ordain::cli
