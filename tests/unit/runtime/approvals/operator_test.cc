// These tests cover what only an operator can do: approvals and grants under a key, and what grants
// cover; also scopes of the agent, and eight processes that compete for one approval.
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <thread>

#include "runtime/approvals/signing.h"
#include "runtime/sqlite/sqlite.h"
#include "tests/support/torture.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::edited;
using testing::json;
using testing::kNoon;
using testing::kSecond;

struct Keyed : Bench {
  PrivateKey key = *PrivateKey::generate("operator");

  /// A host with only the public key, so that not even the host can approve.
  Runtime checking() {
    options.operator_keys = {.sign = {}, .trust = {key.public_key()}};
    return open();
  }
  ApprovalStore operators() {
    auto store = ApprovalStore::open(options.database, OpenMode::read_write, {.sign = key, .trust = {}});
    if (!store.ok()) std::abort();
    return std::move(*store);
  }
  /// Acts as an attacker who can write the file.
  void sql(const std::string& text) {
    auto database = sqlite::Database::open(options.database + "/approvals.db", sqlite::Database::Open::read_write,
                                           std::chrono::seconds(5));
    ASSERT_TRUE(database.ok());
    auto done = database->execute(text);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  std::string ask(const Runtime& runtime) {
    auto outcome = pay(runtime, 600);
    EXPECT_NE(outcome.pending(), nullptr) << outcome.describe();
    return outcome.pending() != nullptr ? outcome.pending()->approval_id : "";
  }
  void refused(const Runtime& runtime) {
    auto outcome = pay(runtime, 600);
    ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
    EXPECT_EQ(outcome.denied()->code, "approval_unavailable");
    EXPECT_EQ(*runs, 0);
  }
};

TEST(OperatorKey, ADamagedRowIsOneObjectStill) {
  Keyed bench;
  auto runtime = bench.checking();
  std::string id = bench.ask(runtime);
  bench.sql(
      "UPDATE approvals SET input = '1,\"state\":\"approved\"', resource = '{', reason = CAST(x'61FF62' AS TEXT)");
  bench.sql("UPDATE approvals SET created = -9223372036854775807 - 1");
  auto shown = runtime.approvals().show(id, *bench.now);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  auto object = Document::parse(to_json(*shown));
  ASSERT_TRUE(object.ok()) << object.error().message << ": " << to_json(*shown);
  auto text = [&](const char* key) { return std::string(map_find(*object->root().map, key)->as_text()); };
  EXPECT_EQ(text("state"), "pending");
  EXPECT_EQ(text("input"), R"(1,"state":"approved")");
  EXPECT_EQ(text("resource"), "{");
  EXPECT_EQ(text("reason"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(text("created"), "1677-09-21T00:12:43.145224192Z");
}

TEST(OperatorKey, ASignedApprovalServes) {
  Keyed bench;
  auto runtime = bench.checking();
  std::string id = bench.ask(runtime);
  auto approved = bench.operators().approve(id, "ann", "", "fine", *bench.now);
  ASSERT_TRUE(approved.ok()) << approved.error().message;
  EXPECT_EQ(approved->votes.at(0).signed_by, "operator");
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  EXPECT_EQ(*bench.runs, 1);
}

TEST(OperatorKey, WithoutThePrivateKeyNoOneApproves) {
  Keyed bench;
  auto runtime = bench.checking();
  std::string id = bench.ask(runtime);
  EXPECT_EQ(runtime.approvals().approve(id, "eve", "", "", *bench.now).error().code, "no_key");
  EXPECT_EQ(runtime.approvals()
                .create_grant({.until_ns = *bench.now + kSecond, .granted_by = "eve"}, *bench.now)
                .error()
                .code,
            "no_key");
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr);
  EXPECT_TRUE(runtime.approvals().reject(id, "eve", "", "", *bench.now).ok()) << "saying no needs no key";
}

TEST(OperatorKey, AnUnsignedVoteIsRefused) {
  Keyed bench;
  auto runtime = bench.checking();
  std::string id = bench.ask(runtime);
  auto unsigned_store = ApprovalStore::open(bench.options.database);
  ASSERT_TRUE(unsigned_store->approve(id, "eve", "", "", *bench.now).ok());
  bench.refused(runtime);
  auto shown = runtime.approvals().show(id, *bench.now);
  EXPECT_FALSE(shown->votes.at(0).counts);
  EXPECT_NE(describe(*shown).find("does not count"), std::string::npos) << describe(*shown);
}

TEST(OperatorKey, AStateThatSomeoneWroteIsRefused) {
  Keyed bench;
  auto runtime = bench.checking();
  bench.ask(runtime);
  bench.sql("UPDATE approvals SET state = 1");
  bench.refused(runtime);
}

TEST(OperatorKey, AVoteOfAnotherKeyOrForAnotherRowIsRefused) {
  Keyed bench;
  auto runtime = bench.checking();
  std::string id = bench.ask(runtime);
  auto stranger = ApprovalStore::open(bench.options.database, OpenMode::read_write,
                                      {.sign = *PrivateKey::generate("operator"), .trust = {}});
  ASSERT_TRUE(stranger->approve(id, "eve", "", "", *bench.now).ok());
  bench.refused(runtime);
  // Move a genuine vote here from another request.
  auto other = bench.pay(runtime, 700);
  ASSERT_NE(other.pending(), nullptr);
  ASSERT_TRUE(bench.operators().approve(other.pending()->approval_id, "ann", "", "", *bench.now).ok());
  bench.sql("DELETE FROM votes WHERE approval = '" + id + "'; UPDATE votes SET approval = '" + id + "'");
  bench.refused(runtime);
}

TEST(OperatorKey, EveryColumnThatTheApproverSawIsSigned) {
  for (const char* change :
       {"capability = 'look'", "input = '{}'", "resource = '1'", "agent = 'x'", "principal = 'x'", "tenant = 'x'",
        "environment = 'x'", "session = 'x'", "rule = 'x'", "reason = 'x'", "rules = '[]'", "asking = '[]'",
        "action = 'x'", "created = created + 1", "expires = expires + 1", "recorded = recorded + 1",
        "nonce = zeroblob(16)", "nonce = x''"}) {
    Keyed bench;
    auto runtime = bench.checking();
    std::string id = bench.ask(runtime);
    ASSERT_TRUE(bench.operators().approve(id, "ann", "", "", *bench.now).ok());
    bench.sql(std::string("UPDATE approvals SET ") + change);
    bench.refused(runtime);
    EXPECT_FALSE(::testing::Test::HasFailure()) << change;
  }
}

/// Somebody who can write the file, but has no key, changes columns at random: a call that nobody approved never runs,
/// and one that was approved runs once at most.
TEST(OperatorKey, NoEditLetsACallRunThatNobodyApproved) {
  struct Column {
    const char *table, *name;
  };
  static constexpr Column kColumns[] = {{"approvals", "id"},
                                        {"approvals", "binding"},
                                        {"approvals", "state"},
                                        {"approvals", "capability"},
                                        {"approvals", "input"},
                                        {"approvals", "agent"},
                                        {"approvals", "principal"},
                                        {"approvals", "tenant"},
                                        {"approvals", "environment"},
                                        {"approvals", "session"},
                                        {"approvals", "rule"},
                                        {"approvals", "reason"},
                                        {"approvals", "rules"},
                                        {"approvals", "asking"},
                                        {"approvals", "action"},
                                        {"approvals", "created"},
                                        {"approvals", "expires"},
                                        {"approvals", "recorded"},
                                        {"approvals", "nonce"},
                                        {"approvals", "consumed"},
                                        {"approvals", "consumed_by"},
                                        {"approvals", "outcome"},
                                        {"votes", "approval"},
                                        {"votes", "approves"},
                                        {"votes", "grp"},
                                        {"votes", "approver"},
                                        {"votes", "note"},
                                        {"votes", "time"},
                                        {"votes", "key"},
                                        {"votes", "signature"}};
  static constexpr const char* kValues[] = {"(SELECT b.{0} FROM {1} b WHERE b.rowid <> {1}.rowid LIMIT 1)",
                                            "1",
                                            "0",
                                            "''",
                                            "x''",
                                            "{0} + 1",
                                            "CAST({0} AS TEXT)"};
  test::Torture torture(40);
  while (torture.goes_on()) {
    SCOPED_TRACE(torture.where());
    Keyed bench;
    auto runtime = bench.checking();
    bench.ask(runtime);
    auto approved = bench.pay(runtime, 700);
    ASSERT_NE(approved.pending(), nullptr);
    ASSERT_TRUE(bench.operators().approve(approved.pending()->approval_id, "ann", "", "", *bench.now).ok());
    {
      auto database = sqlite::Database::open(bench.options.database + "/approvals.db",
                                             sqlite::Database::Open::read_write, std::chrono::seconds(5));
      ASSERT_TRUE(database.ok());
      for (uint64_t edits = 1 + torture.below(4); edits > 0; --edits) {
        const Column& column = kColumns[torture.below(std::size(kColumns))];
        const std::string value =
            fmt::format(fmt::runtime(kValues[torture.below(std::size(kValues))]), column.name, column.table);
        const bool one = torture.below(2) == 0;
        const std::string sql = fmt::format("UPDATE {} SET {} = {}{}", column.table, column.name, value,
                                            one ? fmt::format(" WHERE rowid = {}", 1 + torture.below(2)) : "");
        torture.count(database->execute(sql).ok() ? "edits" : "edits that the table does not take");
      }
    }
    auto outcome = bench.pay(runtime, 600);
    EXPECT_FALSE(outcome.has_value());
    EXPECT_EQ(*bench.runs, 0);
    for (int again = 0; again < 3; ++again) (void)bench.pay(runtime, 700);
    EXPECT_LE(*bench.runs, 1);
    if (*bench.runs == 1) torture.count("approved calls that ran");
  }
}

TEST(OperatorKey, ARequestThatShowsAnotherCallThanItIsBoundToIsRefused) {
  Keyed bench;
  auto runtime = bench.checking();
  std::string id = bench.ask(runtime);
  bench.sql(R"(UPDATE approvals SET input = '{"amount":1.0,"to":"bob"}')");
  auto approved = bench.operators().approve(id, "ann", "", "", *bench.now);
  ASSERT_FALSE(approved.ok());
  EXPECT_EQ(approved.error().code, "approval_altered");
  bench.refused(runtime);
}

/// The operator is shown one request; before the answer, someone puts another under its id.
TEST(OperatorKey, OnlyTheRequestThatWasShownIsApproved) {
  for (bool keyed : {true, false}) {
    Keyed bench;
    auto runtime = keyed ? bench.checking() : bench.open();
    const std::string id = bench.ask(runtime);
    auto other = bench.pay(runtime, 4000);
    ASSERT_NE(other.pending(), nullptr);
    const std::string worse = other.pending()->approval_id;
    auto operators = bench.operators();
    auto shown = operators.show(id, *bench.now);
    ASSERT_TRUE(shown.ok());
    ASSERT_FALSE(shown->altered);
    bench.sql("UPDATE approvals SET id = 'x' WHERE id = '" + id + "'; UPDATE approvals SET id = '" + id +
              "' WHERE id = '" + worse + "'; UPDATE approvals SET id = '" + worse + "' WHERE id = 'x'");
    for (const auto& approved :
         {operators.approve(*shown, "ann", "", "", *bench.now), operators.approve(id, "ann", "", "", *bench.now)}) {
      ASSERT_FALSE(approved.ok());
      EXPECT_EQ(approved.error().code, "approval_altered");
    }
    auto swapped = operators.show(id, *bench.now);
    ASSERT_TRUE(swapped.ok());
    EXPECT_TRUE(swapped->altered);
    EXPECT_NE(describe(*swapped).find("ALTERED"), std::string::npos);
    EXPECT_NE(to_json(*swapped).find(R"("altered":true)"), std::string::npos);
    for (double amount : {600.0, 4000.0}) {
      auto outcome = bench.pay(runtime, amount);
      ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
      EXPECT_EQ(outcome.denied()->code, "approval_unavailable");
    }
    EXPECT_TRUE(operators.reject(id, "ann", "", "", *bench.now).ok()) << "to take away is always possible";
    EXPECT_EQ(*bench.runs, 0);
  }
}

TEST(OperatorKey, ARequestThatWasMadeAgainIsNotTheOneThatWasShown) {
  Keyed bench;
  auto runtime = bench.checking();
  auto operators = bench.operators();
  auto shown = operators.show(bench.ask(runtime), *bench.now);
  ASSERT_TRUE(shown.ok());
  shown->content[31] ^= 1;  // a request whose id begins like the one that was shown
  EXPECT_EQ(operators.approve(*shown, "ann", "", "", *bench.now).error().code, "approval_altered");
}

TEST(OperatorKey, ARowSetBackDoesNotServeAgain) {
  Keyed bench;
  auto runtime = bench.checking();
  std::string id = bench.ask(runtime);
  ASSERT_TRUE(bench.operators().approve(id, "ann", "", "", *bench.now).ok());
  ASSERT_TRUE(bench.pay(runtime, 600).has_value());
  bench.sql("UPDATE approvals SET state = 1");
  auto again = bench.pay(runtime, 600);
  ASSERT_NE(again.denied(), nullptr) << again.describe();
  EXPECT_EQ(*bench.runs, 1);
}

/// Whoever can write approvals.db but not the audit log cannot make an approval serve twice: the
/// log says that it was used, to every runtime and after every restart, in whichever segment.
TEST(OperatorKey, ARowSetBackDoesNotServeAnotherRuntimeOrALaterOne) {
  for (Durability durability : {Durability::sync, Durability::group, Durability::async}) {
    for (bool rotated : {false, true}) {
      Keyed bench;
      bench.options.audit.durability = durability;
      std::optional<Runtime> first = bench.checking(), second = bench.checking();
      std::string id = bench.ask(*first);
      ASSERT_TRUE(bench.operators().approve(id, "ann", "", "", *bench.now).ok());
      for (int i = 0; i < 5; ++i) ASSERT_TRUE(bench.pay(*first, 20).has_value());
      ASSERT_TRUE(bench.pay(*first, 600).has_value());
      ASSERT_TRUE(first->flush().ok());
      if (rotated) {
        ASSERT_TRUE(rotate_audit(bench.options.database).ok());
      }
      const int before = *bench.runs;
      const auto refused = [&](const Runtime& runtime) {
        bench.sql("UPDATE approvals SET state = 1, consumed = 0, consumed_by = '', outcome = ''");
        auto again = bench.pay(runtime, 600);
        ASSERT_NE(again.denied(), nullptr) << again.describe();
        EXPECT_EQ(again.denied()->code, "approval_unavailable");
        EXPECT_NE(again.denied()->reason.find("already used"), std::string::npos) << again.denied()->reason;
        bench.sql("UPDATE approvals SET state = 1, consumed = 0, consumed_by = '', outcome = ''");
        auto authorization = runtime.authorize("pay", json(R"({"to": "bob", "amount": 600.0})"));
        EXPECT_FALSE(authorization.authorized);
      };
      refused(*second);
      first.reset();
      second.reset();
      refused(bench.checking());
      EXPECT_EQ(*bench.runs, before);
      auto records = bench.read_records();
      ASSERT_GE(records.size(), 2u);
      for (size_t i = records.size() - 2; i < records.size(); ++i) {  // of the call and of the authorization
        EXPECT_EQ(records[i].kind, RecordKind::denied);
        EXPECT_EQ(records[i].cause, "approval_unavailable");
      }
      EXPECT_EQ(records[records.size() - 2].approval, id);
      EXPECT_TRUE(bench.verify().ok);
    }
  }
}

/// Whoever can write both files, and lets the host sign the log that is left, has a used approval serve once more.
/// Only checkpoints that were kept elsewhere show it.
TEST(OperatorKey, WhoCanWriteBothFilesIsNoticedByCheckpointsKeptElsewhere) {
  Keyed bench;
  const PrivateKey log_key = *PrivateKey::generate("example.com");
  bench.options.audit.key = log_key;
  bench.options.audit.checkpoint_file = bench.state / "elsewhere";
  {
    auto runtime = bench.checking();
    const std::string id = bench.ask(runtime);
    ASSERT_TRUE(bench.operators().approve(id, "ann", "", "", *bench.now).ok());
    ASSERT_TRUE(bench.pay(runtime, 600).has_value());
  }
  auto kept = read_checkpoints(bench.state / "elsewhere");
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  ASSERT_FALSE(kept->empty());
  {
    auto log = sqlite::Database::open(bench.options.database + "/audit.db", sqlite::Database::Open::read_write,
                                      std::chrono::seconds(5));
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE(log->execute("DELETE FROM records WHERE id > 1; DELETE FROM checkpoints").ok());
  }
  bench.sql("UPDATE approvals SET state = 1, consumed = 0, consumed_by = '', outcome = ''");
  bench.options.audit.checkpoint_file.clear();
  {
    auto runtime = bench.checking();
    EXPECT_TRUE(bench.pay(runtime, 600).has_value()) << "nothing that is left says that the approval was used";
  }
  auto log = AuditLog::open(bench.options.database);
  ASSERT_TRUE(log.ok()) << log.error().message;
  auto signed_anew = log->verify({.keys = {log_key.public_key()}});
  ASSERT_TRUE(signed_anew.ok()) << signed_anew.error().message;
  EXPECT_TRUE(signed_anew->ok) << signed_anew->problem;
  auto found = log->verify({.keys = {log_key.public_key()}, .checkpoints = *kept});
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_FALSE(found->ok);
}

TEST(OperatorKey, ARowSetBackAllTheTimeServesOnce) {
  Keyed bench;
  bench.options.operator_keys = {.sign = {}, .trust = {bench.key.public_key()}};
  std::vector<Runtime> runtimes;
  for (int i = 0; i < 3; ++i) runtimes.push_back(bench.open());
  std::string id = bench.ask(runtimes[0]);
  ASSERT_TRUE(bench.operators().approve(id, "ann", "", "", *bench.now).ok());
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (const Runtime& runtime : runtimes) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) (void)bench.pay(runtime, 600);
    });
  }
  std::thread attacker([&] {
    while (!stop) bench.sql("UPDATE OR IGNORE approvals SET state = 1 WHERE id = '" + id + "'");
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  attacker.join();
  EXPECT_EQ(*bench.runs, 1);
}

TEST(OperatorKey, TheLogNamesWhoApprovedAndWithWhichKey) {
  Keyed bench;
  auto runtime = bench.checking();
  const std::string key = bench.key.public_key().text();
  auto asked = bench.pay(runtime, 6000);
  ASSERT_NE(asked.pending(), nullptr);
  const std::string id = asked.pending()->approval_id;
  ASSERT_TRUE(bench.operators().approve(id, "ann", "finance", "", *bench.now).ok());
  ASSERT_TRUE(bench.operators().approve(id, "bob", "risk", "", *bench.now).ok());
  ASSERT_TRUE(bench.pay(runtime, 6000).has_value());
  Grant grant;
  grant.until_ns = kNoon + 3600 * kSecond;
  grant.granted_by = "cid";
  ASSERT_TRUE(bench.operators().create_grant(grant, *bench.now).ok());
  ASSERT_TRUE(bench.pay(runtime, 700).has_value());
  std::string found;
  for (const AuditRecord& record : bench.records(runtime)) {
    for (const RecordedApprover& one : record.approvers) {
      EXPECT_EQ(record.kind, RecordKind::intent);
      EXPECT_EQ(key.rfind(one.key + "+", 0), 0u) << one.key << " begins the verifier key " << key;
      found += one.name + ":" + one.group + " ";
    }
  }
  EXPECT_EQ(found, "ann:finance bob:risk cid: ");
}

TEST(OperatorKey, AHandlerOnTheSpotSignsWithTheHostsKey) {
  Keyed bench;
  bench.options.approvals = auto_handler(true);
  bench.options.operator_keys = {.sign = bench.key, .trust = {}};
  EXPECT_TRUE(bench.pay(bench.open(), 600).has_value());
  bench.options.operator_keys = {.sign = {}, .trust = {bench.key.public_key()}};
  auto outcome = bench.pay(bench.open(), 600);
  ASSERT_NE(outcome.denied(), nullptr);
  EXPECT_EQ(outcome.denied()->code, "approval_unavailable");
}

// --- grants ---

Grant an_hour(std::string capability = "*") {
  Grant grant;
  grant.capability = std::move(capability);
  grant.until_ns = kNoon + 3600 * kSecond;
  grant.granted_by = "ann";
  return grant;
}

TEST(Grants, LiftRequireApprovalUntilTheyEndAndAreRecorded) {
  Bench bench;
  auto runtime = bench.open();
  auto grant = runtime.approvals().create_grant(an_hour("pay"), *bench.now);
  ASSERT_TRUE(grant.ok()) << grant.error().message;
  EXPECT_EQ(grant->state, GrantState::active);
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  EXPECT_TRUE(bench.pay(runtime, 6000).has_value()) << "of every group";
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].grant, grant->id);
  EXPECT_EQ(records[0].effect, Effect::require_approval);
  EXPECT_EQ(records[0].approval, "");
  EXPECT_NE(to_json(records[0]).find("\"grant\":\"" + grant->id), std::string::npos);
  EXPECT_TRUE(runtime.approvals().list(std::nullopt, *bench.now)->empty()) << "no request was made";
  *bench.now += 3600 * kSecond;
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr);
}

TEST(Grants, NeverLiftADenyOrARejection) {
  Bench bench;
  auto runtime = bench.open();
  std::string id = bench.pay(runtime, 600).pending()->approval_id;
  ASSERT_TRUE(runtime.approvals().reject(id, "bob", "", "", *bench.now).ok());
  ASSERT_TRUE(runtime.approvals().create_grant(an_hour(), *bench.now).ok());
  EXPECT_EQ(bench.pay(runtime, -1).denied()->rule, "payments.negative");
  EXPECT_EQ(bench.pay(runtime, 600).denied()->code, "approval_rejected");
  EXPECT_NE(runtime.call("delete_everything", json("{}"), bench.tool()).denied(), nullptr);
  EXPECT_EQ(*bench.runs, 0);
}

TEST(Grants, CoverOnlyWhatTheySay) {
  struct Case {
    const char* what;
    void (*narrow)(Grant&);
    bool covers;
  };
  const Case cases[] = {
      {"all", [](Grant&) {}, true},
      {"the capability", [](Grant& g) { g.capability = "pay"; }, true},
      {"another capability", [](Grant& g) { g.capability = "look"; }, false},
      {"a glob of others", [](Grant& g) { g.capability = "pay.*"; }, false},
      {"its scope", [](Grant& g) { g.scope = "payments.write"; }, true},
      {"another scope", [](Grant& g) { g.scope = "payments"; }, false},
      {"the agent", [](Grant& g) { g.agent = "teller"; }, true},
      {"another agent", [](Grant& g) { g.agent = "other"; }, false},
      {"another principal", [](Grant& g) { g.principal = "p"; }, false},
      {"another tenant", [](Grant& g) { g.tenant = "t"; }, false},
      {"the environment", [](Grant& g) { g.environment = "prod"; }, true},
      {"another environment", [](Grant& g) { g.environment = "dev"; }, false},
      {"the session", [](Grant& g) { g.session = "s1"; }, true},
      {"another session", [](Grant& g) { g.session = "s2"; }, false},
      {"later", [](Grant& g) { g.from_ns = kNoon + kSecond; }, false},
  };
  auto program = testing::compile_text(
      edited(edited(testing::kBank, "risk high;", "risk high; scopes \"payments.write\";"), "package bank;", ""));
  for (const Case& one : cases) {
    Bench bench;
    bench.options.session = "s1";
    bench.options.attributes = json(R"({"agent": {"scopes": ["payments.*"]}})");
    auto runtime = bench.open(program);
    Grant grant = an_hour();
    one.narrow(grant);
    ASSERT_TRUE(runtime.approvals().create_grant(grant, *bench.now).ok()) << one.what;
    auto outcome = bench.pay(runtime, 600);
    EXPECT_EQ(outcome.has_value(), one.covers) << one.what << ": " << outcome.describe();
    EXPECT_EQ(outcome.pending() != nullptr, !one.covers) << one.what;
  }
}

TEST(Grants, AreRevokedAtOnce) {
  Bench bench;
  auto runtime = bench.open();
  auto grant = runtime.approvals().create_grant(an_hour(), *bench.now);
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  auto revoked = runtime.approvals().revoke_grant(grant->id.substr(0, 8), "bob", "enough", *bench.now);
  ASSERT_TRUE(revoked.ok()) << revoked.error().message;
  EXPECT_EQ(revoked->state, GrantState::revoked);
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr);
  EXPECT_EQ(runtime.approvals().revoke_grant(grant->id, "bob", "", *bench.now).error().code, "already_revoked");
  EXPECT_EQ(runtime.approvals().revoke_grant("ffffffff", "bob", "", *bench.now).error().code, "unknown_grant");
  auto listed = runtime.approvals().grants(*bench.now);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().revoked_by, "bob");
  EXPECT_NE(to_json(listed->front()).find(R"("state":"revoked")"), std::string::npos);
}

TEST(Grants, MustEndAndNameWhoGaveThem) {
  Bench bench;
  auto runtime = bench.open();
  auto code = [&](auto change) {
    Grant grant = an_hour();
    change(grant);
    auto made = runtime.approvals().create_grant(grant, *bench.now);
    return made.ok() ? "ok" : made.error().code;
  };
  EXPECT_EQ(code([](Grant& g) { g.until_ns = 0; }), "invalid_grant");
  EXPECT_EQ(code([](Grant& g) { g.until_ns = kNoon; }), "invalid_grant");
  EXPECT_EQ(code([](Grant& g) { g.from_ns = g.until_ns; }), "invalid_grant");
  EXPECT_EQ(code([](Grant& g) { g.granted_by = ""; }), "invalid_grant");
  EXPECT_EQ(code([](Grant& g) { g.capability = ""; }), "invalid_grant");
  EXPECT_EQ(code([](Grant& g) { g.agent = "\xff"; }), "invalid_grant");
  EXPECT_EQ(code([](Grant&) {}), "ok");
}

TEST(Grants, WithAKeyOnlySignedOnesCover) {
  Keyed bench;
  auto runtime = bench.checking();
  auto plain = ApprovalStore::open(bench.options.database);
  ASSERT_TRUE(plain->create_grant(an_hour(), *bench.now).ok());
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr) << "unsigned";
  EXPECT_EQ(runtime.approvals().grants(*bench.now)->front().state, GrantState::unsigned_);
  Grant narrow = an_hour("look");
  ASSERT_TRUE(bench.operators().create_grant(narrow, *bench.now).ok());
  bench.sql("UPDATE grants SET capability = '*' WHERE capability = 'look'");
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr) << "widened";
  auto signed_one = bench.operators().create_grant(an_hour("pay"), *bench.now);
  EXPECT_EQ(signed_one->signed_by, "operator");
  bench.sql("UPDATE grants SET ends = ends + 1 WHERE id = '" + signed_one->id + "'");
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr) << "prolonged";
  bench.sql("UPDATE grants SET ends = ends - 1 WHERE id = '" + signed_one->id + "'");
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
}

TEST(Grants, AreCheckedOncePerSignature) {
  Keyed bench;
  detail::CheckedSignatures checked;
  const detail::RowSignature signature = detail::sign_row({.sign = bench.key, .trust = {}}, "bytes");
  const OperatorKeys keys{.sign = {}, .trust = {bench.key.public_key()}};
  EXPECT_EQ(checked.signer(keys, "bytes", signature), "operator");
  EXPECT_EQ(checked.verifications(), 1u);
  EXPECT_EQ(checked.signer(keys, "bytes", signature), "operator");
  EXPECT_EQ(checked.verifications(), 1u);
  EXPECT_EQ(checked.signer(keys, "other", signature), "") << "other bytes are checked anew";
  EXPECT_EQ(checked.verifications(), 2u);
}

// --- scopes ---

TEST(Scopes, OnlyWhatTheAgentWasGrantedCounts) {
  auto program = testing::compile_text(R"(
capability pay { scopes "payments.write", "ledger.read"; input { n: int } }
policy p on before pay { allow; }
)");
  struct Case {
    const char* attributes;
    const char* missing;
  };
  for (const Case& one : {
           Case{R"({})", "payments.write"},
           Case{R"({"agent": {"scopes": []}})", "payments.write"},
           Case{R"({"agent": {"scopes": ["payments.write"]}})", "ledger.read"},
           Case{R"({"principal": {"scopes": ["payments.write", "ledger.read"]}})", "payments.write"},
           Case{R"({"agent": {"scopes": ["payments.write", "ledger.read"]}})", ""},
           Case{R"({"agent": {"scopes": ["payments.*", "ledger.*"]}})", ""},
           Case{R"({"agent": {"scopes": ["*"]}})", ""},
       }) {
    Bench bench;
    bench.options.attributes = json(one.attributes);
    auto runtime = bench.open(program);
    CallOptions options;
    Document metadata = json(R"({"scopes": ["payments.write", "ledger.read"]})");  // from the agent: never counts
    options.metadata = metadata.root();
    auto outcome = runtime.call("pay", json(R"({"n": 1})"), bench.tool(), options);
    EXPECT_EQ(outcome.has_value(), std::string(one.missing).empty()) << one.attributes << outcome.describe();
    if (outcome.denied() == nullptr) continue;
    EXPECT_EQ(outcome.denied()->code, "missing_scope");
    EXPECT_EQ(outcome.denied()->reason, std::string("agent teller lacks scope ") + one.missing);
    EXPECT_EQ(bench.records(runtime).at(0).cause, "missing_scope");
    EXPECT_EQ(bench.records(runtime).at(0).effect, Effect::deny);
  }
}

// --- processes ---

TEST(ApprovalProcesses, EightUseEachApprovalOnce) {
  constexpr int kProcesses = 8, kCalls = 12;
  Bench bench;
  {
    auto runtime = bench.open();
    for (int i = 0; i < kCalls; ++i) {
      auto asked = bench.pay(runtime, 601 + i);
      ASSERT_NE(asked.pending(), nullptr);
      ASSERT_TRUE(runtime.approvals().approve(asked.pending()->approval_id, "ann", "", "", *bench.now).ok());
    }
  }
  int go[2], results[2];
  ASSERT_EQ(pipe(go), 0);
  ASSERT_EQ(pipe(results), 0);
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(go[1]);
      char start = 0;
      (void)!read(go[0], &start, 1);  // returns when the parent closes its end
      auto runtime = Runtime::open(testing::bank(), bench.options);
      if (!runtime.ok()) _exit(1);
      for (int i = 0; i < kCalls; ++i) {
        auto outcome = bench.pay(*runtime, 601 + i);
        char said = outcome.has_value() ? static_cast<char>(i) : outcome.pending() != nullptr ? 'P' : 'X';
        if (write(results[1], &said, 1) != 1) _exit(1);
      }
      (void)runtime->flush();
      _exit(0);
    }
    children.push_back(child);
  }
  close(go[0]);
  close(go[1]);
  close(results[1]);
  std::map<int, int> executed;
  int pending = 0, other = 0;
  for (char said = 0; read(results[0], &said, 1) == 1;) {
    if (said < kCalls) ++executed[said];
    pending += said == 'P' ? 1 : 0;
    other += said == 'X' ? 1 : 0;
  }
  close(results[0]);
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (int i = 0; i < kCalls; ++i) EXPECT_EQ(executed[i], 1) << "call " << i;
  EXPECT_EQ(pending, (kProcesses - 1) * kCalls);
  EXPECT_EQ(other, 0);
  auto store = ApprovalStore::open(bench.options.database);
  EXPECT_EQ(store->list(ApprovalState::consumed, *bench.now)->size(), static_cast<size_t>(kCalls));
  EXPECT_EQ(store->list(ApprovalState::pending, *bench.now)->size(), static_cast<size_t>(kCalls))
      << "one new request each, shared";
  EXPECT_TRUE(bench.verify().ok);
}

}  // namespace
}  // namespace ordain
