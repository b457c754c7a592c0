#include "cli/mcp_session.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <utility>

#include "agents/mcp/replies.h"
#include "cli/terminal.h"
#include "ordain/json.h"

namespace ordain::cli {
namespace {

using std::chrono::milliseconds;

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kMostToProcess = 32 << 20;  // a server that takes no more is not given more
constexpr size_t kMostUnasked = 256;         // messages that wait for a stream
constexpr size_t kMostUnaskedBytes = 1 << 20;
constexpr milliseconds kQuietEnd{5'000}, kAskedEnd{2'000};  // for ending by itself, and after a signal

server::HttpResponse json_rpc_error(unsigned status, std::string_view id, std::string_view message) {
  return {.status = status, .body = mcp::error_reply(id, mcp::kInvalidRequest, message), .headers = {}};
}

server::HttpResponse gone_session() { return json_rpc_error(404, "", "the session has ended"); }

server::HttpResponse stream_of(std::shared_ptr<server::HttpStream> stream) {
  server::HttpResponse out;
  out.content_type = "text/event-stream";
  out.stream = std::move(stream);
  return out;
}

/// A carriage return between tokens would end a line of the event.
std::string event_of(std::string text) {
  std::replace(text.begin(), text.end(), '\r', ' ');
  return "event: message\ndata: " + text + "\n\n";
}

}  // namespace

Result<std::shared_ptr<McpSession>> McpSession::start(const std::vector<std::string>& command, const Runtime& runtime,
                                                      const mcp::ProxyOptions& options, size_t most) {
  auto process = ChildProcess::start(command);
  if (!process) return process.error();
  std::shared_ptr<McpSession> out(new McpSession(std::move(*process), runtime, options, most));
  if (!out->open_pipe()) return Error{"no_pipe", "cannot make a pipe"};
  if (!out->thread_.start([session = out.get()] { session->run(); })) {
    return Error{"no_thread", "the system has no thread for another session"};
  }
  return out;
}

McpSession::McpSession(ChildProcess process, const Runtime& runtime, const mcp::ProxyOptions& options, size_t most)
    : process_(std::move(process)),
      proxy_(runtime, options),
      from_process_(
          most, [this](std::string_view line) { route(proxy_.from_server(line)); },
          [this](std::string_view id) { route(proxy_.too_long_from_server(id)); }) {}

McpSession::~McpSession() { end(); }

McpSession::WakePipe::~WakePipe() {
  for (const int descriptor : ends) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

bool McpSession::open_pipe() { return ::pipe2(wake_pipe_.ends, O_CLOEXEC | O_NONBLOCK) == 0; }

void McpSession::wake() const {
  const char byte = 0;
  (void)!::write(wake_pipe_.ends[1], &byte, 1);
}

server::HttpResponse McpSession::take(const mcp::Message& message) {
  const std::lock_guard lock(mutex_);
  if (ended_) return gone_session();
  used_ = Clock::now();
  if (to_process_.size() > kMostToProcess) return json_rpc_error(503, message.id, "the server takes no more messages");
  if (message.kind != mcp::MessageKind::request) {
    route(proxy_.from_client(message.text));
    wake();
    return {.status = 202, .body = {}, .headers = {}};
  }
  const auto [entry, is_new] = waiting_.try_emplace(message.key);
  if (!is_new) return json_rpc_error(400, message.id, "another request with this id has no answer yet");
  entry->second.number = ++requests_;
  current_ = message.key;
  route(proxy_.from_client(message.text));
  current_.clear();
  wake();
  const auto still = waiting_.find(message.key);
  if (!still->second.answer.empty()) {
    server::HttpResponse out{.body = std::move(still->second.answer), .headers = {}};
    waiting_.erase(still);
    for (const std::string& text : std::exchange(unasked_, {})) {
      unasked_bytes_ -= text.size();
      pass_unasked(text);  // another stream may be open
    }
    return out;
  }
  still->second.stream = std::make_shared<server::HttpStream>();
  flush_unasked(*still->second.stream);
  return stream_of(still->second.stream);
}

server::HttpResponse McpSession::listen() {
  const std::lock_guard lock(mutex_);
  if (ended_) return gone_session();
  used_ = Clock::now();
  if (listening_ != nullptr && !listening_->is_gone()) {
    return json_rpc_error(409, "", "the session has a stream for the server's messages already");
  }
  listening_ = std::make_shared<server::HttpStream>();
  flush_unasked(*listening_);
  return stream_of(listening_);
}

/// Sends on what the proxy gave out. The lock is held, as for all that follows but the thread's own steps.
void McpSession::route(const mcp::Messages& messages) {
  for (const std::string& note : messages.notes) complain(note);
  for (const std::string& message : messages.to_server) to_process_ += message + '\n';
  for (const std::string& message : messages.to_client) pass_to_client(message);
}

void McpSession::pass_to_client(const std::string& text) {
  Arena arena;
  const Result<Value> value = parse_json(arena, text);
  if (!value) return;  // the proxy passes on nothing of this kind
  const Result<mcp::Message> message = mcp::read_message(text, *value);
  if (!message || message->kind != mcp::MessageKind::response) return pass_unasked(text);
  const auto found = waiting_.find(message->key.empty() ? current_ : message->key);
  if (found == waiting_.end()) return;  // nobody waits for it any more
  if (found->second.stream == nullptr) {
    found->second.answer = text;
    return;
  }
  found->second.stream->send(event_of(text));
  found->second.stream->close();
  waiting_.erase(found);
}

/// Passes on a request or a notification of the server or of the proxy: with the answer that began last, where there is
/// one, as it often belongs to it.
void McpSession::pass_unasked(const std::string& text) {
  Waiting* latest = nullptr;
  for (auto& [key, waiting] : waiting_) {
    const bool open = waiting.stream != nullptr && !waiting.stream->is_gone();
    if (open && (latest == nullptr || waiting.number > latest->number)) latest = &waiting;
  }
  // A request that has no stream yet gets one, and then what waits.
  if (current_.empty()) {
    if (latest != nullptr && latest->stream->send(event_of(text))) return;
    if (listening_ != nullptr && listening_->send(event_of(text))) return;
  }
  unasked_.push_back(text);
  unasked_bytes_ += text.size();
  while (unasked_.size() > kMostUnasked || (unasked_.size() > 1 && unasked_bytes_ > kMostUnaskedBytes)) {
    unasked_bytes_ -= unasked_.front().size();
    unasked_.pop_front();
    complain("a message of the server was dropped, because the client does not listen");
  }
}

void McpSession::flush_unasked(server::HttpStream& stream) {
  for (const std::string& text : unasked_) stream.send(event_of(text));
  unasked_.clear();
  unasked_bytes_ = 0;
}

void McpSession::close_streams() {
  for (auto& [key, waiting] : waiting_) {
    if (waiting.stream != nullptr) waiting.stream->close();
  }
  waiting_.clear();
  if (listening_ != nullptr) listening_->close();
  listening_.reset();
}

void McpSession::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  close_streams();
  wake();
}

void McpSession::ping() {
  const std::lock_guard lock(mutex_);
  constexpr std::string_view kComment = ":\n\n";
  std::erase_if(waiting_, [&](const auto& entry) {
    if (entry.second.stream == nullptr || entry.second.stream->send(kComment)) return false;
    entry.second.stream->close();
    return true;
  });
  if (listening_ != nullptr && !listening_->send(kComment)) {
    listening_->close();
    listening_.reset();
  }
}

bool McpSession::is_ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

bool McpSession::is_over() const {
  const std::lock_guard lock(mutex_);
  return over_;
}

std::optional<McpSession::Clock::time_point> McpSession::idle_since() const {
  const std::lock_guard lock(mutex_);
  if (!waiting_.empty() || listening_ != nullptr) return std::nullopt;
  return used_;
}

void McpSession::run() noexcept {
  try {
    while (poll_once()) {
    }
    end_process();
  } catch (const std::exception& e) {  // no memory
    complain(e.what());
  }
  const std::lock_guard lock(mutex_);
  ended_ = over_ = true;
  close_streams();
}

/// @returns false if the session or the server has ended
bool McpSession::poll_once() {
  std::array<pollfd, 3> polled{};
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    polled[0] = {wake_pipe_.ends[0], POLLIN, 0};
    polled[1] = {process_.output(), POLLIN, 0};
    polled[2] = {to_process_.empty() ? -1 : process_.input(), POLLOUT, 0};
  }
  if (::poll(polled.data(), polled.size(), -1) < 0) return errno == EINTR;
  if (polled[0].revents != 0) {
    std::array<char, 256> bytes;
    (void)!::read(wake_pipe_.ends[0], bytes.data(), bytes.size());
  }
  if (polled[2].revents != 0) write_process();
  return polled[1].revents == 0 || read_process();
}

/// @returns false at the end
bool McpSession::read_process() {
  std::array<char, kReadBytes> bytes;
  const ssize_t count = ::read(process_.output(), bytes.data(), bytes.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  const std::lock_guard lock(mutex_);
  if (count > 0) {
    from_process_.add({bytes.data(), static_cast<size_t>(count)});
    return true;
  }
  from_process_.finish();
  if (!ended_) complain("the server of a session ended");
  route(proxy_.server_ended());
  return false;
}

void McpSession::write_process() {
  const std::lock_guard lock(mutex_);
  if (process_.input() < 0) return;
  const ssize_t written = ::write(process_.input(), to_process_.data(), to_process_.size());
  if (written > 0) to_process_.erase(0, static_cast<size_t>(written));
  if (written >= 0 || errno == EINTR || errno == EAGAIN) return;
  to_process_.clear();
  process_.close_input();  // its output tells when it ends
}

/// Lets the server end by itself, then asks it to. What still runs is killed with the ChildProcess.
void McpSession::end_process() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    process_.close_input();
  }
  for (const auto& [limit, signal] : {std::pair{kQuietEnd, 0}, std::pair{kAskedEnd, SIGTERM}}) {
    if (signal != 0) process_.signal(signal);
    const auto deadline = Clock::now() + limit;
    while (!process_.ended() && Clock::now() < deadline) {
      std::array<char, kReadBytes> unread;  // so that a full pipe does not keep it
      (void)!::read(process_.output(), unread.data(), unread.size());
      ::poll(nullptr, 0, 20);
    }
    if (process_.ended()) return;
  }
  process_.signal(SIGKILL);
}

}  // namespace ordain::cli
