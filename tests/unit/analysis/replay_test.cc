// These tests replay recorded calls, whose verdicts must follow from the recorded facts alone.
#include "ordain/replay.h"

#include <gtest/gtest.h>

#include <atomic>
#include <sstream>
#include <utility>

#include "ordain/handlers.h"
#include "runtime/sqlite/sqlite.h"
#include "tests/unit/runtime/support.h"
#include "vm/value/start_thread.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::compile_text;
using testing::edited;
using testing::json;
using testing::kBank;
using testing::kNoon;
using testing::kSecond;

ReplayReport again(const Bench& bench, const std::shared_ptr<const Program>& program,
                   const std::shared_ptr<const Program>& against = nullptr, const ReplayOptions& options = {}) {
  auto log = AuditLog::open(bench.options.database);
  EXPECT_TRUE(log.ok());
  auto report = replay(*log, program, against, options);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return *report;
}

ReplayReport events(const std::string& lines, const std::shared_ptr<const Program>& program,
                    const std::shared_ptr<const Program>& against, const ReplayOptions& options = {}) {
  std::istringstream in(lines);
  auto report = replay(in, program, against, options);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return *report;
}

std::array<uint64_t, kReplayChanges> counts(uint64_t unchanged, uint64_t denied, uint64_t allowed, uint64_t approval,
                                            uint64_t obligations, uint64_t indeterminate, uint64_t approval_terms = 0) {
  return {unchanged, denied, allowed, approval, obligations, indeterminate, approval_terms};
}

// Makes calls that take every path of a governed call, except redaction.
void fill(const Bench& bench) {
  Runtime runtime = bench.open();
  (void)bench.pay(runtime, 20);                                                       // intent, outcome
  (void)bench.pay(runtime, 100);                                                      // warned
  (void)bench.pay(runtime, -1);                                                       // denied
  (void)bench.pay(runtime, 600);                                                      // pending
  (void)runtime.call("pay", json(R"({"to": 1, "amount": 2.0})"), bench.tool());       // invalid input
  (void)runtime.call("unheard.of", json("{}"), bench.tool());                         // the default
  (void)runtime.call("pay", json(R"({"to": "bob", "amount": 13.5})"), bench.tool());  // a fault
  (void)runtime.call("pay", json(R"({"to": "bob", "amount": 2.0})"), bench.tool(R"({"message": "AKIA"})"));
  ASSERT_TRUE(runtime.flush().ok());
}

TEST(Replay, TheSamePoliciesChangeNothing) {
  Bench bench;
  fill(bench);
  for (unsigned threads : {1u, 4u}) {
    const ReplayReport report = again(bench, testing::bank(), nullptr, {.threads = threads});
    EXPECT_EQ(report.counts, counts(10, 0, 0, 0, 0, 1)) << "the withheld output is not in the record";
    EXPECT_EQ(report.changed(), 0u);
    ASSERT_EQ(report.groups.size(), 1u);
    EXPECT_EQ(report.groups[0].change, ReplayChange::indeterminate);
    EXPECT_EQ(report.groups[0].examples.at(0).why, "leaks.key_leak reads output, which was redacted");
  }
}

std::atomic<int> g_judges_may_start{0};

// The threads that can be started decide everything, and without any the thread that reads does.
TEST(Replay, GoesOnWithTheThreadsThatStart) {
  Bench bench;
  fill(bench);
  vm::g_may_start_thread = [] { return g_judges_may_start.fetch_sub(1) > 0; };
  for (const int startable : {0, 1, 3}) {
    g_judges_may_start = startable;
    EXPECT_EQ(again(bench, testing::bank(), nullptr, {.threads = 4}).counts, counts(10, 0, 0, 0, 0, 1)) << startable;
  }
  g_judges_may_start = 0;
  std::string many;
  for (int i = 0; i < 20'000; ++i)
    many += R"({"capability": "pay", "input": {"to": "bob", "amount": 20}})"
            "\n";
  EXPECT_EQ(events(many, testing::bank(), testing::bank(), {.threads = 2}).counts, counts(20'000, 0, 0, 0, 0, 0));
  vm::g_may_start_thread = nullptr;
}

TEST(Replay, SaysWhatChangesByRule) {
  Bench bench;
  fill(bench);
  auto text = edited(kBank, "input.amount > 500.0", "input.amount >= 100.0");
  text = edited(text, "input.amount <= 0.0", "input.amount < -5.0");
  text = edited(text, "input.amount == 100.0", "input.amount == 20.0");
  const ReplayReport report = again(bench, compile_text(text));
  EXPECT_EQ(report.counts, counts(7, 0, 1, 1, 1, 1));
  ASSERT_EQ(report.groups.size(), 4u);
  EXPECT_EQ(report.groups[0].change, ReplayChange::newly_allowed);
  EXPECT_EQ(report.groups[0].old_rule, "payments.negative");
  EXPECT_EQ(report.groups[0].new_rule, "payments.allow#1");
  EXPECT_EQ(report.groups[1].change, ReplayChange::newly_approval);
  EXPECT_EQ(report.groups[1].new_rule, "payments.large");
  ASSERT_EQ(report.groups[1].examples.size(), 1u);
  const ReplayExample& example = report.groups[1].examples[0];
  EXPECT_EQ(example.number, 3u);
  EXPECT_EQ(example.capability, "pay");
  EXPECT_EQ(example.agent, "teller");
  EXPECT_EQ(example.old_verdict.effect, Effect::allow);
  EXPECT_EQ(example.old_verdict.obligations, std::vector<std::string>{"warn by payments.round: a round sum"});
  EXPECT_EQ(example.new_verdict.effect, Effect::require_approval);
  EXPECT_EQ(example.new_verdict.reason, "a payment above 500");
}

TEST(Replay, RulesOfTheAfterStageSeeTheIntentsFacts) {
  Bench bench;
  bench.options.attributes = json(R"({"agent": {"clearance": 3}})");
  Runtime runtime = bench.open();
  (void)bench.pay(runtime, 20);
  ASSERT_TRUE(runtime.flush().ok());
  const auto program = compile_text(edited(
      kBank, "deny key_leak ",
      "deny late when input.amount == 20.0 && agent.clearance == 3 && agent.id == \"teller\" && action.id != \"\" "
      "&& now == timestamp(\"2026-01-01T12:00:00Z\");\n deny key_leak "));
  const ReplayReport report = again(bench, program);
  EXPECT_EQ(report.counts, counts(1, 1, 0, 0, 0, 0));
  EXPECT_EQ(report.groups.at(0).new_rule, "leaks.late");
  EXPECT_EQ(report.groups.at(0).examples.at(0).stage, Stage::after);
}

TEST(Replay, AnApprovalStandsAsItWasRecorded) {
  Bench bench;
  bench.options.approvals = auto_handler(true);
  Runtime runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, 600));
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_EQ(again(bench, testing::bank()).counts, counts(2, 0, 0, 0, 0, 0));
  const ReplayReport report = again(bench, compile_text(edited(kBank, "> 500.0", "> 5000.0")));
  EXPECT_EQ(report.counts, counts(1, 0, 1, 0, 0, 0));
  EXPECT_FALSE(report.groups.at(0).examples.at(0).approval.empty());
}

// A value read from a redacted part is unknown, unless the rest of the rule or a stronger rule
// settles the answer.
TEST(Replay, ARedactedValueIsUnknown) {
  Bench bench;
  Runtime runtime = bench.open();
  ASSERT_TRUE(runtime.call("pay", json(R"({"to": "bob", "amount": 20.0, "card": "4111"})"), bench.tool()));
  ASSERT_TRUE(runtime.flush().ok());
  const auto with = [&](const std::string& rule) {
    return again(bench, compile_text(edited(kBank, "deny odd ", rule + "\n deny odd "))).counts;
  };
  EXPECT_EQ(again(bench, testing::bank()).counts, counts(2, 0, 0, 0, 0, 0)) << "that it is there is known";
  EXPECT_EQ(with("deny carded when has(input.card);"), counts(1, 1, 0, 0, 0, 0));
  EXPECT_EQ(with("deny carded when has(input.card) && input.card == \"***\";"), counts(1, 0, 0, 0, 0, 1));
  EXPECT_EQ(with("deny whole when size(input) == 9;"), counts(1, 0, 0, 0, 0, 1));
  EXPECT_EQ(with("deny all when input.to == \"bob\"; deny carded when has(input.card) && input.card == \"1\";"),
            counts(1, 1, 0, 0, 0, 0));
  EXPECT_EQ(
      with("require_approval all when input.to == \"bob\"; allow carded when has(input.card) && input.card == \"1\";"),
      counts(1, 0, 0, 1, 0, 0));
  EXPECT_EQ(with("require_approval carded when has(input.card) && input.card == \"1\";"), counts(1, 0, 0, 0, 0, 1));
}

constexpr const char* kPins = R"(
capability pin { input { pin: int, place: string } }
policy pins on before pin { redact pin input.pin with "-"; allow; }
)";

TEST(Replay, AStandInOfAnotherTypeIsNoMisfit) {
  Bench bench;
  Runtime runtime = bench.open(compile_text(kPins));
  ASSERT_TRUE(runtime.call("pin", json(R"({"pin": 77, "place": "here"})"), bench.tool()));
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_EQ(again(bench, compile_text(kPins)).counts, counts(2, 0, 0, 0, 0, 0));
  const auto with = [&](const std::string& rule) {
    return again(bench, compile_text(edited(kPins, "allow;", rule + " allow;"))).counts;
  };
  EXPECT_EQ(with("deny here when input.place == \"here\";"), counts(1, 1, 0, 0, 0, 0));
  EXPECT_EQ(with("deny zero when input.pin == 0;"), counts(1, 0, 0, 0, 0, 1));
  EXPECT_EQ(with("deny zero when input.place == \"there\" && input.pin == 0;"), counts(2, 0, 0, 0, 0, 0))
      << "the rest of the condition settles it";
  EXPECT_EQ(with("deny zero when input.place == \"here\" || input.pin == 0;"), counts(1, 1, 0, 0, 0, 0));
}

constexpr const char* kLogins = R"(
capability login { input { user: string, token: secret string } }
policy logins on before login { deny weak when input.token == "weak"; allow; }
)";

// The record holds a digest of the token, so whether a rule about the token gives the same answer is not known.
TEST(Replay, ASecretIsUnknown) {
  Bench bench;
  Runtime runtime = bench.open(compile_text(kLogins));
  const auto log_in = [&](const std::string& token) {
    return runtime.call("login", json(R"({"user": "ann", "token": )" + token + "}"), bench.tool()).has_value();
  };
  EXPECT_TRUE(log_in("\"strong\""));  // intent, outcome
  EXPECT_FALSE(log_in("\"weak\""));
  ASSERT_TRUE(runtime.flush().ok());
  const ReplayReport same = again(bench, compile_text(kLogins));
  EXPECT_EQ(same.counts, counts(1, 0, 0, 0, 0, 2));
  ASSERT_EQ(same.groups.size(), 1u);
  EXPECT_EQ(same.groups[0].examples.at(0).why, "logins.weak reads input.token, which is secret");
  const auto of_users = compile_text(edited(kLogins, "input.token == \"weak\"", "input.user == \"bob\""));
  EXPECT_EQ(again(bench, of_users).counts, counts(2, 0, 1, 0, 0, 0)) << "no rule reads the token";

  EXPECT_FALSE(log_in("7")) << "not a string";
  ASSERT_TRUE(runtime.flush().ok());
  const ReplayReport misfit = again(bench, of_users);
  EXPECT_EQ(misfit.counts, counts(2, 0, 1, 0, 0, 1)) << "whether the token fits is not known from its digest";
  EXPECT_EQ(misfit.groups.back().examples.at(0).why, "whether input.token fits its declaration is not known");
}

// A text that tells a redacted value cannot be compared with the recorded one.
TEST(Replay, AWarningThatTellsARedactedValueIsIndeterminate) {
  Bench bench;
  const auto program = compile_text(edited(kPins, "allow;", "warn told because \"pin \" + string(input.pin); allow;"));
  Runtime runtime = bench.open(program);
  ASSERT_TRUE(runtime.call("pin", json(R"({"pin": 77, "place": "here"})"), bench.tool()));
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_EQ(again(bench, program).counts, counts(1, 0, 0, 0, 0, 1));
}

TEST(Replay, AWarningsTextIsOnRecord) {
  Bench bench;
  fill(bench);
  const ReplayReport report = again(bench, compile_text(edited(kBank, "a round sum", "a rounder sum")));
  EXPECT_EQ(report.counts, counts(9, 0, 0, 0, 1, 1));
  EXPECT_EQ(report.groups.at(0).old_rule, "payments.round");
  EXPECT_EQ(report.groups.at(0).new_rule, "payments.round");
}

TEST(Replay, AnOutputThatDidNotFitIsNotInTheRecord) {
  const char* strict = R"(
capability pin { input { pin: int } output { text: string } }
policy pins on before pin { allow; }
)";
  Bench bench;
  Runtime runtime = bench.open(compile_text(strict));
  ASSERT_FALSE(runtime.call("pin", json(R"({"pin": 77})"), bench.tool(R"({"text": 1})")));
  ASSERT_TRUE(runtime.flush().ok());
  const ReplayReport report = again(bench, compile_text(strict));
  EXPECT_EQ(report.counts, counts(1, 0, 0, 0, 0, 1));
  EXPECT_EQ(report.changed(), 0u);
  EXPECT_EQ(report.groups.at(0).examples.at(0).why, "whether output fits its declaration is not known");
  EXPECT_EQ(again(bench, compile_text(strict + std::string("policy late on after pin { deny always; }"))).counts,
            counts(2, 0, 0, 0, 0, 0))
      << "withheld by either";
}

using Edits = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kTerms = R"(
capability go { input { n: int, card: string, name: string } }
policy terms on before go {
  require_approval ask when input.n > 1 from ["a", "b"] expires 30m because "ask";
  warn noted when input.n == 1 because "old";
  redact hide input.card when input.n == 1 with "***";
  allow;
}
)";

TEST(Replay, TermsReplacementsAndTextsAreChanges) {
  const std::string trace =
      "{\"capability\": \"go\", \"input\": {\"n\": 1, \"card\": \"4111\", \"name\": \"x\"}}\n"
      "{\"capability\": \"go\", \"input\": {\"n\": 2, \"card\": \"4111\", \"name\": \"x\"}}\n";
  const auto old_program = compile_text(kTerms);
  const auto with = [&](const std::string& from, const std::string& to) {
    return events(trace, compile_text(edited(kTerms, from, to)), old_program);
  };
  EXPECT_EQ(with("because \"ask\"", "because \"please\"").counts, counts(2, 0, 0, 0, 0, 0)) << "the reason may differ";
  EXPECT_EQ(with("[\"a\", \"b\"]", "[\"b\", \"a\"]").counts, counts(2, 0, 0, 0, 0, 0));
  for (const auto& [from, to] :
       {std::pair{"\"b\"]", "\"c\"]"}, {"from [\"a\", \"b\"]", ""}, {"30m", "20m"}, {"expires 30m", ""}}) {
    EXPECT_EQ(with(from, to).counts, counts(1, 0, 0, 0, 0, 0, 1)) << to;
  }
  for (const auto& [from, to] : Edits{{"because \"old\"", "because \"new\""},
                                      {"because \"old\"", ""},
                                      {"\"***\"", "\"#\""},
                                      {"with \"***\"", ""},
                                      {"hide input.card", "hide input.name"}}) {
    EXPECT_EQ(with(from, to).counts, counts(1, 0, 0, 0, 1, 0)) << to;
  }
  const ReplayReport report = with("\"b\"]", "\"c\"]");
  EXPECT_EQ(report.changed(), 1u);
  ASSERT_EQ(report.groups.size(), 1u);
  EXPECT_EQ(report.groups[0].change, ReplayChange::approval_terms);
  const ReplayExample& example = report.groups[0].examples.at(0);
  EXPECT_EQ(example.old_verdict.from, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(example.new_verdict.from, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(example.new_verdict.expires_seconds, 1800);
  EXPECT_EQ(with("\"***\"", "\"#\"").groups.at(0).examples.at(0).new_verdict.obligations,
            (std::vector<std::string>{"redact input.card with \"#\" by terms.hide", "warn by terms.noted: old"}));
}

// Replaces the body of each record in the log by what `change` makes of it.
template <typename Change>
void change_bodies(const Bench& bench, int64_t records, const Change& change) {
  auto database = sqlite::Database::open(bench.options.database + "/audit.db", sqlite::Database::Open::read_write,
                                         std::chrono::seconds(2));
  ASSERT_TRUE(database.ok());
  for (int64_t id = 1; id <= records; ++id) {
    auto select = database->prepare("SELECT body FROM records WHERE id = ?");
    ASSERT_EQ(select->bind(1, id).step(), sqlite::Statement::Step::row);
    const std::string body = change(std::string(select->blob(0)));
    select->reset();
    auto update = database->prepare("UPDATE records SET body = ?1 WHERE id = ?2");
    ASSERT_EQ(update->bind_blob(1, body.data(), body.size()).bind(2, id).step(), sqlite::Statement::Step::done);
  }
}

// Removes the fields that records have for the terms of approval (45) and what redactions show (46).
std::string as_earlier_version(const std::string& body) {
  std::string out = body.substr(0, 1);
  for (size_t at = 1; at < body.size();) {
    uint32_t size = 0;
    for (int i = 3; i >= 0; --i) size = size << 8 | static_cast<uint8_t>(body[at + 1 + static_cast<size_t>(i)]);
    if (static_cast<uint8_t>(body[at]) < 45) out += body.substr(at, 5 + size);
    at += 5 + size;
  }
  return out;
}

// A record says what was asked for and shown, so that changes are seen without the policies of that time.
TEST(Replay, TheRecordHoldsTermsAndReplacements) {
  Bench bench;
  const auto program = compile_text(kTerms);
  {
    Runtime runtime = bench.open(program);
    for (int n : {1, 2}) {
      (void)runtime.call("go", json(R"({"n": )" + std::to_string(n) + R"(, "card": "4111", "name": "x"})"),
                         bench.tool());
    }
    ASSERT_TRUE(runtime.flush().ok());
  }
  const auto with = [&](const std::string& from, const std::string& to) {
    return again(bench, compile_text(edited(kTerms, from, to)));
  };
  EXPECT_EQ(again(bench, program).counts, counts(3, 0, 0, 0, 0, 0)) << "an intent, its outcome, and what waits";
  EXPECT_EQ(with("[\"a\", \"b\"]", "[\"b\", \"a\"]").counts, counts(3, 0, 0, 0, 0, 0));
  const Edits terms = {{"\"b\"]", "\"c\"]"},
                       {"from [\"a\", \"b\"]", ""},
                       {"from [\"a\", \"b\"]", "from any of [\"a\", \"b\"]"},
                       {"\"b\"]", "\"b\"] distinct = false"},
                       {"30m", "20m"},
                       {"expires 30m", ""}};
  const Edits shown = {{"\"***\"", "\"#\""}, {"with \"***\"", ""}, {"with \"***\"", "with \"*\" + \"*\""}};
  for (const auto& [from, to] : terms) EXPECT_EQ(with(from, to).counts, counts(2, 0, 0, 0, 0, 0, 1)) << to;
  for (const auto& [from, to] : shown) EXPECT_EQ(with(from, to).counts, counts(2, 0, 0, 0, 1, 0)) << to;
  EXPECT_EQ(with("with \"***\"", "with input.card + \"x\"").counts, counts(2, 0, 0, 0, 0, 1)) << "the card is redacted";
  const ReplayReport report = with("\"b\"]", "\"c\"]");
  ASSERT_EQ(report.groups.size(), 1u);
  const ReplayExample& example = report.groups[0].examples.at(0);
  EXPECT_TRUE(example.old_verdict.has_terms);
  EXPECT_EQ(example.old_verdict.from, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(example.old_verdict.expires_seconds, 1800);
  EXPECT_EQ(with("\"***\"", "\"#\"").groups.at(0).examples.at(0).old_verdict.obligations,
            (std::vector<std::string>{"redact input.card with \"***\" by terms.hide", "warn by terms.noted: old"}));

  ASSERT_NO_FATAL_FAILURE(change_bodies(bench, 3, as_earlier_version));
  for (const Edits& edits : {terms, shown}) {
    for (const auto& [from, to] : edits) {
      EXPECT_EQ(with(from, to).counts, counts(3, 0, 0, 0, 0, 0)) << "earlier versions did not record it: " << to;
    }
  }
}

constexpr const char* kClock = R"(
capability go { input { n: int } }
policy clock on before go {
  deny late when now > timestamp("2026-06-01T00:00:00Z");
  deny negative when input.n < 0;
  allow;
}
)";

// A trace that is replayed gives the same answers whatever the present time, and whatever has been
// approved since.
TEST(Replay, TheSameTraceGivesTheSameAnswersHoursLater) {
  Bench bench;
  const auto program = compile_text(
      edited(kBank, "deny odd ", "deny noon when now >= timestamp(\"2026-01-01T12:30:00Z\");\n deny odd "));
  Runtime runtime = bench.open(program);
  (void)bench.pay(runtime, 20);
  EXPECT_TRUE(bench.pay(runtime, 600).pending() != nullptr);
  *bench.now += 3600 * kSecond;
  EXPECT_FALSE(bench.pay(runtime, 20));
  ASSERT_TRUE(runtime.flush().ok());
  const ReplayReport first = again(bench, program);
  EXPECT_EQ(first.counts, counts(4, 0, 0, 0, 0, 0));

  auto approvals = ApprovalStore::open(bench.options.database, OpenMode::read_write);
  ASSERT_TRUE(approvals.ok());
  auto waiting = approvals->list(ApprovalState::pending, kNoon);
  ASSERT_EQ(waiting->size(), 1u);
  ASSERT_TRUE(approvals->approve(waiting->front().id, "ann", "finance", "", kNoon).ok());
  *bench.now += 7 * 3600 * kSecond;
  EXPECT_EQ(again(bench, program).counts, first.counts);

  // Events without a time do not get the present time.
  const std::string trace =
      "{\"capability\": \"go\", \"input\": {\"n\": 1}}\n{\"capability\": \"go\", \"input\": {\"n\": -1}}\n";
  const auto clock = compile_text(kClock);
  EXPECT_EQ(events(trace, clock, clock).counts, counts(1, 0, 0, 0, 0, 1));
  EXPECT_EQ(events(trace, clock, clock, {.now_ns = kNoon}).counts, counts(2, 0, 0, 0, 0, 0));
}

TEST(Replay, EventsOfTwoPolicySets) {
  const auto old_clock = compile_text(kClock), new_clock = compile_text(edited(kClock, "input.n < 0", "input.n < 2"));
  std::string trace;
  for (int i = 0; i < 20'000; ++i) {
    trace += "{\"capability\": \"go\", \"now\": \"2026-01-01T00:00:00Z\", \"agent\": {\"id\": \"a" +
             std::to_string(i % 3) + "\"}, \"input\": {\"n\": " + std::to_string(i % 4 - 1) + "}}\n";
  }
  trace += "not json\n\n[]";
  for (unsigned threads : {1u, 3u}) {
    const ReplayReport report = events(trace, new_clock, old_clock, {.examples = 4, .threads = threads});
    EXPECT_EQ(report.counts, counts(10'000, 10'000, 0, 0, 0, 0));
    EXPECT_EQ(report.malformed, 2u);
    EXPECT_EQ(report.first_malformed.substr(0, 12), "line 20001: ");
    ASSERT_EQ(report.groups.size(), 1u);
    std::vector<uint64_t> numbers;
    for (const auto& example : report.groups[0].examples) numbers.push_back(example.number);
    EXPECT_EQ(numbers, (std::vector<uint64_t>{2, 3, 6, 7})) << "the first ones, in order";
    EXPECT_EQ(report.groups[0].examples[0].agent, "a1");
  }
  std::istringstream in(trace);
  EXPECT_EQ(replay(in, new_clock, nullptr).error().code, "needs_against");
}

TEST(Replay, AnOutcomeWithoutItsIntentIsIndeterminate) {
  Bench bench;
  bench.options.audit.segment_records = 1;
  Runtime runtime = bench.open();
  (void)bench.pay(runtime, 20);
  ASSERT_TRUE(runtime.flush().ok());
  (void)bench.pay(runtime, 20);
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_EQ(again(bench, testing::bank()).counts, counts(4, 0, 0, 0, 0, 0)) << "across segments";
}

TEST(Replay, RecordsThatNameNoActionAreOfNoCall) {
  Bench bench;
  {
    Runtime runtime = bench.open();
    ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  }
  auto database = sqlite::Database::open(bench.options.database + "/audit.db", sqlite::Database::Open::read_write,
                                         std::chrono::seconds(2));
  for (int64_t id : {1, 2}) {
    auto select = database->prepare("SELECT body FROM records WHERE id = ?");
    ASSERT_EQ(select->bind(1, id).step(), sqlite::Statement::Step::row);
    std::string body(select->blob(0));
    select->reset();
    // Skip version, kind and time.
    ASSERT_EQ(body.substr(20, 5), std::string("\x03\x10\0\0\0", 5));
    body.erase(20, 21);
    auto update = database->prepare("UPDATE records SET body = ?1 WHERE id = ?2");
    ASSERT_EQ(update->bind_blob(1, body.data(), body.size()).bind(2, id).step(), sqlite::Statement::Step::done);
  }
  database = Error{};
  ReplayReport report = again(bench, testing::bank());
  EXPECT_EQ(report.counts, counts(1, 0, 0, 0, 0, 1));
  EXPECT_EQ(report.groups.at(0).examples.at(0).why, "the intent record of the call is not there");
}

}  // namespace
}  // namespace ordain
