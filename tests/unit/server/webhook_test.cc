// What is said of requests that wait for approval, where it may be sent, and when it is sent again.
#include "server/webhook.h"

#include <filesystem>
#include <set>

#include "ordain/digest.h"
#include "tests/unit/server/support.h"

namespace ordain::server {
namespace {

using namespace testing;
using std::chrono::milliseconds;

Approval waiting(const std::string& digit, const std::string& input = R"({"amount":600.0})") {
  Approval out;
  for (int i = 0; i < 32; ++i) out.id += digit;
  out.capability = "pay";
  out.agent = "teller";
  out.rule = "payments.large";
  out.reason = "a payment above 500";
  out.input = input;
  out.resource = "null";
  out.expires_ns = ordain::testing::kNoon;
  return out;
}

TEST(Webhook, AddressesThatAreUsed) {
  struct Case {
    const char* url;
    const char* origin;
    const char* target;
  };
  for (const Case& each :
       {Case{"https://hooks.example.com/a/b?c=d", "https://hooks.example.com", "/a/b?c=d"},
        Case{"HTTPS://hooks.example.com", "https://hooks.example.com", "/"},
        Case{"https://hooks.example.com:8443?x", "https://hooks.example.com:8443", "/?x"},
        Case{"https://[2001:db8::1]:444/", "https://[2001:db8::1]:444", "/"},
        Case{"http://localhost:8080/hook", "http://localhost:8080", "/hook"},
        Case{"http://127.0.0.1/", "http://127.0.0.1", "/"}, Case{"http://[::1]:1/", "http://[::1]:1", "/"}}) {
    const auto parsed = parse_web_address(each.url);
    ASSERT_TRUE(parsed.ok()) << each.url << " " << parsed.error().message;
    EXPECT_EQ(parsed->origin(), each.origin);
    EXPECT_EQ(parsed->target, each.target);
  }
}

TEST(Webhook, AddressesThatAreRefused) {
  for (const char* url : {"",
                          "hooks.example.com",
                          "ftp://a/",
                          "https://",
                          "https:///x",
                          "https://a b/",
                          "https://a/#x",
                          "https://a\n/",
                          "https://user@a/",
                          "https://a:0/",
                          "https://a:65536/",
                          "https://a:/",
                          "https://a:1x/",
                          "https://[::1/",
                          "https://[a/]/",
                          "https://\xc3\xa4/",
                          "http://example.com/",
                          "http://127.0.0.1.example.com/",
                          "http://localhost@example.com/",
                          "http://10.0.0.1/"}) {
    EXPECT_FALSE(parse_web_address(url).ok()) << url;
  }
}

TEST(Webhook, OwnBodiesSayWhatWaits) {
  const Json body = Json::parse(webhook_body(WebhookFormat::json, waiting("a")));
  EXPECT_EQ(body["version"], 1);
  EXPECT_EQ(body["type"], "approval_requested");
  EXPECT_EQ(body["id"], std::string(32, 'a'));
  EXPECT_EQ(body["capability"], "pay");
  EXPECT_EQ(body["agent"], "teller");
  EXPECT_EQ(body["reason"], "a payment above 500");
  EXPECT_EQ(body["input_text"], R"({"amount":600.0})");
  EXPECT_EQ(body["expires"], "2026-01-01T12:00:00Z");
}

TEST(Webhook, TextsOfTheAgentAreNeutralised) {
  Approval approval = waiting("a", "{\"note\":\"<!channel> *now* \xe2\x80\xae\x1b[2J\n&\"}");
  approval.agent = "<@U1>\n\xff";
  for (const WebhookFormat format : {WebhookFormat::json, WebhookFormat::slack}) {
    const std::string body = webhook_body(format, approval);
    ASSERT_TRUE(Json::accept(body)) << body;  // which refuses invalid UTF-8
    EXPECT_EQ(body.find("\xe2\x80\xae"), std::string::npos);
    EXPECT_EQ(body.find("\\u001b"), std::string::npos);
    EXPECT_NE(body.find("\\\\u{1b}"), std::string::npos) << body;
  }
  const Json slack = Json::parse(webhook_body(WebhookFormat::slack, approval));
  EXPECT_EQ(slack["mrkdwn"], false);
  ASSERT_EQ(slack["blocks"].size(), 1u);
  EXPECT_EQ(slack["blocks"][0]["text"]["type"], "plain_text");
  const std::string text = slack["blocks"][0]["text"]["text"];
  EXPECT_EQ(text.find('<'), std::string::npos) << text;
  EXPECT_NE(text.find("&lt;!channel&gt;"), std::string::npos) << text;
  EXPECT_EQ(slack["text"].get<std::string>().find('<'), std::string::npos);
}

TEST(Webhook, LongTextsAreCut) {
  for (const std::string& piece :
       {std::string("x"), std::string("<"), std::string("\n"), std::string("\xe2\x82\xac")}) {
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    Approval approval = waiting("a", text);
    approval.agent = approval.principal = approval.reason = approval.rule = approval.capability = text;
    const std::string own = webhook_body(WebhookFormat::json, approval);
    EXPECT_TRUE(Json::accept(own));
    EXPECT_LT(own.size(), 100'000u);
    const Json slack = Json::parse(webhook_body(WebhookFormat::slack, approval));
    const std::string shown = slack["blocks"][0]["text"]["text"];
    EXPECT_LE(shown.size(), 3000u) << piece;  // more would be refused, at each attempt
    EXPECT_NE(shown.find("\xe2\x80\xa6"), std::string::npos) << piece;
  }
}

TEST(Webhook, SignsTimeAndBody) {
  const std::string signature = webhook_signature("0123456789abcdef", "1767268800", "{}");
  EXPECT_EQ(signature, "v1=" + to_hex(hmac_sha256("0123456789abcdef", "1767268800.{}")));
  EXPECT_NE(signature, webhook_signature("0123456789abcdef", "1767268801", "{}"));
  EXPECT_NE(signature, webhook_signature("0123456789abcdeF", "1767268800", "{}"));
}

/// A queue whose receiver says what the test wants.
struct Queued {
  ordain::testing::TemporaryDirectory folder;
  WebhookPace pace{milliseconds(1000), milliseconds(1000), milliseconds(60'000), 4};
  std::vector<std::string> tried;  ///< the first digits of the ids
  std::set<std::string> refused;
  unsigned status = 200;
  size_t notes = 0;
  WebhookQueue::Clock::time_point now = WebhookQueue::Clock::now();

  WebhookQueue open() {
    return WebhookQueue(
        folder / "sent", pace,
        [this](const Approval& approval) -> Result<unsigned> {
          tried.push_back(approval.id.substr(0, 1));
          if (status == 0) return Error{"http", "nobody is there"};
          return refused.contains(tried.back()) ? 400u : status;
        },
        [this](const std::string&) { ++notes; });
  }
  std::vector<std::string> take_tried() { return std::exchange(tried, {}); }
};

using Ids = std::vector<std::string>;

TEST(Webhook, EachRequestIsSentOnce) {
  Queued bench;
  WebhookQueue queue = bench.open();
  EXPECT_EQ(queue.deliver({waiting("a"), waiting("b")}, bench.now), milliseconds(1000));
  EXPECT_EQ(bench.take_tried(), (Ids{"a", "b"}));
  EXPECT_FALSE(queue.has_unsent());
  queue.deliver({waiting("a"), waiting("b"), waiting("c")}, bench.now);
  EXPECT_EQ(bench.take_tried(), Ids{"c"});
  // Another daemon after a restart knows it too.
  WebhookQueue again = bench.open();
  again.deliver({waiting("a"), waiting("c"), waiting("d")}, bench.now);
  EXPECT_EQ(bench.take_tried(), Ids{"d"});
  EXPECT_EQ(bench.notes, 0u);
}

TEST(Webhook, AServiceThatIsDownIsAskedLessAndLessOften) {
  Queued bench;
  bench.status = 0;
  WebhookQueue queue = bench.open();
  const std::vector<Approval> pending = {waiting("a"), waiting("b")};
  milliseconds last{0};
  for (int i = 0; i < 12; ++i) {
    const milliseconds wait = queue.deliver(pending, bench.now);
    if (bench.take_tried().size() == 1) {
      EXPECT_GE(wait, last);
      last = wait;
    }
    EXPECT_TRUE(queue.has_unsent());
    bench.now += wait;
  }
  EXPECT_GT(bench.notes, 2u);
  EXPECT_LE(last, milliseconds(60'000));
  bench.status = 204;
  bench.now += std::chrono::hours(1);
  queue.deliver(pending, bench.now);
  EXPECT_EQ(bench.take_tried(), (Ids{"a", "b"}));
  EXPECT_FALSE(queue.has_unsent());
}

TEST(Webhook, ARequestThatIsRefusedDoesNotHoldUpOthers) {
  Queued bench;
  bench.refused = {"a"};
  WebhookQueue queue = bench.open();
  const std::vector<Approval> pending = {waiting("a"), waiting("b"), waiting("c")};
  bench.now += queue.deliver(pending, bench.now);
  EXPECT_EQ(bench.take_tried(), Ids{"a"});
  queue.deliver(pending, bench.now);
  EXPECT_EQ(bench.take_tried(), (Ids{"b", "c"}));
  EXPECT_TRUE(queue.has_unsent());
  bench.refused.clear();
  queue.deliver(pending, bench.now + std::chrono::hours(1));
  EXPECT_EQ(bench.take_tried(), Ids{"a"});
}

TEST(Webhook, ARoundIsBounded) {
  Queued bench;
  WebhookQueue queue = bench.open();
  std::vector<Approval> pending;
  for (const char* digit : {"0", "1", "2", "3", "4", "5"}) pending.push_back(waiting(digit));
  queue.deliver(pending, bench.now);
  EXPECT_EQ(bench.take_tried().size(), 4u);
  EXPECT_TRUE(queue.has_unsent());
  queue.deliver(pending, bench.now);
  EXPECT_EQ(bench.take_tried(), (Ids{"4", "5"}));
  EXPECT_FALSE(queue.has_unsent());
}

TEST(Webhook, WhatWaitsNoMoreIsForgotten) {
  Queued bench;
  WebhookQueue queue = bench.open();
  queue.deliver({waiting("a"), waiting("b")}, bench.now);
  queue.deliver({waiting("c")}, bench.now);
  EXPECT_LT(std::filesystem::file_size(bench.folder / "sent"), 40u);  // one id
  EXPECT_EQ(bench.take_tried(), (Ids{"a", "b", "c"}));
}

TEST(Webhook, AlteredRequestsAreNotSent) {
  Queued bench;
  WebhookQueue queue = bench.open();
  Approval altered = waiting("a");
  altered.altered = true;
  queue.deliver({altered}, bench.now);
  EXPECT_TRUE(bench.tried.empty());
}

}  // namespace
}  // namespace ordain::server
