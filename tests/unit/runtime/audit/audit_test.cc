// These tests cover the audit log: its encoding, its chain, every way of tampering, and what
// happens when it cannot be written.
#include <future>
#include <thread>

#include "ordain/decision_recorder.h"
#include "runtime/audit/record.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/audit/view.h"
#include "runtime/sqlite/sqlite.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using namespace detail;  // the encoding is tested from inside
using testing::Bench;
using testing::json;

sqlite::Database open_raw(const std::string& directory, int busy_ms = 2000) {
  auto database = sqlite::Database::open(directory + "/audit.db", sqlite::Database::Open::read_write,
                                         std::chrono::milliseconds(busy_ms));
  if (!database.ok()) std::abort();
  return std::move(*database);
}

/// A log of ten calls, twenty records in two chains, closed.
struct Tampering : ::testing::Test {
  Bench bench;
  void SetUp() override {
    for (int chain = 0; chain < 2; ++chain) {
      auto runtime = bench.open();
      for (int i = 0; i < 5; ++i) ASSERT_TRUE(bench.pay(runtime, 20 + i).has_value());
    }
    auto clean = bench.verify();
    ASSERT_TRUE(clean.ok) << clean.problem;
    ASSERT_EQ(clean.records, 20u);
    ASSERT_EQ(clean.chains, 2u);
  }
  void execute(const std::string& sql) {
    auto database = open_raw(bench.options.database);
    auto result = database.execute(sql);
    ASSERT_TRUE(result.ok()) << sql << ": " << result.error().message;
  }
  void expect_bad(uint64_t record) {
    auto result = bench.verify();
    EXPECT_FALSE(result.ok);
    EXPECT_EQ(result.bad_record, record) << result.problem;
    EXPECT_NE(result.problem, "");
  }
};

TEST_F(Tampering, ChangedByteOfTheBody) {
  auto records = bench.read_records();
  execute(
      "UPDATE records SET body = CAST(replace(hex(body), '626F62', '626F63') AS TEXT) WHERE id = 7");  // not even bytes
  expect_bad(7);
}

TEST_F(Tampering, EveryByteOfABodyCounts) {
  auto database = open_raw(bench.options.database);
  std::string body;
  {
    auto select = database.prepare("SELECT body FROM records WHERE id = 7");
    ASSERT_EQ(select->step(), sqlite::Statement::Step::row);
    body = select->blob(0);
  }
  ASSERT_GT(body.size(), 100u);
  auto put = [&](const std::string& bytes) {
    auto update = database.prepare("UPDATE records SET body = ? WHERE id = 7");
    update->bind_blob(1, bytes.data(), bytes.size());
    ASSERT_EQ(update->step(), sqlite::Statement::Step::done);
  };
  for (size_t at = 0; at < body.size(); at += 7) {
    std::string changed = body;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    put(changed);
    auto result = bench.verify();
    ASSERT_FALSE(result.ok) << at;
    ASSERT_EQ(result.bad_record, 7u) << at;
  }
  put(body);
  EXPECT_TRUE(bench.verify().ok);
}

TEST_F(Tampering, ChangedHash) {
  execute("UPDATE records SET hash = (SELECT hash FROM records WHERE id = 8) WHERE id = 7");
  expect_bad(7);
}
TEST_F(Tampering, BlankedHash) {
  execute("UPDATE records SET hash = zeroblob(32) WHERE id >= 7");
  expect_bad(7);
}
TEST_F(Tampering, ChangedSequence) {
  execute("UPDATE records SET sequence = sequence + 1 WHERE id = 7");
  expect_bad(7);
}
TEST_F(Tampering, SequenceOfAnotherType) {
  execute("UPDATE records SET sequence = x'07' WHERE id = 7");
  expect_bad(7);
}
TEST_F(Tampering, ChangedChain) {
  execute("UPDATE records SET chain = randomblob(16) WHERE id = 7");
  expect_bad(7);
}
TEST_F(Tampering, ChainGivenToAnother) {
  execute("UPDATE records SET chain = (SELECT chain FROM records WHERE id = 1) WHERE id = 11");
  expect_bad(11);
}
TEST_F(Tampering, ChangedId) {
  execute("UPDATE records SET id = 1000 WHERE id = 20");
  expect_bad(20);
}
TEST_F(Tampering, DeletedRow) {
  execute("DELETE FROM records WHERE id = 7");
  expect_bad(7);
}
TEST_F(Tampering, DeletedRowAndIdsClosedUp) {
  execute("DELETE FROM records WHERE id = 7");
  execute("UPDATE records SET id = id - 1 WHERE id > 7");
  expect_bad(7);
}
TEST_F(Tampering, DeletedFirstRow) {
  execute("DELETE FROM records WHERE id = 1");
  expect_bad(1);
}
TEST_F(Tampering, DeletedChain) {
  execute("DELETE FROM records WHERE id <= 10");
  execute("UPDATE records SET id = id - 10");
  expect_bad(1);
}
TEST_F(Tampering, InsertedRow) {
  execute("UPDATE records SET id = id + 1000 WHERE id >= 7");
  execute("INSERT INTO records SELECT 7, chain, sequence, body, hash FROM records WHERE id = 5");
  execute("UPDATE records SET id = id - 999 WHERE id >= 1000");
  expect_bad(7);
}
TEST_F(Tampering, RowBeforeTheFirst) {
  execute("INSERT INTO records SELECT 0, chain, sequence, body, hash FROM records WHERE id = 5");
  expect_bad(1);
}
TEST_F(Tampering, SwappedRows) {
  execute("UPDATE records SET id = 1000 WHERE id = 7");
  execute("UPDATE records SET id = 7 WHERE id = 8");
  execute("UPDATE records SET id = 8 WHERE id = 1000");
  expect_bad(7);
}

TEST_F(Tampering, AWriterNoticesThatItsOwnRecordsWereChanged) {
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  ASSERT_TRUE(runtime.flush().ok());
  execute("UPDATE records SET hash = zeroblob(32) WHERE id = 22");
  auto outcome = bench.pay(runtime, 20);
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.denied()->code, "audit_unavailable");
  EXPECT_NE(runtime.health().audit_error.find("22"), std::string::npos) << runtime.health().audit_error;
}

TEST(AuditLog, TailExportAndCount) {
  Bench bench;
  {
    auto runtime = bench.open();
    for (int i = 1; i <= 3; ++i) ASSERT_TRUE(bench.pay(runtime, i).has_value());
  }
  auto log = AuditLog::open(bench.options.database);
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(*log->count(), 6u);
  auto tail = log->tail(2);
  ASSERT_EQ(tail->size(), 2u);
  EXPECT_EQ(tail->at(0).id, 5u);
  EXPECT_EQ(tail->at(1).id, 6u);
  EXPECT_EQ(log->tail(100)->size(), 6u);
  EXPECT_TRUE(log->tail(0)->empty());
  std::vector<std::string> lines;
  auto written = log->export_jsonl([&](std::string_view line) {
    lines.emplace_back(line);
    return lines.size() < 4;
  });
  EXPECT_EQ(*written, 2u) << "the first line is of the log itself";
  for (const auto& line : lines) EXPECT_TRUE(Document::parse(line).ok()) << line;
  EXPECT_EQ(lines[0].find("{\"log\":\""), 0u) << lines[0];
  EXPECT_EQ(lines[1].find("{\"id\":1,\"chain\":\""), 0u) << lines[1];
  EXPECT_EQ(AuditLog::open(bench.state / "none").error().code, "no_database");
}

TEST(AuditLog, RefusesAFileOfAnotherKind) {
  Bench bench;
  {
    auto runtime = bench.open();
    ASSERT_TRUE(bench.pay(runtime, 1).has_value());
  }
  std::filesystem::copy_file(bench.options.database + "/approvals.db", bench.state / "audit.db");
  EXPECT_EQ(AuditLog::open(bench.state.path()).error().code, "database_corrupt");
  bench.options.database = bench.state.path();
  EXPECT_EQ(Runtime::open(testing::bank(), bench.options).error().code, "database_corrupt");
}

TEST(AuditRecordCodec, EveryFieldComesBack) {
  auto input = json(R"({"z": [1, 2.5, null, true, "x"], "a": {"b": -7}})");
  Digest digest{};
  digest[0] = 0xAB;
  DraftObligation obligations[] = {{RuleKind::redact, "p.r", "input.a", ""},
                                   {RuleKind::warn, "p.w", "", "careful"},
                                   {RuleKind::redact, "p.s", "input.b", "", input.root()}};
  Id128 lost[] = {Id128::random(), Id128::random()};
  RecordDraft draft;
  draft.kind = RecordKind::outcome;
  draft.time_ns = -5;
  draft.action = Id128::random();
  draft.trace = "t";
  draft.decided = true;
  draft.stage = Stage::after;
  draft.effect = Effect::require_approval;
  draft.observed = true;
  draft.code = DecisionCode::evaluation_error;
  draft.cause = "c";
  draft.rule = "p.r";
  draft.reason = "why";
  draft.fault = "f";
  draft.obligations = obligations;
  draft.approval = "id";
  draft.status = OutcomeStatus::redacted;
  draft.error = "e";
  draft.elapsed_ns = 99;
  draft.program = &digest;
  draft.input = draft.output = draft.resource = draft.metadata = &input.root();
  draft.lost = lost;
  DraftRedacted redacted[] = {{"input.a", digest}};
  const std::array<uint8_t, 8> key_id{1};
  std::string context;
  append_value(context, input.root());
  draft.redacted = redacted;
  draft.digest_key = &key_id;
  draft.context = context;
  draft.type = "ty";
  draft.target = "ta";
  draft.description = "de";
  draft.risk = 2.5;
  draft.rejected = "no";
  draft.attributes = &input.root();
  draft.grant = "gr";
  draft.policy = "po";
  draft.policy_version = "ve";
  draft.remote = "re";
  DraftApprover approvers[] = {{"gr", "ann", "ke+01234567"}, {"", "bob", ""}};
  draft.approvers = approvers;
  const AskingRule asking[] = {{"p.a", {"x", "y"}, 1, true, 60}, {"p.b", {}, 1, false, 0}};
  draft.asking = asking;
  draft.state = &input.root();
  std::string buffer(2000, '?');
  const std::string bytes(encode_record(draft, buffer));
  std::string small;
  EXPECT_EQ(encode_record(draft, small), bytes);
  AuditRecord record;
  ASSERT_TRUE(decode_record(bytes, &record));
  EXPECT_EQ(record.kind, RecordKind::outcome);
  EXPECT_EQ(record.time_ns, -5);
  EXPECT_EQ(record.action, draft.action.hex());
  EXPECT_EQ(record.stage, Stage::after);
  EXPECT_EQ(record.effect, Effect::require_approval);
  EXPECT_TRUE(record.observed);
  EXPECT_EQ(record.code, DecisionCode::evaluation_error);
  EXPECT_EQ(record.obligations.at(0).path, "input.a");
  EXPECT_EQ(record.obligations.at(1).reason, "careful");
  EXPECT_FALSE(record.obligations.at(0).has_with || record.obligations.at(1).has_with);
  EXPECT_TRUE(record.obligations.at(2).has_with);
  EXPECT_EQ(record.obligations.at(2).with.json(), input.json());
  EXPECT_NE(to_json(record).find(R"("rule":"p.s","path":"input.b","with":)" + input.json()), std::string::npos);
  EXPECT_EQ(record.program.substr(0, 4), "ab00");
  EXPECT_EQ(record.input.json(), input.json());
  EXPECT_EQ(record.metadata.json(), input.json());
  EXPECT_EQ(record.lost, (std::vector<std::string>{lost[0].hex(), lost[1].hex()}));
  EXPECT_EQ(record.redacted.at(0).path, "input.a");
  EXPECT_EQ(record.redacted.at(0).digest.substr(0, 4), "ab00");
  EXPECT_EQ(record.digest_key, "0100000000000000");
  EXPECT_EQ(record.context.json(), input.json());
  EXPECT_EQ(record.type + record.target + record.description + record.rejected, "tytadeno");
  EXPECT_EQ(record.grant + record.policy + record.policy_version + record.remote, "grpovere");
  EXPECT_NE(to_json(record).find(
                R"("grant":"gr","policy":"po","policy_version":"ve","remote":"re","approvers":[{"name":"ann",)"
                R"("group":"gr","key":"ke+01234567"},{"name":"bob"}],"approvals":[{"rule":"p.a","from":["x","y"],)"
                R"("need":1,"expires_seconds":60},{"rule":"p.b","from":[],"need":1,"distinct":false,)"
                R"("expires_seconds":null}],"state":)" +
                input.json() + "}"),
            std::string::npos);
  RecordView view;
  EXPECT_TRUE(view_record(bytes, &view)) << "who reads less knows the fields all the same";
  ASSERT_EQ(view.obligations.size(), 3u);
  EXPECT_TRUE(view.obligations[0].with.empty() && view.obligations[1].with.empty());
  std::string shown;
  append_value(shown, input.root());
  EXPECT_EQ(view.obligations[2].with, shown);
  EXPECT_EQ(view.state, shown) << "the state of this record is the same value";
  EXPECT_EQ(view.approvers, (std::vector<std::string_view>{"gr", ""})) << "the groups alone";
  ASSERT_EQ(view.asking.size(), 2u);
  EXPECT_EQ(view.asking[0].rule, "p.a");
  EXPECT_EQ(view.asking[0].expires_seconds, 60);
  EXPECT_FALSE(view.asking[1].distinct);
  EXPECT_EQ(record.asking, std::vector<AskingRule>(std::begin(asking), std::end(asking)));
  EXPECT_EQ(record.risk, 2.5);
  EXPECT_EQ(record.attributes.json(), input.json());
  EXPECT_EQ(record.state.json(), input.json());
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    AuditRecord ignored;
    (void)decode_record(std::string_view(bytes).substr(0, cut), &ignored);  // any bytes are safe
  }
  AuditRecord ignored;
  EXPECT_FALSE(decode_record(std::string_view(bytes).substr(0, bytes.size() - 1), &ignored));
  EXPECT_FALSE(decode_record(bytes + '\0', &ignored));
}

TEST(AuditFailure, AFailedBatchLatchesReportsTheLostAndRecovers) {
  Bench bench;
  std::mutex mutex;
  std::vector<std::string> lost;
  bench.options.audit.durability = Durability::sync;
  bench.options.audit.retry = std::chrono::milliseconds(10);
  bench.options.audit.on_lost = [&](const std::vector<std::string>& actions, const Error& error) {
    std::lock_guard lock(mutex);
    EXPECT_EQ(error.code, "database_corrupt");
    lost.insert(lost.end(), actions.begin(), actions.end());
  };
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  auto raw = open_raw(bench.options.database);
  ASSERT_TRUE(raw.execute("CREATE TABLE planted (a)").ok());
  auto denied = bench.pay(runtime, 20);
  ASSERT_NE(denied.denied(), nullptr) << denied.describe();
  EXPECT_EQ(denied.denied()->code, "audit_unavailable");
  auto latched = bench.pay(runtime, 21);
  ASSERT_NE(latched.denied(), nullptr);
  EXPECT_EQ(*bench.runs, 1);
  EXPECT_FALSE(runtime.health().audit_available);
  ASSERT_TRUE(raw.execute("DROP TABLE planted").ok());
  for (int i = 0; i < 500 && !runtime.health().audit_available; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_TRUE(runtime.health().audit_available) << runtime.health().audit_error;
  EXPECT_TRUE(bench.pay(runtime, 22).has_value());
  {
    std::lock_guard lock(mutex);
    EXPECT_EQ(lost, (std::vector<std::string>{denied.action().hex()}));
  }
  EXPECT_EQ(runtime.health().records_lost, 1u);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[2].kind, RecordKind::lost);
  EXPECT_EQ(records[2].lost, (std::vector<std::string>{denied.action().hex()}));
  EXPECT_TRUE(bench.verify().ok) << bench.verify().problem;
}

TEST(AuditFailure, AnOutcomeThatCannotBeRecordedIsWithheldAndWrittenLater) {
  Bench bench;
  bench.options.audit.durability = Durability::sync;
  bench.options.audit.retry = std::chrono::milliseconds(10);
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  auto raw = open_raw(bench.options.database);
  auto outcome = runtime.call("look", json(R"({"n": 1})"), [&](const Value&) -> Result<Document> {
    EXPECT_TRUE(raw.execute("CREATE TABLE planted (a)").ok());
    EXPECT_NE(bench.pay(runtime, 20).denied(), nullptr);  // latches
    return json(R"({"text": "done"})");
  });
  ASSERT_NE(outcome.withheld(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.withheld()->code, "audit_unavailable");
  ASSERT_TRUE(raw.execute("DROP TABLE planted").ok());
  for (int i = 0; i < 500 && !runtime.health().audit_available; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[4].kind, RecordKind::outcome) << "what was executed is on record";
  EXPECT_EQ(records[4].action, outcome.action().hex());
  EXPECT_TRUE(bench.verify().ok);
}

TEST(AuditFailure, FailOpenGoesOnUnrecorded) {
  Bench bench;
  bench.options.audit.durability = Durability::sync;
  bench.options.fail_mode = FailMode::open;
  auto runtime = bench.open();
  auto raw = open_raw(bench.options.database);
  ASSERT_TRUE(raw.execute("DROP TABLE records").ok());
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  EXPECT_NE(bench.pay(runtime, -1).denied(), nullptr) << "policies still hold";
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr) << "nor does it stand in for an approval";
  EXPECT_EQ(*bench.runs, 2);
}

TEST(AuditFailure, AFullQueueBlocksForABoundedTimeThenDenies) {
  Bench bench;
  bench.options.audit.queue_records = 4;
  bench.options.audit.queue_wait = std::chrono::milliseconds(50);
  bench.options.audit.durability = Durability::async;
  auto runtime = bench.open();
  auto raw = open_raw(bench.options.database);
  ASSERT_TRUE(raw.execute("BEGIN IMMEDIATE").ok());  // the writer has to wait
  int executed = 0;
  std::string code;
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50 && code.empty(); ++i) {
    auto outcome = runtime.call("look", json(R"({"n": 1})"), bench.tool(R"({"text": "x"})"));
    if (outcome.has_value()) ++executed;
    if (outcome.denied() != nullptr) code = outcome.denied()->code;
  }
  auto waited = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(code, "audit_full");
  EXPECT_LE(executed, 8);
  EXPECT_GE(waited, std::chrono::milliseconds(50));
  EXPECT_LT(waited, std::chrono::seconds(4));
  ASSERT_TRUE(raw.execute("ROLLBACK").ok());
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_TRUE(runtime.call("look", json(R"({"n": 1})"), bench.tool(R"({"text": "x"})")).has_value());
  EXPECT_EQ(bench.records(runtime).size(), 2u * static_cast<size_t>(executed) + 2);
  EXPECT_TRUE(bench.verify().ok);
}

TEST(AuditFailure, LargeRecordsPass) {
  Bench bench;
  bench.options.audit.queue_bytes = 1 << 16;
  auto runtime = bench.open();
  std::string big(4 << 20, 'x');
  auto outcome = runtime.call("look", json(R"({"n": 1})"), bench.tool(R"({"text": ")" + big + "\"}"));
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  auto records = bench.records(runtime);
  EXPECT_EQ(records.at(1).output.json().size(), big.size() + 11);
}

TEST(AuditThreads, EightThreadsRecordEachOfTheirCallsOnce) {
  constexpr int kThreads = 8;
#ifdef __SANITIZE_THREAD__  // with which the larger number takes a minute
  constexpr int kCalls = 500;
#else
  constexpr int kCalls = 10'000;
#endif
  Bench bench;
  bench.options.audit.queue_wait = std::chrono::seconds(30);
  std::vector<std::vector<std::string>> actions(kThreads);
  {
    auto runtime = bench.open();
    auto input = json(R"({"n": 1})");
    auto output = json(R"({"text": "x"})");
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kCalls; ++i) {
          auto outcome = runtime.call("look", input, [&](const Value&) { return Result<Document>(output); });
          ASSERT_TRUE(outcome.has_value()) << outcome.describe();
          actions[t].push_back(outcome.action().hex());
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_TRUE(runtime.flush().ok());
    EXPECT_EQ(runtime.health().records_written, 2u * kThreads * kCalls);
  }
  auto verified = bench.verify();
  EXPECT_TRUE(verified.ok) << verified.problem;
  EXPECT_EQ(verified.records, 2u * kThreads * kCalls);
  std::map<std::string, std::pair<int, int>> seen;
  auto log = AuditLog::open(bench.options.database);
  ASSERT_TRUE(log->for_each(1,
                            [&](const AuditRecord& record) {
                              auto& [intents, outcomes] = seen[record.action];
                              (record.kind == RecordKind::intent ? intents : outcomes)++;
                              return true;
                            })
                  .ok());
  EXPECT_EQ(seen.size(), static_cast<size_t>(kThreads * kCalls));
  for (const auto& thread : actions) {
    for (const auto& action : thread) ASSERT_EQ(seen[action], std::pair(1, 1)) << action;
  }
}

TEST(AuditThreads, RuntimesOnOneDirectoryInterleaveTheirChains) {
  Bench bench;
  auto first = bench.open();
  auto second = bench.open();
  std::vector<std::thread> threads;
  for (const Runtime* runtime : {&first, &second}) {
    threads.emplace_back([&, runtime] {
      for (int i = 0; i < 200; ++i) ASSERT_TRUE(bench.pay(*runtime, 20).has_value());
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(first.flush().ok());
  ASSERT_TRUE(second.flush().ok());
  auto verified = bench.verify();
  EXPECT_TRUE(verified.ok) << verified.problem;
  EXPECT_EQ(verified.records, 800u);
  EXPECT_EQ(verified.chains, 2u);
}

TEST(AuditThreads, ReloadUnderLoad) {
  Bench bench;
  auto runtime = bench.open();
  auto other = testing::compile_text(testing::edited(testing::kBank, "input.amount == 100.0", "input.amount == 200.0"));
  std::atomic<bool> stop{false};
  std::thread swapper([&] {
    for (int i = 0; !stop; ++i) EXPECT_TRUE(runtime.reload(i % 2 == 0 ? other : testing::bank()).ok());
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) ASSERT_TRUE(bench.pay(runtime, 20).has_value());
    });
  }
  for (auto& thread : threads) thread.join();
  stop = true;
  swapper.join();
  EXPECT_EQ(bench.records(runtime).size(), 2400u);
}

TEST(DecisionRecorder, RefusesDecisionsThatNameRulesOfAnotherProgram) {
  const testing::TemporaryDirectory directory;
  auto recorder = DecisionRecorder::open(directory.path(), {});
  ASSERT_TRUE(recorder.ok()) << recorder.error().message;
  DecidedFacts facts;
  facts.capability = "pay";
  const Obligation stray{.rule = 9999};
  Decision own, rule, place, obligation;
  rule.rule = 9999;
  place.fault.location = 9999;
  obligation.obligations = {&stray, 1};
  for (Decision* decision : {&own, &rule, &place, &obligation}) decision->reason = "no rule matched";
  EXPECT_TRUE((*recorder)->add(*testing::bank(), facts, own).ok());
  for (const Decision* decision : {&rule, &place, &obligation}) {
    const Result<void> added = (*recorder)->add(*testing::bank(), facts, *decision);
    ASSERT_FALSE(added.ok());
    EXPECT_EQ(added.error().code, "invalid_decision");
  }
}

}  // namespace
}  // namespace ordain
