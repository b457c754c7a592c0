// Calls that a client executes, their approvals, and what is recorded of them.
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "ordain/decision_json.h"
#include "tests/support/allocations.h"
#include "tests/unit/server/support.h"

namespace ordain::server {
namespace {

using namespace testing;

std::string call_of(const std::string& event) { return "{\"event\": " + event + "}"; }

std::string outcome_path(const Json& begun) { return "/v1/calls/" + begun["id"].get<std::string>() + "/outcome"; }

std::vector<RecordKind> kinds_of(const std::vector<AuditRecord>& records) {
  std::vector<RecordKind> out;
  for (const AuditRecord& record : records) out.push_back(record.kind);
  return out;
}

TEST(ServedCalls, AnAllowedCallIsRecordedBeforeAndAfter) {
  const Served served;
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(20)));
  EXPECT_EQ(begun["decision"]["effect"], "allow");
  EXPECT_EQ(begun["decision"]["rule"], "payments.allow#1");
  EXPECT_FALSE(begun.contains("input"));
  std::vector<AuditRecord> records = served.bench.records(*served.runtime);
  ASSERT_EQ(kinds_of(records), std::vector{RecordKind::intent});
  EXPECT_EQ(records[0].action, begun["id"].get<std::string>());
  EXPECT_EQ(records[0].agent, "teller");

  const Json ended = served.posted(outcome_path(begun), R"({"status": "done", "output": {"message": "paid"}})");
  EXPECT_EQ(ended["decision"]["effect"], "allow");
  EXPECT_EQ(ended["decision"]["stage"], "after");
  records = served.bench.records(*served.runtime);
  ASSERT_EQ(kinds_of(records), (std::vector{RecordKind::intent, RecordKind::outcome}));
  EXPECT_EQ(records[1].status, OutcomeStatus::released);
  EXPECT_TRUE(served.bench.verify().ok);
}

TEST(ServedCalls, ADeniedCallIsRecordedAndNotOpen) {
  const Served served;
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(-1)));
  EXPECT_EQ(begun["decision"]["effect"], "deny");
  EXPECT_EQ(begun["decision"]["rule"], "payments.negative");
  EXPECT_EQ(begun["decision"]["reason"], "the amount must be positive");
  EXPECT_EQ(kinds_of(served.bench.records(*served.runtime)), std::vector{RecordKind::denied});
  EXPECT_EQ(served.post(outcome_path(begun), R"({"status": "done"})").status, 404u);
}

TEST(ServedCalls, DecisionsAreInTheFormOfTheWire) {
  const Served served;
  for (const std::string& event : {event_of_pay(20), event_of_pay(-1), event_of_pay(501), event_of_pay(13),
                                   event_of_pay(100, ", \"card\": \"4711\""),
                                   std::string(R"({"capability": "pay", "input": {"amount": "much"}})")}) {
    const Json decision = served.posted("/v1/calls", call_of(event))["decision"];
    const auto parsed = parse_decision(decision.dump());
    ASSERT_TRUE(parsed.ok()) << parsed.error().message << " " << decision.dump();
    const auto decided = parse_decision(served.post("/v1/decide", event).body);
    ASSERT_TRUE(decided.ok());
    EXPECT_EQ(parsed->effect, decided->effect) << event;
    EXPECT_EQ(parsed->code, decided->code) << event;
    EXPECT_EQ(parsed->rule, decided->rule) << event;
    EXPECT_EQ(parsed->reason, decided->reason) << event;
    EXPECT_EQ(parsed->from, decided->from) << event;
    EXPECT_EQ(parsed->expires_seconds, decided->expires_seconds) << event;
    if (parsed->effect == Effect::allow) {
      ASSERT_EQ(parsed->obligations.size(), decided->obligations.size()) << event;
    }
  }
}

TEST(ServedCalls, RedactionsReachClientAndRecord) {
  const Served served;
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(20, ", \"card\": \"4711\"")));
  EXPECT_EQ(begun["input"]["card"], "***");
  const Json ended =
      served.posted(outcome_path(begun), R"({"status": "done", "output": {"message": "paid", "iban": "DE1"}})");
  EXPECT_EQ(ended["output"]["iban"], "***");
  for (const AuditRecord& record : served.bench.records(*served.runtime)) {
    EXPECT_EQ(to_json(record).find("4711"), std::string::npos);
    EXPECT_EQ(to_json(record).find("DE1"), std::string::npos);
  }
}

TEST(ServedCalls, AWithheldOutputIsADenialAfterwards) {
  const Served served;
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(20)));
  const Json ended = served.posted(outcome_path(begun), R"({"status": "done", "output": {"message": "AKIA"}})");
  EXPECT_EQ(ended["decision"]["effect"], "deny");
  EXPECT_EQ(ended["decision"]["rule"], "leaks.key_leak");
  EXPECT_FALSE(ended.contains("output"));
  EXPECT_EQ(served.bench.records(*served.runtime).back().status, OutcomeStatus::withheld);
}

TEST(ServedCalls, AFailureIsRecorded) {
  const Served served;
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(20)));
  served.posted(outcome_path(begun), R"({"status": "failed", "output": "no such account"})");
  const AuditRecord last = served.bench.records(*served.runtime).back();
  EXPECT_EQ(last.status, OutcomeStatus::failed);
  EXPECT_EQ(last.error, "failed: no such account");
}

TEST(ServedCalls, AnOutcomeCountsOnce) {
  const Served served;
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(20)));
  std::atomic<int> taken{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const unsigned status =
          served.post(outcome_path(begun), R"({"status": "done", "output": {"message": "x"}})").status;
      ++(status == 200 ? taken : refused);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(refused, 7);
  EXPECT_EQ(served.bench.records(*served.runtime).size(), 2u);
}

TEST(ServedCalls, OnlyTheCredentialThatBeganACallEndsIt) {
  const Served served;
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(20)));
  const std::string forged = R"({"status": "done", "output": {"message": "forged"}})";
  HttpRequest by_socket = request("POST", outcome_path(begun), forged, nullptr);
  by_socket.channel = Channel::unix_socket;
  // Every client reads the id in the audit log.
  EXPECT_EQ(served.got("/v1/audit", kApproverToken)["records"][0]["action"], begun["id"]);
  EXPECT_EQ(served.post(outcome_path(begun), forged, kApproverToken).status, 404u);
  EXPECT_EQ(served.ask(by_socket).status, 404u);
  served.posted(outcome_path(begun), R"({"status": "done", "output": {"message": "paid"}})");
  const std::vector<AuditRecord> records = served.bench.records(*served.runtime);
  ASSERT_EQ(kinds_of(records), (std::vector{RecordKind::intent, RecordKind::outcome}));
  EXPECT_EQ(records[1].status, OutcomeStatus::released);
}

TEST(ServedCalls, ACallWithoutAnOutcomeIsRecordedAsFailed) {
  Served served;
  served.options.calls.wait = std::chrono::milliseconds(1);
  served.restart();
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(20)));
  for (int i = 0; i < 1000 && served.bench.records(*served.runtime).size() < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::vector<AuditRecord> records = served.bench.records(*served.runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].status, OutcomeStatus::failed);
  EXPECT_TRUE(records[1].error.starts_with("no_outcome")) << records[1].error;
  EXPECT_EQ(served.post(outcome_path(begun), R"({"status": "done"})").status, 404u);
}

TEST(ServedCalls, StoppingRecordsTheOpenCalls) {
  const Served served;
  for (int i = 0; i < 3; ++i) served.posted("/v1/calls", call_of(event_of_pay(20)));
  ASSERT_TRUE(served.service->stop().ok());
  const std::vector<AuditRecord> records = served.bench.read_records();
  ASSERT_EQ(records.size(), 6u);
  for (const AuditRecord& record : records) {
    if (record.kind == RecordKind::outcome) {
      EXPECT_TRUE(record.error.starts_with("stopped")) << record.error;
    }
  }
  EXPECT_EQ(served.post("/v1/calls", call_of(event_of_pay(20))).status, 503u);
}

TEST(ServedCalls, TheirNumberIsLimited) {
  Served served;
  served.options.calls.most = 2;
  served.restart();
  const Json first = served.posted("/v1/calls", call_of(event_of_pay(20)));
  served.posted("/v1/calls", call_of(event_of_pay(20)));
  EXPECT_EQ(served.post("/v1/calls", call_of(event_of_pay(20))).status, 503u);
  served.posted(outcome_path(first), R"({"status": "done", "output": {"message": "paid"}})");
  served.posted("/v1/calls", call_of(event_of_pay(20)));
}

std::string event_of_agent(const std::string& agent, const std::string& note = "") {
  return R"({"capability": "pay", "agent": ")" + agent + R"(", "input": {"to": "bob", "amount": 20.0, "note": ")" +
         note + "\"}}";
}

TEST(ServedCalls, TheFloodOfOneClientDoesNotDenyAnother) {
  Served served;
  served.options.calls.most = 8;
  served.options.calls.most_of_client = 2;
  served.restart();
  const auto status = [&](const std::string& agent, const char* token = kClientToken) {
    return served.post("/v1/calls", call_of(event_of_agent(agent)), token).status;
  };
  EXPECT_EQ(status("a"), 200u);
  EXPECT_EQ(status("a"), 200u);
  const HttpResponse refused = served.post("/v1/calls", call_of(event_of_agent("a")));
  EXPECT_EQ(refused.status, 503u);
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "too_many_calls");
  // Another agent has room, and so has the same one behind another token.
  EXPECT_EQ(status("b"), 200u);
  EXPECT_EQ(status("a", kApproverToken), 200u);
  // Whatever names a client gives its agents, it gets no more than three quarters.
  for (const char* agent : {"c", "d", "e"}) EXPECT_EQ(status(agent), 200u) << agent;
  EXPECT_EQ(status("f"), 503u);
  EXPECT_EQ(status("f", kApproverToken), 200u);
  EXPECT_EQ(status("g", kApproverToken), 503u);  // all eight are taken
}

TEST(ServedCalls, ThatMayNotRunTakeNoRoom) {
  Served served;
  served.options.calls.most = 1;
  served.restart();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(served.posted("/v1/calls", call_of(event_of_pay(-1)))["decision"]["effect"], "deny");
    EXPECT_EQ(served.posted("/v1/calls", call_of(event_of_pay(501)))["decision"]["effect"], "require_approval");
    EXPECT_EQ(served.posted("/v1/calls", R"({"event": {"capability": "pay"}})")["decision"]["effect"], "deny");
  }
  served.posted("/v1/calls", call_of(event_of_pay(20)));
}

TEST(ServedCalls, TheirBytesAreLimited) {
  Served served;
  served.options.calls.most_bytes = 8192;  // a client has an eighth
  served.restart();
  const auto status = [&](const std::string& agent) {
    return served.post("/v1/calls", call_of(event_of_agent(agent, std::string(900, 'x')))).status;
  };
  EXPECT_EQ(status("a"), 200u);
  EXPECT_EQ(status("a"), 503u);
  EXPECT_EQ(status("b"), 200u);
  const std::string large(3000, 'x');  // more than a share, but the only call of its client
  EXPECT_EQ(served.post("/v1/calls", call_of(event_of_agent("c", large))).status, 200u);
}

TEST(ServedCalls, ACallThatNobodyEndsGivesItsRoomBack) {
  Served served;
  served.options.calls.most = 1;
  served.options.calls.wait = std::chrono::milliseconds(1);
  served.restart();
  for (int call = 0; call < 5; ++call) {
    unsigned status = 503;
    for (int i = 0; i < 2000 && status == 503; ++i) {
      status = served.post("/v1/calls", call_of(event_of_pay(20))).status;
      if (status == 503) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(status, 200u);
  }
}

size_t resident_bytes() {
  size_t total = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> total >> pages;
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(ServedCalls, ThousandsThatNobodyEndsTakeLittleMemory) {
  constexpr bool measures_memory = ORDAIN_COUNTS_ALLOCATIONS != 0;  // sanitizers keep freed memory, too
  constexpr size_t kCalls = measures_memory ? 10'000 : 200;
  Served served;
  served.bench.options.database = "";  // nothing is recorded, so that the test is fast
  served.runtime = std::make_unique<Runtime>(served.bench.open());
  served.options.calls.most = served.options.calls.most_of_client = 2 * kCalls;
  served.restart();
  const size_t before = resident_bytes();
  const std::string body = call_of(event_of_pay(20));
  Json last;
  for (size_t i = 0; i < kCalls; ++i) {
    const HttpResponse begun = served.post("/v1/calls", body);
    ASSERT_EQ(begun.status, 200u) << i << " " << begun.body;
    if (i + 1 == kCalls) last = Json::parse(begun.body);
  }
  // A call that had the memory of a decision to itself would take 4 MiB.
  if (measures_memory) {
    EXPECT_LT((resident_bytes() - before) / kCalls, size_t{100} << 10);
  }
  EXPECT_EQ(
      served.posted(outcome_path(last), R"({"status": "done", "output": {"message": "paid"}})")["decision"]["effect"],
      "allow");
  EXPECT_TRUE(served.service->stop().ok());
  EXPECT_EQ(served.post("/v1/calls", body).status, 503u);
}

TEST(ServedCalls, FlawedInputIsADenialOnRecord) {
  const Served served;
  const Json begun = served.posted(
      "/v1/calls", R"({"event": {"capability": "pay", "input": {"to": "bob", "amount": 1.0, "amount": 2.0}}})");
  EXPECT_EQ(begun["decision"]["effect"], "deny");
  EXPECT_EQ(begun["decision"]["code"], "invalid_input");
  const std::vector<AuditRecord> records = served.bench.records(*served.runtime);
  ASSERT_EQ(kinds_of(records), std::vector{RecordKind::denied});
  EXPECT_EQ(records[0].capability, "pay");
  EXPECT_EQ(records[0].code, DecisionCode::invalid_input);
}

TEST(ServedCalls, WhatIsNotACallIsABadRequest) {
  const Served served;
  for (const char* body :
       {"", "{}", "{\"event\": 1}", "{\"event\": {}}", R"({"event": {"capability": "pay", "stage": "after"}})",
        R"({"event": {"capability": "pay", "agent": {"id": 7}}})"}) {
    EXPECT_EQ(served.post("/v1/calls", body).status, 400u) << body;
  }
  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(20)));
  for (const char* body : {"", "{}", "{\"status\": \"perhaps\"}", "{\"status\": 1}"}) {
    EXPECT_EQ(served.post(outcome_path(begun), body).status, 400u) << body;
  }
  // None of these ended the call.
  served.posted(outcome_path(begun), R"({"status": "done", "output": {"message": "paid"}})");
  EXPECT_EQ(served.bench.records(*served.runtime).size(), 2u);
}

TEST(ServedApprovals, ACallRunsOnceSomebodyApproved) {
  const Served served;
  const Json waits = served.posted("/v1/calls", call_of(event_of_pay(501)));
  EXPECT_EQ(waits["decision"]["effect"], "require_approval");
  EXPECT_EQ(waits["decision"]["from"], Json::array({"finance"}));
  const std::string id = waits["decision"]["approval_id"];
  const Json list = served.got("/v1/approvals?state=pending");
  ASSERT_EQ(list["approvals"].size(), 1u);
  EXPECT_EQ(list["approvals"][0]["id"], id);
  const Json shown = served.got("/v1/approvals/" + id);
  EXPECT_EQ(shown["state"], "pending");
  EXPECT_EQ(Json::parse(shown["input_text"].get<std::string>()), shown["input"]);
  EXPECT_EQ(shown["resource_text"], "null");

  const std::string approve = Json{{"decision", "approve"}, {"binding", shown["binding"]}}.dump();
  EXPECT_EQ(served.post("/v1/approvals/" + id, approve).status, 403u);  // a client is not an approver
  const Json voted = served.posted("/v1/approvals/" + id, approve, kApproverToken);
  EXPECT_EQ(voted["state"], "approved");
  EXPECT_EQ(voted["votes"][0]["approver"], "alice");

  const Json begun = served.posted("/v1/calls", call_of(event_of_pay(501)));
  EXPECT_EQ(begun["decision"]["effect"], "allow");
  EXPECT_EQ(begun["decision"]["approved"], true);
  served.posted(outcome_path(begun), R"({"status": "done", "output": {"message": "paid"}})");
  // The approval served once.
  EXPECT_EQ(served.posted("/v1/calls", call_of(event_of_pay(501)))["decision"]["effect"], "require_approval");
}

TEST(ServedApprovals, ARejectionDenies) {
  const Served served;
  const Json waits = served.posted("/v1/calls", call_of(event_of_pay(501)));
  const std::string id = waits["decision"]["approval_id"];
  served.posted("/v1/approvals", Json{{"id", id}, {"decision", "reject"}, {"note", "no"}}.dump(), kApproverToken);
  const Json denied = served.posted("/v1/calls", call_of(event_of_pay(501)));
  EXPECT_EQ(denied["decision"]["effect"], "deny");
  EXPECT_EQ(denied["decision"]["cause"], "approval_rejected");
}

TEST(ServedApprovals, OnlyTheShownRequestIsApproved) {
  const Served served;
  const std::string id = served.posted("/v1/calls", call_of(event_of_pay(501)))["decision"]["approval_id"];
  const std::string binding = served.got("/v1/approvals/" + id)["binding"];
  const auto status = [&](const std::string& path, const Json& body) {
    return served.post(path, body.dump(), kApproverToken).status;
  };
  const std::string path = "/v1/approvals/" + id;
  EXPECT_EQ(status(path, {{"decision", "approve"}}), 400u);
  EXPECT_EQ(status(path, {{"decision", "approve"}, {"binding", std::string(64, '0')}}), 409u);
  EXPECT_EQ(status(path, {{"decision", "maybe"}, {"binding", binding}}), 400u);
  EXPECT_EQ(status(path, {{"decision", "approve"}, {"binding", binding}, {"note", 1}}), 400u);
  EXPECT_EQ(status("/v1/approvals/" + id.substr(0, 8), {{"decision", "approve"}, {"binding", binding}}), 404u);
  EXPECT_EQ(status(path, {{"decision", "approve"}, {"binding", binding}, {"group", "nobody"}}), 409u);
  EXPECT_EQ(served.got("/v1/approvals/" + id)["state"], "pending");
}

TEST(ServedAudit, ShowsTheNewestRecordsThatMatch) {
  const Served served;
  for (const double amount : {-1.0, -2.0, 501.0}) served.posted("/v1/calls", call_of(event_of_pay(amount)));
  EXPECT_EQ(served.got("/v1/audit")["records"].size(), 3u);
  const Json last = served.got("/v1/audit?limit=1")["records"];
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0]["kind"], "pending");
  EXPECT_EQ(served.got("/v1/audit?effect=deny")["records"].size(), 2u);
  EXPECT_EQ(served.got("/v1/audit?capability=pay&kind=pending")["records"].size(), 1u);
  EXPECT_EQ(served.got("/v1/audit?agent=nobody")["records"].size(), 0u);
  EXPECT_EQ(served.got("/v1/audit?from=2030-01-01T00:00:00Z")["records"].size(), 0u);
  for (const char* wrong :
       {"limit=0", "limit=1001", "limit=x", "effect=maybe", "from=today", "what=1", "limit=1&limit=2"}) {
    EXPECT_EQ(served.get(std::string("/v1/audit?") + wrong).status, 400u) << wrong;
  }
}

}  // namespace
}  // namespace ordain::server
