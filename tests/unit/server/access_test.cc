// Who may ask the daemon: tokens, hosts, origins.
#include "server/access.h"

#include <sys/stat.h>

#include <fstream>

#include "tests/unit/server/support.h"

namespace ordain::server {
namespace {

using namespace testing;

// Every path that tells or changes anything, with its method.
const std::vector<std::pair<std::string, std::string>>& guarded_paths() {
  static const std::vector<std::pair<std::string, std::string>> kPaths = {
      {"GET", "/metrics"},
      {"POST", "/v1/decide"},
      {"POST", "/v1/calls"},
      {"POST", "/v1/calls/0123456789abcdef0123456789abcdef/outcome"},
      {"GET", "/v1/approvals"},
      {"POST", "/v1/approvals"},
      {"GET", "/v1/approvals/0123456789abcdef0123456789abcdef"},
      {"POST", "/v1/approvals/0123456789abcdef0123456789abcdef"},
      {"GET", "/v1/audit"},
      {"POST", "/access/v1/evaluation"},
      {"POST", "/access/v1/evaluations"},
      {"GET", "/.well-known/authzen-configuration"},
      {"POST", "/v1/data/ordain/allow"},
      {"POST", "/v1/data/ordain/decision"},
      {"GET", "/nowhere"},
  };
  return kPaths;
}

TEST(ServerAccess, EveryPathButHealthAndThePageNeedsAToken) {
  const Served served;
  for (const auto& [method, path] : guarded_paths()) {
    for (const char* token : {static_cast<const char*>(nullptr), "wrong-token-0123456789", ""}) {
      const HttpResponse out = served.ask(request(method, path, event_of_pay(20), token));
      EXPECT_EQ(out.status, 401u) << method << " " << path;
      EXPECT_EQ(out.body.find("payments"), std::string::npos) << path;
    }
    EXPECT_NE(served.ask(request(method, path, event_of_pay(20))).status, 401u) << path;
  }
  for (const char* path : {"/healthz", "/readyz", "/approvals"})
    EXPECT_EQ(served.get(path, nullptr).status, 200u) << path;
}

TEST(ServerAccess, ATokenIsTheWholeHeaderAndOnlyOnce) {
  const Served served;
  const auto status_with = [&](std::vector<std::string> values) {
    HttpRequest asked = request("POST", "/v1/decide", event_of_pay(20), nullptr);
    for (std::string& value : values) asked.headers.emplace_back("authorization", std::move(value));
    return served.ask(asked).status;
  };
  const std::string token = kClientToken;
  EXPECT_EQ(status_with({"Bearer " + token}), 200u);
  EXPECT_EQ(status_with({"bearer " + token}), 200u);  // the scheme is case-insensitive
  EXPECT_EQ(status_with({token}), 401u);
  EXPECT_EQ(status_with({"Basic " + token}), 401u);
  EXPECT_EQ(status_with({"Bearer " + token + "x"}), 401u);
  EXPECT_EQ(status_with({"Bearer " + token.substr(1)}), 401u);
  EXPECT_EQ(status_with({"Bearer "}), 401u);
  EXPECT_EQ(status_with({"Bearer " + token, "Bearer " + token}), 401u);
}

TEST(ServerAccess, TheSocketNeedsNoTokenButRefusesAWrongOne) {
  const Served served;
  HttpRequest asked = request("POST", "/v1/decide", event_of_pay(20), nullptr);
  asked.channel = Channel::unix_socket;
  asked.headers.clear();
  EXPECT_EQ(served.ask(asked).status, 200u);
  asked.headers = {{"authorization", "Bearer wrong-token-0123456789"}};
  EXPECT_EQ(served.ask(asked).status, 401u);
  asked.headers = {{"origin", "http://localhost"}};
  EXPECT_EQ(served.ask(asked).status, 403u);
}

TEST(ServerAccess, AnotherHostIsRefusedWhateverTheToken) {
  const Served served;
  const auto status_with = [&](std::vector<std::string> hosts, const std::string& path) {
    HttpRequest asked = request("GET", path);
    asked.headers.erase(asked.headers.begin());
    for (std::string& host : hosts) asked.headers.emplace_back("host", std::move(host));
    return served.ask(asked).status;
  };
  for (const char* path : {"/healthz", "/approvals", "/v1/approvals"}) {
    EXPECT_EQ(status_with({kHost}, path), 200u) << path;
    EXPECT_EQ(status_with({"LOCALHOST:8181"}, path), 200u) << path;
    EXPECT_EQ(status_with({"rebound.example:8181"}, path), 421u) << path;
    EXPECT_EQ(status_with({"127.0.0.1:81810"}, path), 421u) << path;
    EXPECT_EQ(status_with({"127.0.0.1"}, path), 421u) << path;
    EXPECT_EQ(status_with({}, path), 400u) << path;
    EXPECT_EQ(status_with({kHost, kHost}, path), 400u) << path;
  }
}

TEST(ServerAccess, PagesFromElsewhereAreRefused) {
  const Served served;
  const auto status_with = [&](const std::string& name, const std::string& value) {
    HttpRequest asked = request("POST", "/v1/decide", event_of_pay(20));
    asked.headers.emplace_back(name, value);
    return served.ask(asked).status;
  };
  EXPECT_EQ(status_with("origin", std::string("http://") + kHost), 200u);
  EXPECT_EQ(status_with("origin", "http://evil.example"), 403u);
  EXPECT_EQ(status_with("origin", "null"), 403u);
  EXPECT_EQ(status_with("origin", "http://localhost:8181"), 403u);  // the Host header names 127.0.0.1
  EXPECT_EQ(status_with("sec-fetch-site", "same-origin"), 200u);
  EXPECT_EQ(status_with("sec-fetch-site", "cross-site"), 403u);
  EXPECT_EQ(status_with("sec-fetch-site", "same-site"), 403u);
  HttpRequest repeated = request("POST", "/v1/decide", event_of_pay(20));
  for (const char* value : {"cross-site", "none"}) repeated.headers.emplace_back("sec-fetch-site", value);
  EXPECT_EQ(served.ask(repeated).status, 403u);
}

class TokenFile {
 public:
  explicit TokenFile(const std::string& text, mode_t mode = 0600) : path_(directory_ / "tokens") {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), mode);
  }
  const std::string& path() const { return path_; }

 private:
  ordain::testing::TemporaryDirectory directory_;
  std::string path_;
};

TEST(ServerAccess, TokensAreReadFromAFileOfTheOwner) {
  const auto clients = read_client_tokens(TokenFile("# of the hooks\n\nclient-token-0123456789\n").path());
  ASSERT_TRUE(clients.ok()) << clients.error().message;
  ASSERT_EQ(clients->size(), 1u);
  EXPECT_EQ((*clients)[0].digest, sha256(kClientToken));
  EXPECT_EQ((*clients)[0].approver, "");

  const auto approvers = read_approver_tokens(TokenFile("Alice Adams\tapprover-token-0123456789\n").path());
  ASSERT_TRUE(approvers.ok()) << approvers.error().message;
  EXPECT_EQ((*approvers)[0].approver, "Alice Adams");
  EXPECT_EQ((*approvers)[0].digest, sha256(kApproverToken));

  EXPECT_EQ(read_client_tokens(TokenFile("client-token-0123456789\n", 0644).path()).error().code, "key_exposed");
  EXPECT_EQ(read_client_tokens(TokenFile("short\n").path()).error().code, "bad_token");
  EXPECT_EQ(read_client_tokens(TokenFile("# nothing\n").path()).error().code, "bad_token");
  EXPECT_EQ(read_client_tokens(TokenFile("a-token-0123456789\na-token-0123456789\n").path()).error().code, "bad_token");
  EXPECT_EQ(read_approver_tokens(TokenFile("approver-token-0123456789\n").path()).error().code, "bad_token");
  EXPECT_EQ(read_client_tokens("/nonexistent/tokens").error().code, "key_unreadable");
}

}  // namespace
}  // namespace ordain::server
