// Serves HTTP with Boost.Beast: each connection is a chain of asynchronous steps on a strand, so a
// slow client holds no thread. Exceptions of the library stop here.
#include "server/http_server.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/http_stream.h"
#include "vm/value/start_thread.h"

namespace ordain::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

/// A connection, whatever its protocol.
class OpenConnection {
 public:
  using Clock = std::chrono::steady_clock;

  explicit OpenConnection(Channel channel) : channel_(channel) {}
  virtual ~OpenConnection() = default;
  OpenConnection(const OpenConnection&) = delete;
  OpenConnection& operator=(const OpenConnection&) = delete;

  Channel channel() const { return channel_; }
  /// @returns since when a request has not been read whole; kBusy while one is answered
  Clock::rep waiting_since() const { return waiting_since_; }
  /// Makes the connection one that must close. @returns false if it has begun to answer since `since`
  bool claim(Clock::rep since) { return waiting_since_.compare_exchange_strong(since, kClaimed); }

  static constexpr Clock::rep kBusy = 0;

  /// @returns an owner; nullptr if the last one is already gone
  virtual std::shared_ptr<OpenConnection> share() = 0;
  /// Closes the connection if it is between two requests, or writes an answer that may never end. Any thread may call
  /// it.
  virtual void close_when_idle() = 0;
  /// Closes a connection that was claimed. Any thread may call it.
  virtual void give_way() = 0;
  /// Lets go of an answer that others still make. Called when no thread serves any more.
  virtual void let_go() = 0;

 protected:
  /// A connection that was claimed stays so.
  void begin_to_wait() {
    Clock::rep expected = kBusy;
    waiting_since_.compare_exchange_strong(expected, std::max<Clock::rep>(1, Clock::now().time_since_epoch().count()));
  }
  /// @returns false if the connection was claimed, and must close
  bool stop_waiting() { return waiting_since_.exchange(kBusy) != kClaimed; }

 private:
  static constexpr Clock::rep kClaimed = -1;

  const Channel channel_;
  std::atomic<Clock::rep> waiting_since_{kBusy};
};

/// What the connections share.
struct Serving {
  Serving(const HttpLimits& given, const HttpHandler& answer) : limits(given), handler(answer) {}

  const HttpLimits& limits;
  const HttpHandler& handler;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::set<OpenConnection*> connections;

  /// Adds a connection. If there are too many, one that waits for a request gives way to it: whoever holds connections
  /// open, which needs no token, must not lock out the others.
  /// @returns false if there are too many, and none gives way
  bool add(OpenConnection* connection) {
    std::shared_ptr<OpenConnection> leaving;  // released after the lock
    {
      const std::lock_guard lock(mutex);
      if (stopping) return false;
      if (is_full_for(connection->channel())) {
        OpenConnection* const claimed = claim_one(connection->channel());
        if (claimed == nullptr) return false;
        leaving = claimed->share();
        connections.erase(claimed);
      }
      connections.insert(connection);
    }
    if (leaving != nullptr) leaving->give_way();
    return true;
  }
  void remove(OpenConnection* connection) {
    const std::lock_guard lock(mutex);
    connections.erase(connection);
  }
  /// @returns owners of all connections, to be used and released without the lock
  std::vector<std::shared_ptr<OpenConnection>> share_connections() {
    std::vector<std::shared_ptr<OpenConnection>> out;
    const std::lock_guard lock(mutex);
    for (OpenConnection* connection : connections) {
      if (auto shared = connection->share()) out.push_back(std::move(shared));
    }
    return out;
  }

  uint32_t most_of_tcp = 0;  ///< connections; less than all where there is a UNIX socket

  asio::io_context io;  // last, because the handlers that it still holds own connections

 private:
  // The lock is held.
  bool is_full_for(Channel channel) const {
    if (connections.size() >= limits.connections) return true;
    if (channel != Channel::tcp || connections.size() < most_of_tcp) return false;
    const auto is_tcp = [](const OpenConnection* one) { return one->channel() == Channel::tcp; };
    return static_cast<size_t>(std::count_if(connections.begin(), connections.end(), is_tcp)) >= most_of_tcp;
  }
  /// @returns the connection that has waited longest, and since when; nullptr if none waits
  std::pair<OpenConnection*, OpenConnection::Clock::rep> longest_waiting(Channel channel) const {
    std::pair<OpenConnection*, OpenConnection::Clock::rep> out{nullptr, 0};
    for (OpenConnection* one : connections) {
      const auto since = one->waiting_since();
      if (one->channel() != channel || since <= OpenConnection::kBusy) continue;
      if (out.first == nullptr || since < out.second) out = {one, since};
    }
    return out;
  }
  /// Claims the connection that has waited longest. Those of TCP, where anybody may connect, go first, and do not drive
  /// out the peers of the UNIX socket, which are trusted. @returns nullptr if there is none
  OpenConnection* claim_one(Channel newcomer) {
    for (const Channel channel : {Channel::tcp, Channel::unix_socket}) {
      if (channel == Channel::unix_socket && newcomer == Channel::tcp) break;
      for (auto found = longest_waiting(channel); found.first != nullptr; found = longest_waiting(channel)) {
        if (found.first->claim(found.second)) return found.first;  // else its request has just come
      }
    }
    return nullptr;
  }
};

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

HttpRequest take_request(http::request<http::string_body>&& message, Channel channel) {
  HttpRequest out;
  out.channel = channel;
  out.method = view_of(message.method_string());
  out.target = view_of(message.target());
  for (const auto& field : message) {
    out.headers.emplace_back(lower_case(view_of(field.name_string())), view_of(field.value()));
  }
  out.body = std::move(message.body());
  return out;
}

template <typename Protocol>
class Connection final : public OpenConnection, public std::enable_shared_from_this<Connection<Protocol>> {
 public:
  static constexpr Channel kChannel =
      std::is_same_v<Protocol, asio::local::stream_protocol> ? Channel::unix_socket : Channel::tcp;

  Connection(Serving& serving, typename Protocol::socket socket)
      : OpenConnection(kChannel), serving_(serving), stream_(std::move(socket)) {}
  ~Connection() override {
    if (added_) serving_.remove(this);
  }

  void start() {
    if (kChannel == Channel::unix_socket && !has_trusted_peer(stream_.socket().native_handle())) return;
    begin_to_wait();
    added_ = serving_.add(this);
    if (!added_) return;
    asio::dispatch(stream_.get_executor(), [self = this->shared_from_this()] { self->read_header(); });
  }

  std::shared_ptr<OpenConnection> share() override { return this->weak_from_this().lock(); }

  void close_when_idle() override {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
      if (self->idle_) self->stream_.close();
      if (self->waiting_) self->end_stream();
    });
  }

  void give_way() override {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->stream_.close(); });
  }

  void let_go() override {
    if (sent_ != nullptr) sent_->abandon();
  }

 private:
  template <typename Step>
  auto next(Step step) {
    return beast::bind_front_handler(step, this->shared_from_this());
  }

  void read_header() {
    if (serving_.stopping) return stream_.close();
    idle_ = true;
    begin_to_wait();
    parser_.emplace();
    parser_->header_limit(serving_.limits.header_bytes);
    parser_->body_limit(serving_.limits.body_bytes);
    stream_.expires_after(serving_.limits.idle);
    http::async_read_header(stream_, buffer_, *parser_, next(&Connection::read_body));
  }

  void read_body(error_code error, size_t) {
    idle_ = false;
    if (error) return fail(error);
    stream_.expires_after(serving_.limits.transfer);
    http::async_read(stream_, buffer_, *parser_, next(&Connection::answer));
  }

  void answer(error_code error, size_t) {
    if (error) return fail(error);
    if (!stop_waiting()) return stream_.close();
    keep_alive_ = parser_->get().keep_alive();
    version_ = parser_->get().version();
    write(serving_.handler(take_request(parser_->release(), kChannel)));
  }

  /// Answers what cannot be read as a request, if there is anybody to answer.
  void fail(error_code error) {
    keep_alive_ = false;
    if (error == http::error::header_limit) {
      write(error_response(431, "header_limit", "the header is too long"));
    } else if (error == http::error::body_limit) {
      write(error_response(413, "body_limit", "the body is too long"));
    } else if (error.category() == make_error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
      write(error_response(400, "bad_http", "this is not HTTP/1.1"));
    } else {
      stream_.close();  // the peer is gone, or was too slow
    }
  }

  template <typename Head>
  void fill_head(Head& head, const HttpResponse& answer) {
    keep_alive_ = keep_alive_ && !serving_.stopping;
    head.version(version_);
    head.result(answer.status);
    head.set(http::field::content_type, answer.content_type);
    head.set(http::field::cache_control, "no-store");
    head.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.headers) head.set(name, value);
    head.keep_alive(keep_alive_);
  }

  void write(HttpResponse answer) {
    if (answer.stream != nullptr) return begin_stream(answer);
    response_.emplace();
    fill_head(*response_, answer);
    response_->body() = std::move(answer.body);
    response_->prepare_payload();
    stream_.expires_after(serving_.limits.transfer);
    http::async_write(stream_, *response_, next(&Connection::written));
  }

  void written(error_code error, size_t) {
    if (error) return stream_.close();
    if (!keep_alive_) return finish();
    read_header();
  }

  /// Writes an answer in chunks, as they come. HTTP/1.0 has no chunks.
  void begin_stream(const HttpResponse& answer) {
    sent_ = answer.stream;
    if (version_ < 11) return end_stream();
    head_.emplace();
    fill_head(*head_, answer);
    head_->chunked(true);
    head_writer_.emplace(*head_);
    stream_.expires_after(serving_.limits.transfer);
    http::async_write_header(stream_, *head_writer_, next(&Connection::go_on_with_stream));
  }

  void go_on_with_stream(error_code error, size_t) {
    if (error || serving_.stopping) return end_stream();
    HttpStream::Taken taken = sent_->take();
    if (!taken.bytes.empty()) {
      chunk_ = std::move(taken.bytes);
      stream_.expires_after(serving_.limits.transfer);
      return asio::async_write(stream_, http::make_chunk(asio::const_buffer(chunk_.data(), chunk_.size())),
                               next(&Connection::go_on_with_stream));
    }
    if (taken.closed) {
      sent_.reset();
      stream_.expires_after(serving_.limits.transfer);
      return asio::async_write(stream_, http::make_chunk_last(), next(&Connection::written));
    }
    stream_.expires_never();
    waiting_ = true;
    // The stream owns this connection until there is something to write.
    sent_->watch([self = this->shared_from_this()] {
      asio::post(self->stream_.get_executor(), [self] {
        if (std::exchange(self->waiting_, false)) self->go_on_with_stream({}, 0);
      });
    });
  }

  /// Ends an answer before its end.
  void end_stream() {
    waiting_ = false;
    if (sent_ != nullptr) sent_->abandon();
    sent_.reset();
    stream_.close();
  }

  /// Ends the connection so that the peer can still read the answer.
  void finish() {
    error_code ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
    stream_.close();
  }

  Serving& serving_;
  beast::basic_stream<Protocol> stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response<http::empty_body>> head_;  ///< of an answer in chunks
  std::optional<http::response_serializer<http::empty_body>> head_writer_;
  std::shared_ptr<HttpStream> sent_;  ///< the chunks
  std::string chunk_;                 ///< that is written now
  bool waiting_ = false;              ///< for the next one
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool idle_ = true;    ///< no request is in progress
  bool added_ = false;  ///< to the connections of `serving_`
};

/// A listening socket, whatever its protocol.
class Accepting {
 public:
  virtual ~Accepting() = default;
  virtual void accept() = 0;
  virtual void stop() = 0;
};

template <typename Protocol>
class Acceptor final : public Accepting {
 public:
  Acceptor(Serving& serving, const Protocol& protocol, int descriptor)
      : serving_(serving), acceptor_(asio::make_strand(serving.io)), pause_(acceptor_.get_executor()) {
    acceptor_.assign(protocol, descriptor);
  }

  void accept() override {
    acceptor_.async_accept(asio::make_strand(serving_.io), [this](error_code error, typename Protocol::socket socket) {
      if (serving_.stopping || error == asio::error::operation_aborted) return;
      if (error) return wait_and_accept();
      std::make_shared<Connection<Protocol>>(serving_, std::move(socket))->start();
      accept();
    });
  }

  void stop() override {
    asio::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
    });
  }

 private:
  /// The process has no descriptor left, for example: trying again at once would only burn time.
  void wait_and_accept() {
    pause_.expires_after(std::chrono::milliseconds(50));
    pause_.async_wait([this](error_code error) {
      if (!error && !serving_.stopping) accept();
    });
  }

  Serving& serving_;
  typename Protocol::acceptor acceptor_;
  asio::steady_timer pause_;
};

std::unique_ptr<Accepting> make_acceptor(Serving& serving, Listener& listener) {
  if (listener.channel() == Channel::unix_socket) {
    return std::make_unique<Acceptor<asio::local::stream_protocol>>(serving, asio::local::stream_protocol(),
                                                                    listener.release());
  }
  const auto protocol = listener.is_ipv6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
  return std::make_unique<Acceptor<asio::ip::tcp>>(serving, protocol, listener.release());
}

/// Runs handlers until none is left. What a handler throws, for lack of memory, ends its connection.
void run_handlers(asio::io_context& io) noexcept {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception&) {
    }
  }
}

void begin_to_stop(Serving& serving, std::vector<std::unique_ptr<Accepting>>& acceptors, asio::steady_timer& deadline) {
  serving.stopping = true;
  for (const auto& acceptor : acceptors) acceptor->stop();
  for (const auto& connection : serving.share_connections()) connection->close_when_idle();
  deadline.expires_after(serving.limits.stopping);
  deadline.async_wait([&serving](error_code error) {
    if (!error) serving.io.stop();
  });
}

/// Waits until every connection has ended, so that the deadline does not hold up a service that has
/// nothing left to do.
void watch_for_end(Serving& serving, asio::steady_timer& check, asio::steady_timer& deadline) {
  check.expires_after(std::chrono::milliseconds(20));
  check.async_wait([&](error_code error) {
    if (error) return;
    bool idle = false;
    {
      const std::lock_guard lock(serving.mutex);
      idle = serving.connections.empty();
    }
    if (idle) {
      deadline.cancel();
    } else {
      watch_for_end(serving, check, deadline);
    }
  });
}

Result<void> serve(std::vector<Listener>& listeners, const HttpLimits& limits, const HttpHandler& handler,
                   const std::function<void()>& started) {
  Serving serving(limits, handler);
  const bool has_unix = std::any_of(listeners.begin(), listeners.end(),
                                    [](const Listener& one) { return one.channel() == Channel::unix_socket; });
  serving.most_of_tcp = has_unix ? limits.connections - limits.connections / 4 : limits.connections;
  std::vector<std::unique_ptr<Accepting>> acceptors;
  for (Listener& listener : listeners) acceptors.push_back(make_acceptor(serving, listener));
  const auto control = asio::make_strand(serving.io);  // on which the end is prepared
  asio::signal_set signals(control);
  if (limits.awaits_signals) {
    signals.add(SIGTERM);
    signals.add(SIGINT);
  }
  asio::steady_timer deadline(control), check(control);
  signals.async_wait([&](error_code error, int) {
    if (error) return;
    begin_to_stop(serving, acceptors, deadline);
    watch_for_end(serving, check, deadline);
  });
  for (const auto& acceptor : acceptors) acceptor->accept();
  started();
  {
    std::vector<vm::JoinedThread> threads(limits.threads > 0 ? limits.threads - 1 : 0);
    for (vm::JoinedThread& thread : threads) {
      // With fewer threads the rest take over the work; this one always runs.
      if (!thread.start([&serving] { run_handlers(serving.io); })) break;
    }
    run_handlers(serving.io);
  }
  for (const auto& connection : serving.share_connections()) connection->let_go();
  return {};
}

}  // namespace

uint32_t connections_that_fit(uint32_t wanted) {
  constexpr rlim_t kFewest = 8, kLeastForFiles = 32;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const rlim_t for_files = std::max(kLeastForFiles, limit.rlim_cur / 4);
  const rlim_t most = limit.rlim_cur > for_files + kFewest ? limit.rlim_cur - for_files : kFewest;
  return static_cast<uint32_t>(std::min<rlim_t>(wanted, most));
}

Result<void> serve_http(std::vector<Listener> listeners, const HttpLimits& limits, const HttpHandler& handler,
                        const std::function<void()>& started) {
  try {
    return serve(listeners, limits, handler, started);
  } catch (const std::exception& e) {
    return Error{"serve", e.what()};
  }
}

}  // namespace ordain::server
