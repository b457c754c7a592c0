// Posts with Boost.Beast: one chain of asynchronous steps, so that one time limit holds for all of them.
#include "server/http_client.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "server/http.h"

namespace ordain::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

Error bad_url(std::string_view why) { return Error{"bad_url", fmt::format("the address of the webhook {}", why)}; }

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

bool is_address_character(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == '.' || c == ':';
}

bool is_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool takes_prefix(std::string_view& text, std::string_view prefix) {
  if (!equal_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// The host as a URL and the Host header have it.
std::string authority_of(const WebAddress& address) {
  const std::string host = address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]";
  return address.port == (address.tls ? "443" : "80") ? host : host + ":" + address.port;
}

/// Finds the host, connects, lets `shake_hands` secure the connection, and posts. The caller's `io` must not run again
/// afterwards: what did not end in time would use what is gone.
template <typename Stream, typename ShakeHands>
Result<unsigned> exchange(asio::io_context& io, Stream& stream, const WebAddress& address, const HttpPost& what,
                          const ShakeHands& shake_hands) {
  http::request<http::string_body> request(http::verb::post, address.target, 11);
  request.set(http::field::host, authority_of(address));
  request.set(http::field::user_agent, "ordain");
  request.set(http::field::content_type, what.content_type);
  for (const auto& [name, value] : what.headers) request.set(name, value);
  request.keep_alive(false);
  request.body() = what.body;
  request.prepare_payload();
  std::optional<http::response_parser<http::string_body>> answer(std::in_place);
  beast::flat_buffer buffer;
  asio::ip::tcp::resolver resolver(io);
  std::string_view doing = "finding the host";
  error_code failed = asio::error::timed_out;  // if the last step is not reached

  // Informational answers, such as 103 Early Hints, precede the one that counts.
  std::function<void(error_code, size_t)> answered = [&](error_code error, size_t) {
    failed = error;
    if (error || answer->get().result_int() / 100 != 1) return;
    failed = asio::error::timed_out;
    answer.emplace();
    http::async_read_header(stream, buffer, *answer, answered);
  };
  const auto written = [&](error_code error, size_t) {
    failed = error;
    if (error) return;
    failed = asio::error::timed_out;
    doing = "waiting for the answer";
    http::async_read_header(stream, buffer, *answer, answered);
  };
  const auto secured = [&](error_code error) {
    failed = error;
    if (error) return;
    failed = asio::error::timed_out;
    doing = "sending";
    http::async_write(stream, request, written);
  };
  const auto connected = [&](error_code error, const asio::ip::tcp::endpoint&) {
    failed = error;
    if (error) return;
    failed = asio::error::timed_out;
    doing = "securing the connection";
    shake_hands(secured);
  };
  const auto found = [&](error_code error, const asio::ip::tcp::resolver::results_type& places) {
    failed = error;
    if (error) return;
    failed = asio::error::timed_out;
    doing = "connecting";
    beast::get_lowest_layer(stream).async_connect(places, connected);
  };
  resolver.async_resolve(address.host, address.port, found);
  io.run_for(what.timeout);
  if (failed) return Error{"http", fmt::format("{}: {}", doing, failed.message())};
  return answer->get().result_int();
}

Result<unsigned> post_plain(asio::io_context& io, const WebAddress& address, const HttpPost& what) {
  beast::tcp_stream stream(io);
  return exchange(io, stream, address, what, [](const auto& secured) { secured(error_code()); });
}

Result<unsigned> post_secured(asio::io_context& io, const WebAddress& address, const HttpPost& what) {
  using Context = asio::ssl::context;
  Context context(Context::tls_client);
  context.set_options(Context::default_workarounds | Context::no_sslv2 | Context::no_sslv3 | Context::no_tlsv1 |
                      Context::no_tlsv1_1);
  context.set_default_verify_paths();
  context.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<beast::tcp_stream> stream(io, context);
  stream.set_verify_callback(asio::ssl::host_name_verification(address.host));
  std::string name = address.host;  // servers of several names ask for it
  if (SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) != 1) {
    return Error{"http", "the name of the host cannot be set"};
  }
  return exchange(io, stream, address, what,
                  [&](const auto& secured) { stream.async_handshake(asio::ssl::stream_base::client, secured); });
}

}  // namespace

std::string WebAddress::origin() const { return (tls ? "https://" : "http://") + authority_of(*this); }

Result<WebAddress> parse_web_address(std::string_view url) {
  WebAddress out;
  std::string_view rest = url;
  if (takes_prefix(rest, "http://")) {
    out.tls = false;
  } else if (!takes_prefix(rest, "https://")) {
    return bad_url("must begin with https://");
  }
  if (!std::all_of(rest.begin(), rest.end(), [](char c) { return c > 32 && c < 127 && c != '#'; })) {
    return bad_url("may have neither spaces, nor `#`, nor characters beyond ASCII");
  }
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  out.target = rest.substr(end);
  if (!out.target.starts_with('/')) out.target.insert(0, "/");
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad_url("has no host");
    out.host = authority.substr(1, close - 1);
    authority.remove_prefix(close + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    out.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  const bool bracketed = rest.starts_with('[');
  if (out.host.empty() ||
      !std::all_of(out.host.begin(), out.host.end(), bracketed ? is_address_character : is_host_character)) {
    return bad_url("has no host, or one with other characters than letters, digits, `.` and `-`");
  }
  out.port = out.tls ? "443" : "80";
  if (!authority.empty()) {
    if (authority.front() != ':' || !is_port(authority.substr(1))) return bad_url("has a wrong port");
    out.port = authority.substr(1);
  }
  const bool own = equal_ignoring_case(out.host, "localhost") || out.host == "127.0.0.1" || out.host == "::1";
  if (!out.tls && !own) return bad_url("must begin with https://, unless it is one of this machine");
  return out;
}

struct HttpClient::Impl {
  WebAddress address;
  std::mutex mutex;
  bool cancelled = false;
  asio::io_context* running = nullptr;

  /// Lets `cancel` reach a post, as long as this lives.
  class Running {
   public:
    Running(Impl& impl, asio::io_context& io) : impl_(impl) {
      const std::lock_guard lock(impl_.mutex);
      impl_.running = &io;
      if (impl_.cancelled) io.stop();
    }
    ~Running() {
      const std::lock_guard lock(impl_.mutex);
      impl_.running = nullptr;
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    Impl& impl_;
  };
};

HttpClient::HttpClient(WebAddress address) : impl_(std::make_unique<Impl>()) { impl_->address = std::move(address); }

HttpClient::~HttpClient() = default;

Result<unsigned> HttpClient::post(const HttpPost& what) {
  try {
    asio::io_context io;
    const Impl::Running running(*impl_, io);
    return impl_->address.tls ? post_secured(io, impl_->address, what) : post_plain(io, impl_->address, what);
  } catch (const std::exception& e) {
    return Error{"http", e.what()};
  }
}

void HttpClient::cancel() {
  const std::lock_guard lock(impl_->mutex);
  impl_->cancelled = true;
  if (impl_->running != nullptr) impl_->running->stop();
}

}  // namespace ordain::server
