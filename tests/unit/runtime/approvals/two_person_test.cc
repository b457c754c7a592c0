// These tests cover who may approve: a name counts once in a request, the agent never, and the principal only
// where a rule asks for it; and how many groups each rule needs.
#include <sstream>

#include "runtime/sqlite/sqlite.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;

/// A bench whose agent is "teller" and whose principal is "boss".
struct Panel : Bench {
  Panel() { options.principal = "boss"; }

  Runtime open_rules(const std::string& rules) const {
    return open(testing::compile_text(
        "capability pay { input { to: string, amount: double } output open { message: string } }\n"
        "policy p on before pay { " +
        rules + " allow; }"));
  }
  std::string ask(const Runtime& runtime, double amount = 600) const {
    auto outcome = pay(runtime, amount);
    EXPECT_NE(outcome.pending(), nullptr) << outcome.describe();
    return outcome.pending() != nullptr ? outcome.pending()->approval_id : "";
  }
  /// @returns the request's new state, or the code of the error
  std::string vote(const Runtime& runtime, const std::string& id, const char* name, const char* group) const {
    auto voted = runtime.approvals().approve(id, name, group, "", *now);
    return voted.ok() ? std::string(to_string(voted->state)) : voted.error().code;
  }
  /// Acts as someone who can write the file.
  void sql(const std::string& text) const {
    auto database = sqlite::Database::open(options.database + "/approvals.db", sqlite::Database::Open::read_write,
                                           std::chrono::seconds(5));
    ASSERT_TRUE(database.ok());
    auto done = database->execute(text);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
};

struct Vote {
  const char* name;
  const char* group;
  const char* result;
};

struct PanelCase {
  const char* rules;
  std::vector<Vote> votes;
};

TEST(TwoPersons, VotesCountForWhomTheyMay) {
  const PanelCase cases[] = {
      {R"(require_approval r from ["x", "y"];)",
       {{"ann", "x", "pending"},
        {"ann", "x", "already_approved"},
        {"ann", "y", "already_voted"},
        {"bob", "x", "already_approved"},
        {"bob", "y", "approved"}}},
      {R"(require_approval r from ["x", "y"] distinct = false;)", {{"ann", "x", "pending"}, {"ann", "y", "approved"}}},
      {R"(require_approval r from any of ["x", "y"];)", {{"ann", "z", "unknown_group"}, {"ann", "y", "approved"}}},
      {R"(require_approval r from 2 of ["x", "y", "z"];)",
       {{"ann", "x", "pending"}, {"ann", "z", "already_voted"}, {"bob", "z", "approved"}}},
      {R"(require_approval r from 2 of ["x", "y", "z"] distinct = false;)",
       {{"ann", "x", "pending"}, {"ann", "z", "approved"}}},
      {R"(require_approval a from any of ["x", "y"]; require_approval b from "z";)",
       {{"bob", "x", "pending"},
        {"cid", "y", "already_approved"},
        {"bob", "z", "already_voted"},
        {"ann", "z", "approved"}}},
      {R"(require_approval a from "x"; require_approval b from "y";)",
       {{"ann", "x", "pending"}, {"ann", "y", "already_voted"}, {"bob", "y", "approved"}}},
      {R"(require_approval a from ["x", "y"]; require_approval b from ["x", "z"] distinct = false;)",
       {{"ann", "x", "pending"}, {"ann", "z", "pending"}, {"ann", "y", "already_voted"}, {"bob", "y", "approved"}}},
      {R"(require_approval r from "x";)", {{"ann", "", "approved"}}},
      {R"(require_approval r;)", {{"ann", "", "approved"}}},
      {R"(require_approval a from "x"; require_approval b;)", {{"ann", "x", "approved"}}},
      // The agent that asks.
      {R"(require_approval r from "x";)",
       {{"teller", "x", "not_eligible"}, {"teller", "", "not_eligible"}, {"ann", "x", "approved"}}},
      {R"(require_approval r;)", {{"teller", "", "not_eligible"}, {"ann", "", "approved"}}},
      // The principal for whom it asks.
      {R"(require_approval r;)", {{"boss", "", "approved"}}},
      {R"(require_approval r from "x";)",
       {{"boss", "x", "not_eligible"}, {"boss", "", "not_eligible"}, {"ann", "x", "approved"}}},
      {R"(require_approval r from "principal";)",
       {{"ann", "principal", "not_eligible"},
        {"ann", "", "not_eligible"},
        {"teller", "", "not_eligible"},
        {"boss", "", "approved"}}},
      {R"(require_approval r from ["principal", "x"];)",
       {{"boss", "x", "not_eligible"},
        {"boss", "principal", "pending"},
        {"boss", "x", "not_eligible"},
        {"ann", "x", "approved"}}},
      {R"(require_approval r from ["principal", "x"] distinct = false;)",
       {{"boss", "", "pending"}, {"boss", "x", "not_eligible"}, {"ann", "x", "approved"}}},
      {R"(require_approval r from any of ["principal", "x"];)", {{"boss", "", "approved"}}},
      {R"(require_approval a from "x"; require_approval b;)", {{"boss", "", "pending"}, {"ann", "x", "approved"}}},
  };
  for (const PanelCase& each : cases) {
    SCOPED_TRACE(each.rules);
    Panel bench;
    auto runtime = bench.open_rules(each.rules);
    const std::string id = bench.ask(runtime);
    for (const Vote& vote : each.votes) {
      EXPECT_EQ(bench.vote(runtime, id, vote.name, vote.group), vote.result) << vote.name << " for " << vote.group;
      const bool approved = std::string_view(vote.result) == "approved";
      EXPECT_EQ(runtime.approvals().show(id, *bench.now)->satisfied(), approved);
    }
    EXPECT_TRUE(bench.pay(runtime, 600).has_value());
    EXPECT_EQ(*bench.runs, 1);
  }
}

TEST(TwoPersons, AnyoneMayReject) {
  for (const char* name : {"teller", "boss", "ann"}) {
    Panel bench;
    auto runtime = bench.open_rules(R"(require_approval r from ["x", "y"];)");
    const std::string id = bench.ask(runtime);
    auto rejected = runtime.approvals().reject(id, name, "", "", *bench.now);
    ASSERT_TRUE(rejected.ok()) << rejected.error().message;
    EXPECT_EQ(rejected->state, ApprovalState::rejected);
  }
}

TEST(TwoPersons, NobodyIsThePrincipalOfACallWithoutOneOrOfTheAgentsOwn) {
  for (const char* principal : {"", "teller"}) {
    Panel bench;
    bench.options.principal = principal;
    auto runtime = bench.open_rules(R"(require_approval r from "principal";)");
    const std::string id = bench.ask(runtime);
    for (const char* name : {"ann", "teller"}) EXPECT_EQ(bench.vote(runtime, id, name, "principal"), "not_eligible");
  }
}

/// Whoever edits the votes of an approved request does not make one person two.
TEST(TwoPersons, VotesAreCountedAgainWhenTheApprovalIsUsed) {
  for (const char* edit : {"UPDATE votes SET approver = 'ann'", "UPDATE votes SET approver = 'teller'",
                           "UPDATE votes SET approver = 'boss'", "UPDATE votes SET grp = 'x'", "DELETE FROM votes"}) {
    SCOPED_TRACE(edit);
    Panel bench;
    auto runtime = bench.open_rules(R"(require_approval r from ["x", "y"];)");
    const std::string id = bench.ask(runtime);
    ASSERT_EQ(bench.vote(runtime, id, "ann", "x"), "pending");
    ASSERT_EQ(bench.vote(runtime, id, "bob", "y"), "approved");
    bench.sql(edit);
    auto outcome = bench.pay(runtime, 600);
    ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
    EXPECT_EQ(outcome.denied()->code, "approval_unavailable");
    EXPECT_EQ(*bench.runs, 0);
  }
}

TEST(TwoPersons, TheRequestShowsWhatEachRuleNeedsAndWhatIsMissing) {
  Panel bench;
  auto runtime = bench.open_rules(
      R"(require_approval a from 2 of ["z", "x", "y"] expires 30m; require_approval b from "w" distinct = false;)");
  const std::string id = bench.ask(runtime);
  const std::vector<AskingRule> needs = {{"p.a", {"x", "y", "z"}, 2, true, 1800}, {"p.b", {"w"}, 1, false, 0}};
  auto shown = runtime.approvals().show(id, *bench.now);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ(shown->asking, needs);
  EXPECT_FALSE(shown->altered);
  EXPECT_EQ(shown->groups(), (std::vector<std::string>{"w", "x", "y", "z"}));
  EXPECT_EQ(shown->waits_for(), "2 of [x, y, z], w");
  EXPECT_NE(to_json(*shown).find(R"("approvals":[{"rule":"p.a","from":["x","y","z"],"need":2,"expires_seconds":1800},)"
                                 R"({"rule":"p.b","from":["w"],"need":1,"distinct":false,"expires_seconds":null}])"),
            std::string::npos)
      << to_json(*shown);
  EXPECT_NE(describe(*shown).find("p.a: 2 of [x, y, z]"), std::string::npos) << describe(*shown);
  ASSERT_EQ(bench.vote(runtime, id, "ann", "y"), "pending");
  EXPECT_EQ(runtime.approvals().show(id, *bench.now)->waits_for(), "1 of [x, z], w");
  ASSERT_EQ(bench.vote(runtime, id, "bob", "z"), "pending");
  shown = runtime.approvals().show(id, *bench.now);
  EXPECT_EQ(shown->waits_for(), "w");
  EXPECT_EQ(shown->missing(), (std::vector<std::string>{"w"}));
  ASSERT_EQ(bench.vote(runtime, id, "cid", ""), "unknown_group");
  ASSERT_EQ(bench.vote(runtime, id, "cid", "w"), "approved");
  ASSERT_TRUE(bench.pay(runtime, 600).has_value());
  auto records = bench.records(runtime);
  ASSERT_GE(records.size(), 3u);
  EXPECT_EQ(records[0].kind, RecordKind::pending);
  EXPECT_EQ(records[0].asking, needs);
  EXPECT_EQ(records[1].kind, RecordKind::intent);
  EXPECT_EQ(records[1].asking, needs);
  EXPECT_EQ(records[2].kind, RecordKind::outcome);
  EXPECT_TRUE(records[2].asking.empty());
}

TEST(TwoPersons, AnApprovalIsBoundToWhatItsRulesNeed) {
  Panel bench;
  auto runtime = bench.open_rules("");
  AskingRule need{.from = {"y", "x", "y"}, .need = 1};
  ASSERT_TRUE(runtime
                  .before("pay", "panel",
                          [&](const HostCall&) {
                            HostVerdict out = HostVerdict::require_approval("two must agree");
                            out.approvals = {need};
                            return out;
                          })
                  .ok());
  const std::string any = bench.ask(runtime);
  EXPECT_EQ(bench.ask(runtime), any);
  EXPECT_EQ(runtime.approvals().show(any, *bench.now)->asking,
            (std::vector<AskingRule>{{"panel", {"x", "y"}, 1, true, 0}}));
  need.need = 0;
  const std::string all = bench.ask(runtime);
  EXPECT_NE(all, any);
  need.need = 2;
  EXPECT_EQ(bench.ask(runtime), all) << "of no number, every group is needed";
  need.distinct = false;
  EXPECT_NE(bench.ask(runtime), all);
}

TEST(TwoPersons, AHandlerAnswersAsOnePerson) {
  Panel bench;
  std::vector<std::string> names = {"ann", "ann", "teller", "bob"};
  size_t asked = 0;
  bench.options.approvals = [&](const Approval&) { return ApprovalAnswer{Verdict::approve, names.at(asked++), ""}; };
  auto runtime = bench.open_rules(R"(require_approval r from ["x", "y"];)");
  for (size_t i = 0; i < 3; ++i) EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr) << names[i];
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  EXPECT_EQ(asked, 4u);
  auto used = runtime.approvals().list(ApprovalState::consumed, *bench.now);
  ASSERT_EQ(used->size(), 1u);
  ASSERT_EQ(used->front().votes.size(), 2u);
  EXPECT_EQ(used->front().votes[0].approver + used->front().votes[0].group, "annx");
  EXPECT_EQ(used->front().votes[1].approver + used->front().votes[1].group, "boby");
}

TEST(TwoPersons, AHandlerMaySayForWhichGroupItAnswers) {
  Panel bench;
  bench.options.approvals = [](const Approval&) { return ApprovalAnswer{Verdict::approve, "ann", "", "y"}; };
  auto runtime = bench.open_rules(R"(require_approval r from any of ["x", "y"];)");
  EXPECT_TRUE(bench.pay(runtime, 600).has_value());
  auto used = runtime.approvals().list(ApprovalState::consumed, *bench.now);
  ASSERT_EQ(used->size(), 1u);
  EXPECT_EQ(used->front().votes.at(0).group, "y");
}

TEST(TwoPersons, ThePersonAtTheKeyboardIsThePrincipal) {
  struct Case {
    const char* rules;
    const char* answer;  ///< of the call: "ran", "pending", "denied"
    const char* vote;    ///< approver and group
  };
  for (const Case& each : {
           Case{R"(require_approval r from "principal";)", "ran", "boss principal"},
           {R"(require_approval r from any of ["x", "principal"];)", "ran", "boss principal"},
           {R"(require_approval r from ["x", "principal"];)", "pending", "boss principal"},
           {R"(require_approval r;)", "ran", "terminal "},
           {R"(require_approval r from "x";)", "pending", ""},
           {R"(require_approval a from "x"; require_approval b;)", "pending", ""},
       }) {
    SCOPED_TRACE(each.rules);
    Panel bench;
    std::istringstream in("yes\n");
    std::ostringstream out;
    bench.options.approvals = terminal_handler(in, out);
    auto runtime = bench.open_rules(each.rules);
    auto outcome = bench.pay(runtime, 600);
    EXPECT_EQ(outcome.has_value()            ? "ran"
              : outcome.pending() != nullptr ? "pending"
                                             : "denied",
              std::string(each.answer));
    auto all = runtime.approvals().list(std::nullopt, *bench.now);
    ASSERT_EQ(all->size(), 1u);
    std::string votes;
    for (const ApprovalVote& vote : all->front().votes) votes += vote.approver + " " + vote.group;
    EXPECT_EQ(votes, each.vote);
    const bool asks = out.str().find("Approve?") != std::string::npos;
    EXPECT_EQ(asks, !votes.empty()) << out.str();
    EXPECT_EQ(out.str().find("waits for") == std::string::npos, asks) << out.str();
  }
}

TEST(TwoPersons, ANoAtTheKeyboardRejects) {
  Panel bench;
  std::istringstream in("no\n");
  std::ostringstream out;
  bench.options.approvals = terminal_handler(in, out);
  auto runtime = bench.open_rules(R"(require_approval r from "principal";)");
  auto outcome = bench.pay(runtime, 600);
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_NE(outcome.denied()->reason.find("boss"), std::string::npos) << outcome.denied()->reason;
}

}  // namespace
}  // namespace ordain
