// Finds the requests that wait, writes and signs what is said about them, and sends it until somebody takes it.
#include "server/webhook.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "ordain/digest.h"
#include "ordain/terminal_text.h"
#include "ordain/time_text.h"
#include "runtime/keys/key_file.h"
#include "server/json_object.h"

namespace ordain::server {
namespace {

using std::chrono::milliseconds;

constexpr size_t kShortestSecret = 16;
constexpr size_t kIdDigits = 32;
constexpr size_t kLongestText = 4096;      // in a body of Ordain's own form
constexpr unsigned kRoundsUnchanged = 60;  // until the store is read although its files look the same

/// Characters that Slack gives a meaning.
std::string_view slack_escape(char c) {
  return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string_view();
}

/// Makes a text of the agent safe to show, in at most `most` bytes and the sign that something is missing.
std::string shown_text(std::string_view text, size_t most, WebhookFormat format) {
  const std::string safe = terminal_text(text.substr(0, 4 * most));  // what is shown is never shorter than the text
  std::string out;
  for (size_t at = 0; at < safe.size();) {
    size_t end = at + 1;
    while (end < safe.size() && (static_cast<unsigned char>(safe[end]) & 0xc0) == 0x80) ++end;
    const std::string_view escape = format == WebhookFormat::slack ? slack_escape(safe[at]) : std::string_view();
    const std::string_view unit = escape.empty() ? std::string_view(safe).substr(at, end - at) : escape;
    if (out.size() + unit.size() > most) return out + "…";
    out += unit;
    at = end;
  }
  return out;
}

std::string own_body(const Approval& approval) {
  const auto text = [](std::string_view given) { return shown_text(given, kLongestText, WebhookFormat::json); };
  const auto append = [&](std::string& out, const std::string& name) { append_json_string(out, text(name)); };
  JsonObject out;
  out.raw("version", "1").text("type", "approval_requested").text("id", text(approval.id));
  out.text("capability", text(approval.capability)).text("agent", text(approval.agent));
  out.text("principal", text(approval.principal)).text("tenant", text(approval.tenant));
  out.text("environment", text(approval.environment)).text("session", text(approval.session));
  out.text("rule", text(approval.rule)).text("reason", text(approval.reason));
  out.raw("groups", json_array(approval.groups(), append)).text("waits_for", text(approval.waits_for()));
  out.text("input_text", text(approval.input)).text("resource_text", text(approval.resource));
  out.text("binding", to_hex(approval.binding));
  out.text("created", format_time(approval.created_ns));
  out.text_or_null("expires", approval.expires_ns == 0 ? "" : format_time(approval.expires_ns));
  return out.close();
}

/// Slack refuses a text of more than 3,000 characters, so the parts together stay below.
std::string slack_body(const Approval& approval) {
  const auto text = [](std::string_view given, size_t most) { return shown_text(given, most, WebhookFormat::slack); };
  const std::string title =
      fmt::format("{} waits for approval by {}", text(approval.capability, 200), text(approval.waits_for(), 200));
  std::string details = fmt::format("{}\nagent: {}", title, text(approval.agent, 150));
  if (!approval.principal.empty()) details += fmt::format("\nprincipal: {}", text(approval.principal, 150));
  details += fmt::format("\n{}: {}", text(approval.rule, 150), text(approval.reason, 400));
  details += fmt::format("\ninput: {}", text(approval.input, 1200));
  details += fmt::format("\nid: {}", text(approval.id, 64));
  if (approval.expires_ns != 0) details += fmt::format("\nexpires: {}", format_time(approval.expires_ns));
  const std::string plain =
      JsonObject().text("type", "plain_text").text("text", details).boolean("emoji", false).close();
  const std::string section = JsonObject().text("type", "section").raw("text", plain).close();
  JsonObject out;
  out.text("text", title).boolean("mrkdwn", false).raw("blocks", "[" + section + "]");
  return out.boolean("unfurl_links", false).boolean("unfurl_media", false).close();
}

bool is_approval_id(std::string_view text) {
  return text.size() == kIdDigits &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The file that remembers what was sent to an address. Another address has another file.
std::string sent_file_of(const WebhookOptions& options) {
  const std::string name = to_hex(sha256(options.address.origin() + options.address.target)).substr(0, 16);
  return fmt::format("{}/webhook-{}.sent", options.database, name);
}

using Stamp = std::array<int64_t, 4>;

/// Tells whether the store may have changed: the sizes and times of its files.
Stamp stamp_of_store(const std::string& database) {
  Stamp out{};
  size_t at = 0;
  for (const char* name : {"/approvals.db", "/approvals.db-wal"}) {
    std::error_code missing;
    out[at++] = static_cast<int64_t>(std::filesystem::file_size(database + name, missing));
    out[at++] = std::filesystem::last_write_time(database + name, missing).time_since_epoch().count();
  }
  return out;
}

}  // namespace

std::string webhook_body(WebhookFormat format, const Approval& approval) {
  return format == WebhookFormat::slack ? slack_body(approval) : own_body(approval);
}

std::string webhook_signature(std::string_view secret, std::string_view timestamp, std::string_view body) {
  return "v1=" + to_hex(hmac_sha256(secret, fmt::format("{}.{}", timestamp, body)));
}

Result<std::string> read_webhook_secret(const std::string& path) {
  auto text = detail::read_secret(path);
  if (!text) return text.error();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  const bool printable = std::all_of(text->begin(), text->end(), [](char c) { return c > 32 && c < 127; });
  if (text->size() < kShortestSecret || !printable) {
    return Error{"bad_secret", path + ": a secret has at least 16 printable ASCII characters without spaces"};
  }
  return *text;
}

WebhookQueue::WebhookQueue(std::string sent_file, WebhookPace pace, Send send, Note note)
    : sent_file_(std::move(sent_file)), pace_(pace), send_(std::move(send)), note_(std::move(note)) {
  std::ifstream file(sent_file_);
  for (std::string line; std::getline(file, line);) {
    if (is_approval_id(line)) sent_.insert(std::move(line));
  }
}

milliseconds WebhookQueue::pause_after(unsigned failures) const {
  constexpr unsigned kMostDoublings = 20;
  return std::min(pace_.first * (int64_t{1} << std::min(failures - 1, kMostDoublings)), pace_.longest);
}

/// Drops what is known of requests that wait no more.
void WebhookQueue::forget_others(const std::vector<Approval>& pending) {
  std::set<std::string_view> ids;
  for (const Approval& approval : pending) ids.insert(approval.id);
  std::erase_if(sent_, [&](const std::string& id) { return !ids.contains(id); });
  std::erase_if(failed_, [&](const auto& entry) { return !ids.contains(entry.first); });
}

milliseconds WebhookQueue::deliver(const std::vector<Approval>& pending, Clock::time_point now) {
  forget_others(pending);
  size_t tried = 0;
  milliseconds wait = pace_.poll;
  bool sent_any = false;
  unsent_ = false;
  for (const Approval& approval : pending) {
    if (approval.altered || sent_.contains(approval.id)) continue;
    const auto earlier = failed_.find(approval.id);
    const bool due = earlier == failed_.end() || earlier->second.due <= now;
    if (!due || tried >= pace_.most_at_once) {
      unsent_ = true;
      continue;
    }
    ++tried;
    const Result<unsigned> status = send_(approval);
    if (status && *status >= 200 && *status < 300) {
      sent_.insert(approval.id);
      failed_.erase(approval.id);
      failures_ = 0;
      sent_any = true;
      continue;
    }
    Failed& failed = failed_[approval.id];
    failed.due = now + 2 * pause_after(++failed.attempts);  // so that others have their turn before
    wait = pause_after(++failures_);
    unsent_ = true;
    note_(fmt::format("the webhook did not take approval {} ({} attempts): {}", approval.id.substr(0, 8),
                      failed.attempts, status ? fmt::format("status {}", *status) : status.error().message));
    break;
  }
  if (sent_any) save();
  return wait;
}

/// Writes which requests were sent. Without the file they are sent once more after a restart.
void WebhookQueue::save() {
  const std::string next = sent_file_ + ".new";
  {
    std::ofstream file(next, std::ios::trunc);
    for (const std::string& id : sent_) file << id << '\n';
    file.close();
    if (!file) return note_(next + " cannot be written");
  }
  if (std::rename(next.c_str(), sent_file_.c_str()) != 0) note_(sent_file_ + " cannot be replaced");
}

Webhook::Webhook(WebhookOptions options)
    : options_(std::move(options)),
      client_(options_.address),
      queue_(
          sent_file_of(options_), options_.pace, [this](const Approval& approval) { return send(approval); },
          options_.note) {}

Webhook::~Webhook() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  client_.cancel();
}

Result<void> Webhook::start() {
  if (!thread_.start([this] { run(); })) return Error{"no_thread", "the system has no thread for the webhook"};
  return {};
}

Result<unsigned> Webhook::send(const Approval& approval) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{"http", "the service is stopping"};
  }
  HttpPost post;
  post.body = webhook_body(options_.format, approval);
  post.headers.emplace_back("Ordain-Delivery", approval.id);
  if (!options_.secret.empty()) {
    const std::string timestamp = fmt::format("{}", system_time_ns() / 1'000'000'000);
    post.headers.emplace_back("Ordain-Timestamp", timestamp);
    post.headers.emplace_back("Ordain-Signature", webhook_signature(options_.secret, timestamp, post.body));
  }
  return client_.post(post);
}

void Webhook::run() noexcept {
  std::optional<ApprovalStore> store;
  std::optional<Stamp> seen;
  for (unsigned round = 0;; ++round) {
    milliseconds wait = options_.pace.poll;
    try {
      if (!store) {
        // A connection of its own: no call waits for it.
        auto opened = ApprovalStore::open(options_.database, OpenMode::read_only);
        if (opened) store.emplace(std::move(*opened));
      }
      const Stamp stamp = stamp_of_store(options_.database);
      const bool changed = seen != stamp || round % kRoundsUnchanged == 0;
      if (store && (changed || queue_.has_unsent())) {
        if (const auto pending = store->list(ApprovalState::pending, system_time_ns())) {
          seen = stamp;
          wait = queue_.deliver(*pending, WebhookQueue::Clock::now());
        }
      }
    } catch (const std::exception&) {  // no memory: the next round tries again
    }
    std::unique_lock lock(mutex_);
    if (stopped_.wait_for(lock, wait, [this] { return stopping_; })) return;
  }
}

}  // namespace ordain::server
