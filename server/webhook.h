// Webhook tells a web service of the people who approve that a call waits for them. It stands beside the path of
// calls: it reads the approvals store on a thread of its own, so nothing that it does can hold up a decision.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/approvals.h"
#include "ordain/result.h"
#include "server/http_client.h"
#include "vm/value/start_thread.h"

namespace ordain::server {

enum class WebhookFormat : uint8_t {
  json,   ///< Ordain's own; see docs/server.md
  slack,  ///< a message for an incoming webhook of Slack
};

/// Writes the body about one request. Its texts are the agent's: they are cut, on one line, and have no character that
/// hides or reorders text; for Slack they are plain text, in which nothing is a link, a mention or a format. Values of
/// secret fields are not in an approval.
std::string webhook_body(WebhookFormat format, const Approval& approval);

/// @returns "v1=" and the HMAC-SHA256 of `TIMESTAMP.BODY` in hex digits
std::string webhook_signature(std::string_view secret, std::string_view timestamp, std::string_view body);

/// Reads the secret of signatures from a file that only its owner may read: at least 16 printable characters without
/// spaces. @returns error "key_exposed", "key_unreadable" or "bad_secret"
Result<std::string> read_webhook_secret(const std::string& path);

/// How often is tried.
struct WebhookPace {
  std::chrono::milliseconds poll{1'000};       ///< between two looks into the store
  std::chrono::milliseconds first{1'000};      ///< after a failure; doubled by each further one
  std::chrono::milliseconds longest{300'000};  ///< until a request is tried again
  size_t most_at_once = 32;                    ///< requests between two looks
};

/// Decides which requests are sent when, and remembers in a file which ones were. What was not sent is still in the
/// store, so a restart loses nothing. Not thread-safe.
class WebhookQueue {
 public:
  using Clock = std::chrono::steady_clock;
  /// Sends one request. @returns the status of the answer
  using Send = std::function<Result<unsigned>(const Approval&)>;
  using Note = std::function<void(const std::string&)>;

  /// @param sent_file which is read now, and replaced when something was sent
  WebhookQueue(std::string sent_file, WebhookPace pace, Send send, Note note);

  /// Sends those of the pending requests that were not sent yet and are due. A failure ends the round, so that a
  /// service which is down is not asked for each of them. @returns how long to wait until the next round
  std::chrono::milliseconds deliver(const std::vector<Approval>& pending, Clock::time_point now);
  /// @returns whether a request of the last round is still to be sent
  bool has_unsent() const { return unsent_; }

 private:
  struct Failed {
    unsigned attempts = 0;
    Clock::time_point due;
  };
  std::chrono::milliseconds pause_after(unsigned failures) const;
  void forget_others(const std::vector<Approval>& pending);
  void save();

  const std::string sent_file_;
  const WebhookPace pace_;
  const Send send_;
  const Note note_;
  std::set<std::string> sent_;            ///< ids of pending requests
  std::map<std::string, Failed> failed_;  ///< likewise
  unsigned failures_ = 0;                 ///< since something was sent
  bool unsent_ = false;
};

struct WebhookOptions {
  WebAddress address;
  WebhookFormat format = WebhookFormat::json;
  std::string secret;    ///< signs; "" for none
  std::string database;  ///< the directory of the approvals
  WebhookPace pace = {};
  WebhookQueue::Note note = [](const std::string&) {};  ///< for the operator; called on the webhook's thread
};

class Webhook {
 public:
  explicit Webhook(WebhookOptions options);
  /// Ends at once. What was not sent is sent after the next start.
  ~Webhook();
  Webhook(const Webhook&) = delete;
  Webhook& operator=(const Webhook&) = delete;

  /// Call it once. @returns error "no_thread"
  Result<void> start();

 private:
  Result<unsigned> send(const Approval& approval);
  void run() noexcept;

  const WebhookOptions options_;
  HttpClient client_;
  WebhookQueue queue_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  vm::JoinedThread thread_;  ///< last, because it uses all else
};

}  // namespace ordain::server
