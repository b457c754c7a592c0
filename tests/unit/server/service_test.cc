// What the daemon answers, without sockets.
#include "server/service.h"

#include "ordain/decision_json.h"
#include "server/http.h"
#include "tests/unit/server/support.h"

namespace ordain::server {
namespace {

using namespace testing;

TEST(Service, DecidesAsTheCommandDoes) {
  const Served served;
  for (const std::string& event :
       {event_of_pay(20), event_of_pay(-1), event_of_pay(501), event_of_pay(13),
        event_of_pay(20, ", \"card\": \"4711\""), std::string(R"({"capability": "pay", "input": {"amount": "much"}})"),
        std::string(R"({"capability": "unknown"})"),
        std::string(R"({"capability": "pay", "stage": "after", "input": {"to": "b", "amount": 1.0},
                        "output": {"message": "key AKIA"}})")}) {
    const HttpResponse out = served.post("/v1/decide", event + "\n");
    ASSERT_EQ(out.status, 200u) << out.body;
    EventReader reader(bank());
    ASSERT_TRUE(reader.read(event).ok());
    Scratch scratch;
    EXPECT_EQ(out.body, decision_json(reader.call(), decide_all(reader.call(), reader.context(), scratch))) << event;
  }
}

TEST(Service, AnEventThatCannotBeReadIsABadRequest) {
  const Served served;
  for (const char* body : {"", "{", "[]", "{}", "{\"capability\": 1}", "{\"capability\": \"pay\"} {}"}) {
    const HttpResponse out = served.post("/v1/decide", body);
    EXPECT_EQ(out.status, 400u) << body;
    EXPECT_EQ(parse_decision(out.body).error().code, "refused") << out.body;
  }
}

TEST(Service, DecisionsFollowAReload) {
  const Served served;
  EXPECT_EQ(served.posted("/v1/decide", event_of_pay(20))["effect"], "allow");
  ASSERT_TRUE(served.runtime->reload(compile_text("policy p on before pay { deny closed because \"closed\"; }")).ok());
  EXPECT_EQ(served.posted("/v1/decide", event_of_pay(20))["reason"], "closed");
}

TEST(Service, PathsAndMethods) {
  const Served served;
  EXPECT_EQ(served.get("/nowhere").status, 404u);
  EXPECT_EQ(served.get("/v1/decide").status, 405u);
  EXPECT_EQ(served.get("/v1/calls/0/outcome").status, 405u);
  EXPECT_EQ(served.post("/metrics", "").status, 405u);
  EXPECT_EQ(served.post("/v1/calls/", "").status, 404u);
  const HttpResponse wrong = served.get("/v1/decide");
  const std::pair<std::string, std::string> allow{"Allow", "POST"};
  EXPECT_NE(std::find(wrong.headers.begin(), wrong.headers.end(), allow), wrong.headers.end());
}

TEST(Service, HealthReadinessAndMetrics) {
  const Served served;
  EXPECT_EQ(served.got("/healthz", nullptr)["status"], "ok");
  const Json ready = served.got("/readyz", nullptr);
  EXPECT_EQ(ready["status"], "ready");
  EXPECT_EQ(ready["program"], to_hex(bank()->digest()));
  served.posted("/v1/decide", event_of_pay(-1));
  const HttpResponse metrics = served.get("/metrics");
  EXPECT_TRUE(metrics.content_type.starts_with("application/openmetrics-text"));
  EXPECT_TRUE(metrics.body.ends_with("# EOF\n"));
  EXPECT_NE(metrics.body.find("payments.negative"), std::string::npos) << metrics.body;
}

TEST(Service, TheRequestIdIsEchoed) {
  const Served served;
  HttpRequest asked = request("GET", "/healthz");
  asked.headers.emplace_back("x-request-id", "r-1");
  const std::pair<std::string, std::string> echo{"X-Request-ID", "r-1"};
  const HttpResponse out = served.ask(asked);
  EXPECT_NE(std::find(out.headers.begin(), out.headers.end(), echo), out.headers.end());
}

TEST(Service, OpasDataApi) {
  const Served served;
  const auto asked = [&](const std::string& path, const std::string& input) {
    return served.posted("/v1/data" + path, "{\"input\": " + input + "}");
  };
  EXPECT_EQ(asked("/ordain/allow", event_of_pay(20))["result"], true);
  EXPECT_EQ(asked("/ordain/allow", event_of_pay(-1))["result"], false);
  EXPECT_EQ(asked("/ordain/allow", event_of_pay(501))["result"], false);                         // waits for approval
  EXPECT_EQ(asked("/ordain/allow", event_of_pay(20, ", \"card\": \"4711\""))["result"], false);  // demands a redaction
  EXPECT_EQ(asked("/ordain/decision", event_of_pay(-1))["result"]["rule"], "payments.negative");
  for (const char* path : {"", "/", "/ordain", "/ordain/allow/", "/other", "/ordain/allowed"}) {
    const Json out = asked(path, event_of_pay(20));
    EXPECT_FALSE(out.contains("result")) << path;
    EXPECT_EQ(out["decision_id"].get<std::string>().size(), 32u);
  }
  EXPECT_FALSE(asked("/ordain/allow", "{\"no\": \"event\"}").contains("result"));
  EXPECT_FALSE(served.posted("/v1/data/ordain/allow", "{}").contains("result"));
  EXPECT_FALSE(served.got("/v1/data/ordain/allow").contains("result"));
  EXPECT_EQ(served.post("/v1/data/ordain/allow", "{").status, 400u);
}

TEST(Service, ClientsThatRedactAreAllowedToGoOn) {
  Served served;
  served.options.clients_redact = true;
  served.restart();
  const std::string input = "{\"input\": " + event_of_pay(20, ", \"card\": \"4711\"") + "}";
  EXPECT_EQ(served.posted("/v1/data/ordain/allow", input)["result"], true);
}

TEST(Service, TheApprovalsPageRunsItsOwnScriptAlone) {
  const Served served;
  const HttpResponse page = served.get("/approvals", nullptr);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  std::string policy;
  for (const auto& [name, value] : page.headers) {
    if (name == "Content-Security-Policy") policy = value;
  }
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'sha256-")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  // One script and one style, nothing that loads, and no way from text to markup.
  const auto count = [&](std::string_view what) {
    size_t out = 0;
    for (size_t at = page.body.find(what); at != std::string::npos; at = page.body.find(what, at + 1)) ++out;
    return out;
  };
  EXPECT_EQ(count("<script"), 1u);
  EXPECT_EQ(count("<style"), 1u);
  for (const char* never : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                            "src=", "href=", " onclick", " style=", "localStorage"}) {
    EXPECT_EQ(count(never), 0u) << never;
  }
}

TEST(ServerHttp, AnErrorIsJsonWhateverItQuotes) {
  const Served served;
  const HttpResponse out = served.get("/v1/audit?%ff%0a%22=1");
  EXPECT_EQ(out.status, 400u);
  EXPECT_TRUE(Json::accept(out.body)) << out.body;  // which refuses invalid UTF-8
  EXPECT_NE(out.body.find("\\\\xff"), std::string::npos) << out.body;
}

TEST(ServerHttp, QueriesAreDecoded) {
  const auto parsed = parse_query("a=1&b=%2Fx+y&c");
  ASSERT_TRUE(parsed.has_value());
  const std::vector<std::pair<std::string, std::string>> expected = {{"a", "1"}, {"b", "/x y"}, {"c", ""}};
  EXPECT_EQ(*parsed, expected);
  for (const char* wrong : {"a=%", "a=%2", "a=%zz", "a=1&a=2"}) EXPECT_FALSE(parse_query(wrong).has_value()) << wrong;
}

TEST(ServerHttp, JsonTypes) {
  for (const char* yes : {"application/json", "Application/JSON; charset=utf-8", "application/json ;x"}) {
    EXPECT_TRUE(is_json_type(yes)) << yes;
  }
  for (const char* no : {"", "text/plain", "application/jsonp", "application/json-patch+json"}) {
    EXPECT_FALSE(is_json_type(no)) << no;
  }
}

}  // namespace
}  // namespace ordain::server
