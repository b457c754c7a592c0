// These tests cover a remote decision point: its requests, how its answer combines with the local
// rules, and what happens without an answer.
#include "ordain/remote.h"

#include <fmt/format.h>

#include <mutex>
#include <thread>

#include "ordain/decision_json.h"
#include "ordain/event.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using namespace std::chrono_literals;
using testing::Bench;
using testing::compile_text;
using testing::json;

/// Answers as the test sets it up, and keeps the requests.
struct FakeRemote : RemoteDecider {
  std::function<void(const RemoteRequest&, const Reply&)> answer;
  std::mutex mutex;
  std::vector<RemoteRequest> asked;

  void ask(RemoteRequest request, Reply reply) override {
    {
      std::lock_guard lock(mutex);
      asked.push_back(request);
    }
    answer(request, reply);
  }
  size_t count() {
    std::lock_guard lock(mutex);
    return asked.size();
  }
};

struct RemoteBench : Bench {
  std::shared_ptr<FakeRemote> remote = std::make_shared<FakeRemote>();
  RemoteBench() {
    options.remote.decider = remote;
    options.remote.timeout = 60s;
  }
  void says(const Result<RemoteAnswer>& what) {
    remote->answer = [what](const RemoteRequest&, const RemoteDecider::Reply& reply) { reply(what); };
  }
  Outcome<Document> look(const Runtime& runtime) const {
    return runtime.call("look", json(R"({"n": 1})"), tool(R"({"text": "a"})"));
  }
};

/// There is no rule for `quiet`, and one rule for each effect besides.
constexpr const char* kLocal = R"(
capability quiet { input { n: int } }
capability allows { input { n: int } }
capability asks { input { n: int } }
capability denies { input { n: int } }
policy a on before allows { allow ok; }
policy q on before asks { require_approval local from "ops" because "the local rules ask"; }
policy d on before denies { deny local because "the local rules deny"; }
)";

TEST(Remote, TheStricterOfBothHoldsAndSpeaksWhereNoLocalRuleDoes) {
  RemoteBench bench;
  auto runtime = bench.open(compile_text(kLocal));
  const auto decide = [&](const char* capability, Effect effect) {
    bench.says(RemoteAnswer{.effect = effect, .rule = "r.x", .reason = "the remote says so"});
    auto decision = runtime.evaluate(capability, json(R"({"n": 1})"));
    return fmt::format("{} by {}; {}", to_string(decision.effect), decision.rule, decision.remote);
  };
  EXPECT_EQ(decide("quiet", Effect::allow), "allow by remote:r.x; allow by r.x");
  EXPECT_EQ(decide("quiet", Effect::require_approval), "require_approval by remote:r.x; require_approval by r.x");
  EXPECT_EQ(decide("quiet", Effect::deny), "deny by remote:r.x; deny by r.x");
  EXPECT_EQ(decide("allows", Effect::allow), "allow by a.ok; allow by r.x");
  EXPECT_EQ(decide("allows", Effect::require_approval), "require_approval by remote:r.x; require_approval by r.x");
  EXPECT_EQ(decide("allows", Effect::deny), "deny by remote:r.x; deny by r.x");
  EXPECT_EQ(decide("asks", Effect::allow), "require_approval by q.local; allow by r.x");
  EXPECT_EQ(decide("asks", Effect::deny), "deny by remote:r.x; deny by r.x");
  const size_t asked = bench.remote->count();
  EXPECT_EQ(decide("denies", Effect::allow), "deny by d.local; ");
  EXPECT_EQ(bench.remote->count(), asked) << "what is denied already is not told";
}

/// Acts as an Ordain elsewhere, in this process: it knows the call only from the request's event.
void decide_by_event(FakeRemote& remote, std::shared_ptr<const Program> program) {
  remote.answer = [program](const RemoteRequest& request, const RemoteDecider::Reply& reply) {
    EventReader reader(program, {.warn = [](const std::string& warning) { ADD_FAILURE() << warning; }});
    if (auto read = reader.read(request.event); !read) return reply(parse_remote_answer(error_json(read.error())));
    Scratch scratch;
    reply(parse_remote_answer(decision_json(reader.call(), decide(reader.call(), reader.context(), scratch))));
  };
}

TEST(Remote, AnotherOrdainDecidesByTheEventAlone) {
  RemoteBench bench;
  bench.options.principal = "ann";
  bench.options.tenant = "t1";
  bench.options.session = "s1";
  bench.options.attributes = json(R"({"agent": {"roles": ["clerk"], "clearance": 3}, "tenant": {"plan": "paid"}})");
  decide_by_event(*bench.remote, compile_text(R"(
context { agent { clearance: int } tenant { plan: string } resource { owner: string } metadata { ip: string } }
capability pay { risk low; input { to: string, amount: double, note: optional(string), card: optional(string) } output open { message: string } }
policy p on before pay {
  deny who      when agent.id != "teller" || agent.clearance != 3 || !("clerk" in agent.roles);
  deny whose    when principal != "ann" || tenant != "t1" || tenant.plan != "paid" || session.id != "s1" || environment != "prod";
  deny what     when resource.owner != "bob" || metadata.ip != "10.0.0.1" || input.amount != 20.5;
  deny action   when action.type != "payment" || action.target != "bank" || action.parent_id != "p1" || action.trace_id != "tr1" || size(action.id) != 32;
  deny risk     when action.risk != 2.5;
  deny when_    when now != timestamp("2026-01-01T12:00:00Z");
  redact card input.card when has(input.card) with "-";
  warn seen     when true because "seen elsewhere";
  allow fine;
}
policy q on after pay {
  deny leak     when output.message == "secret" && action.elapsed == duration("1500ms");
}
)"));
  auto elapsed = std::make_shared<std::atomic<int64_t>>(0);
  bench.options.stopwatch = [elapsed] { return elapsed->fetch_add(1'500'000'000); };
  auto runtime = bench.open();
  auto metadata = json(R"({"ip": "10.0.0.1"})"), resource = json(R"({"owner": "bob"})");
  CallOptions call{.trace = "tr1",
                   .parent = "p1",
                   .type = "payment",
                   .target = "bank",
                   .risk = 2.5,
                   .resource = resource.root(),
                   .metadata = metadata.root()};
  const auto pay = [&](const char* output) {
    return runtime.call("pay", json(R"({"to": "bob", "amount": 20.5, "card": "4111"})"), bench.tool(output), call);
  };
  auto paid = pay(R"({"message": "paid"})");
  ASSERT_TRUE(paid.has_value()) << paid.describe();
  EXPECT_EQ(paid.warnings(), std::vector<std::string>{"seen elsewhere"});
  auto withheld = pay(R"({"message": "secret"})");
  ASSERT_NE(withheld.withheld(), nullptr) << withheld.describe();
  EXPECT_EQ(withheld.withheld()->rule, "remote:q.leak");
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].remote, "allow by p.fine");
  EXPECT_EQ(records[0].input.json(), R"({"amount":20.5,"card":"-","to":"bob"})") << "both redact: the last counts";
  EXPECT_EQ(records[3].remote, "deny by q.leak");
  ASSERT_EQ(bench.remote->count(), 4u);
  EXPECT_EQ(bench.remote->asked[0].id, records[0].action);
  EXPECT_EQ(bench.remote->asked[1].id, records[0].action);
}

TEST(Remote, WithoutAnAnswerItFailsClosed) {
  RemoteBench bench;
  bench.says(Error{"unreachable", "connection refused"});
  auto runtime = bench.open();
  auto outcome = bench.look(runtime);
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.denied()->rule, "remote");
  EXPECT_EQ(outcome.denied()->code, "evaluation_error");
  EXPECT_EQ(outcome.denied()->fault, "the remote decision point does not answer: unreachable: connection refused");
  EXPECT_EQ(*bench.runs, 0);
  EXPECT_EQ(bench.records(runtime).at(0).remote, "denied, for there is no answer: unreachable: connection refused");
}

TEST(Remote, AfterExecutionTheOutputIsWithheldWithoutAnAnswer) {
  RemoteBench bench;
  bench.remote->answer = [&](const RemoteRequest&, const RemoteDecider::Reply& reply) {
    if (bench.remote->count() > 1) throw std::runtime_error("gone");
    reply(RemoteAnswer{.effect = Effect::allow});
  };
  auto runtime = bench.open();
  auto outcome = bench.look(runtime);
  ASSERT_NE(outcome.withheld(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.withheld()->fault, "the remote decision point does not answer: exception: gone");
  EXPECT_EQ(*bench.runs, 1);
}

TEST(Remote, TheLocalRulesDecideAloneWhereTheHostSaysSo) {
  RemoteBench bench;
  bench.options.remote.fallback = RemoteFallback::local;
  bench.says(Error{"unreachable", "connection refused"});
  auto runtime = bench.open(compile_text(kLocal));
  const auto decide = [&](const char* capability) {
    auto decision = runtime.evaluate(capability, json(R"({"n": 1})"));
    return fmt::format("{} by {}; {}", to_string(decision.effect), decision.rule, decision.remote);
  };
  const std::string why = "the local rules, for there is no answer: unreachable: connection refused";
  EXPECT_EQ(decide("allows"), "allow by a.ok; " + why);
  EXPECT_EQ(decide("asks"), "require_approval by q.local; " + why);
  EXPECT_EQ(decide("quiet"), "deny by ; " + why) << "the default, as without a remote";
}

TEST(Remote, AnOpenFallbackStandsInForItsAllowAlone) {
  RemoteBench bench;
  bench.options.remote.fallback = RemoteFallback::allow;
  bench.says(Error{"unreachable", "connection refused"});
  auto runtime = bench.open(compile_text(kLocal));
  const auto effect = [&](const char* capability) { return runtime.evaluate(capability, json(R"({"n": 1})")).effect; };
  EXPECT_EQ(effect("quiet"), Effect::allow);
  EXPECT_EQ(effect("asks"), Effect::require_approval);
  EXPECT_EQ(effect("denies"), Effect::deny);
  EXPECT_EQ(runtime.evaluate("quiet", json(R"({"n": 1})")).remote,
            "allowed, for there is no answer: unreachable: connection refused");
}

TEST(Remote, ALateAnswerIsIgnored) {
  RemoteBench bench;
  bench.options.remote.timeout = 5ms;
  RemoteDecider::Reply late;
  bench.remote->answer = [&](const RemoteRequest&, const RemoteDecider::Reply& reply) { late = reply; };
  {
    auto runtime = bench.open();
    auto outcome = bench.look(runtime);
    ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
    EXPECT_EQ(outcome.denied()->fault, "the remote decision point does not answer: timeout: not within 5 ms");
    EXPECT_EQ(bench.remote->asked.at(0).deadline <= std::chrono::steady_clock::now(), true);
    late(RemoteAnswer{.effect = Effect::allow});
  }
  late(RemoteAnswer{.effect = Effect::allow});  // the runtime is gone
  EXPECT_EQ(*bench.runs, 0);
}

TEST(Remote, AnAnswerThatTookTooLongInAskItselfIsIgnoredToo) {
  RemoteBench bench;
  bench.options.remote.timeout = 1ms;
  bench.remote->answer = [](const RemoteRequest& request, const RemoteDecider::Reply& reply) {
    std::this_thread::sleep_until(request.deadline + 1ms);
    reply(RemoteAnswer{.effect = Effect::allow});
  };
  auto runtime = bench.open();
  EXPECT_NE(bench.look(runtime).denied(), nullptr);
}

TEST(Remote, TheFirstAnswerCountsAndComesFromAnyThread) {
  RemoteBench bench;
  std::vector<std::thread> network;
  bench.remote->answer = [&](const RemoteRequest&, const RemoteDecider::Reply& reply) {
    std::lock_guard lock(bench.remote->mutex);
    network.emplace_back([reply] {
      reply(RemoteAnswer{.effect = Effect::allow, .rule = "first"});
      reply(RemoteAnswer{.effect = Effect::deny, .rule = "second"});
    });
  };
  auto runtime = bench.open();
  std::vector<std::thread> callers;
  std::atomic<int> allowed{0};
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int n = 0; n < 5; ++n) allowed += bench.look(runtime).has_value() ? 1 : 0;
    });
  }
  for (auto& one : callers) one.join();
  for (auto& one : network) one.join();
  EXPECT_EQ(allowed, 20);
  EXPECT_EQ(bench.remote->count(), 40u);
  for (const AuditRecord& record : bench.records(runtime)) EXPECT_EQ(record.remote, "allow by first");
}

TEST(Remote, AnApprovalIsBoundToWhatTheRemoteAsksFor) {
  RemoteBench bench;
  const auto asks = [&](const char* rule, const char* reason) {
    bench.says(RemoteAnswer{.effect = Effect::require_approval, .rule = rule, .reason = reason, .from = {"risk"}});
  };
  asks("r.large", "a large payment");
  auto runtime = bench.open();
  const auto pay = [&] { return bench.pay(runtime, 20); };
  auto first = pay();
  ASSERT_NE(first.pending(), nullptr) << first.describe();
  EXPECT_EQ(first.pending()->rule, "remote:r.large");
  EXPECT_EQ(first.pending()->groups, std::vector<std::string>{"risk"});
  const std::string id = first.pending()->approval_id;
  ASSERT_TRUE(runtime.approvals().approve(id, "ann", "risk", "", *bench.now).ok());
  asks("r.large", "a payment to a stranger");
  auto other = pay();
  ASSERT_NE(other.pending(), nullptr) << other.describe();
  EXPECT_NE(other.pending()->approval_id, id);
  asks("r.strange", "a large payment");
  EXPECT_NE(pay().pending()->approval_id, id);
  EXPECT_EQ(*bench.runs, 0);
  // After execution nothing can be approved: the remote's answer about the output is an allow.
  bench.remote->answer = [&](const RemoteRequest& request, const RemoteDecider::Reply& reply) {
    const bool before = request.event.find(R"("stage":"before")") != std::string::npos;
    if (!before) return reply(RemoteAnswer{.effect = Effect::allow});
    reply(RemoteAnswer{
        .effect = Effect::require_approval, .rule = "r.large", .reason = "a large payment", .from = {"risk"}});
  };
  auto served = pay();
  ASSERT_TRUE(served.has_value()) << served.describe();
  EXPECT_EQ(bench.records(runtime).back().approval, "");
  EXPECT_EQ(runtime.approvals().show(id, *bench.now)->state, ApprovalState::consumed);
}

TEST(Remote, AnApprovalExpiresWhenTheRemoteSays) {
  RemoteBench bench;
  decide_by_event(*bench.remote, compile_text(R"(
capability pay { input { to: string, amount: double, note: optional(string), card: optional(string) } output open { message: string } }
policy p on before pay { require_approval large when input.amount > 10.0 from "risk" expires 90s; allow; }
)"));
  auto runtime = bench.open();
  auto asked = bench.pay(runtime, 20);
  ASSERT_NE(asked.pending(), nullptr) << asked.describe();
  EXPECT_EQ(asked.pending()->rule, "remote:p.large");
  EXPECT_EQ(asked.pending()->expires_ns, *bench.now + 90'000'000'000);
}

TEST(Remote, WhatItsRulesNeedIsAskedFor) {
  RemoteBench bench;
  decide_by_event(*bench.remote, compile_text(R"(
capability pay { input { to: string, amount: double, note: optional(string), card: optional(string) } output open { message: string } }
policy p on before pay {
  require_approval large when input.amount > 10.0 from any of ["risk", "legal"];
  require_approval both  when input.amount > 10.0 from ["a", "b"] distinct = false expires 90s;
  allow;
}
)"));
  auto runtime = bench.open();
  auto asked = bench.pay(runtime, 20);
  ASSERT_NE(asked.pending(), nullptr) << asked.describe();
  const std::string id = asked.pending()->approval_id;
  auto& store = runtime.approvals();
  EXPECT_EQ(store.show(id, *bench.now)->asking,
            (std::vector<AskingRule>{{"remote:p.large", {"legal", "risk"}, 1, true, 0},
                                     {"remote:p.both", {"a", "b"}, 2, false, 90}}));
  ASSERT_TRUE(store.approve(id, "ann", "risk", "", *bench.now).ok());
  ASSERT_TRUE(store.approve(id, "bob", "a", "", *bench.now).ok());
  EXPECT_EQ(store.approve(id, "bob", "b", "", *bench.now)->state, ApprovalState::approved);
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
}

TEST(Remote, AnExpiryPastAllTimeIsTheEndOfIt) {
  RemoteBench bench;
  bench.says(parse_remote_answer(R"({"effect": "require_approval", "expires_seconds": 9223372036854775807})"));
  auto runtime = bench.open();
  auto asked = bench.look(runtime);
  ASSERT_NE(asked.pending(), nullptr) << asked.describe();
  EXPECT_GT(asked.pending()->expires_ns, int64_t{9'000'000'000'000'000'000});
}

TEST(Remote, WhatIsNoTextOrNoDecisionIsNoAnswer) {
  RemoteBench bench;
  auto runtime = bench.open();
  bench.says(RemoteAnswer{.effect = Effect::allow, .rule = "\xff"});
  auto outcome = bench.look(runtime);
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.denied()->fault,
            "the remote decision point does not answer: bad_answer: the answer is not valid UTF-8");
  bench.says(Error{"x", "\xff"});
  EXPECT_NE(bench.look(runtime).denied(), nullptr);
  EXPECT_EQ(bench.records(runtime).size(), 2u) << "and the records can be read";
}

TEST(Remote, AnswersAreReadStrictly) {
  auto answer = parse_remote_answer(
      R"({"effect": "require_approval", "rule": "p.x", "reason": "so", "from": ["a", "b"], "expires_seconds": 60, "fault": null, "obligations": [
          {"kind": "redact", "path": "input.card", "with": "*", "rule": "p.y"}, {"kind": "warn", "reason": "w", "rule": null}]})");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->effect, Effect::require_approval);
  EXPECT_EQ(answer->rule + answer->reason, "p.xso");
  EXPECT_EQ(answer->from, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(answer->expires, 60s);
  EXPECT_EQ(answer->warnings, std::vector<std::string>{"w"});
  ASSERT_EQ(answer->redactions.size(), 1u);
  EXPECT_EQ(answer->redactions[0].path + answer->redactions[0].with.json(), "input.card\"*\"");
  EXPECT_EQ(parse_remote_answer(R"({"effect": "deny", "rule": null})")->rule, "");
  EXPECT_EQ(parse_remote_answer(R"({"effect": "require_approval", "expires_seconds": null})")->expires, 0s);
  for (const char* bad :
       {"", "[]", "{}", R"({"effect": "permit"})", R"({"effect": 1})", R"({"event": 1, "error": {"code": "x"}})",
        R"({"effect": "allow", "obligations": {}})", R"({"effect": "allow", "obligations": [1]})",
        R"({"effect": "allow", "obligations": [{"kind": "encrypt", "path": "input.card", "with": 1}]})",
        R"({"effect": "allow", "obligations": [{"kind": "redact", "path": "input.card"}]})",
        R"({"effect": "require_approval", "from": "ops"})", R"({"effect": "require_approval", "from": [1]})",
        R"({"effect": "require_approval", "expires_seconds": 0})",
        R"({"effect": "require_approval", "expires_seconds": "1"})", R"({"effect": "allow"} x)",
        R"({"effect": "allow", "rule": 1})"}) {
    auto refused = parse_remote_answer(bad);
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_EQ(refused.error().code, "bad_answer");
    EXPECT_NE(refused.error().message, "");
  }
}

TEST(Remote, ATimeoutMustBePositive) {
  RemoteBench bench;
  bench.options.remote.timeout = 0ms;
  EXPECT_EQ(Runtime::open(testing::bank(), bench.options).error().code, "invalid_options");
}

}  // namespace
}  // namespace ordain
