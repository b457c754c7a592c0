// These tests cover signed checkpoints, segments, proofs and imports, and every way of tampering
// that they detect.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "runtime/audit/record.h"
#include "runtime/sqlite/sqlite.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using detail::Sha256;
using testing::Bench;
using testing::json;

PrivateKey make_key(const std::string& name = "example.com") { return *PrivateKey::generate(name); }

sqlite::Database open_raw(const std::string& path) {
  auto database = sqlite::Database::open(path, sqlite::Database::Open::read_write, std::chrono::seconds(2));
  if (!database.ok()) std::abort();
  return std::move(*database);
}

void execute(const std::string& path, const std::string& sql) {
  auto result = open_raw(path).execute(sql);
  ASSERT_TRUE(result.ok()) << sql << ": " << result.error().message;
}

/// Recomputes all hashes of the table, like an attacker who can write the file but has no key.
void rebuild_chain(const std::string& path) {
  auto database = open_raw(path);
  struct Row {
    int64_t id, sequence;
    Id128 chain;
    std::string body;
  };
  std::vector<Row> rows;
  Sha256::Hash last{};
  {
    auto head = database.prepare("SELECT previous FROM segment");
    ASSERT_EQ(head->step(), sqlite::Statement::Step::row);
    std::copy_n(head->blob(0).begin(), 32, last.begin());
    auto select = database.prepare("SELECT id, sequence, chain, body FROM records ORDER BY id");
    while (select->step() == sqlite::Statement::Step::row) {
      Row row{select->integer(0), select->integer(1), {}, std::string(select->blob(3))};
      std::copy_n(select->blob(2).begin(), 16, row.chain.bytes.begin());
      rows.push_back(row);
    }
  }
  std::map<std::string, Sha256::Hash> heads;
  Sha256 hasher;
  auto update = database.prepare("UPDATE records SET hash = ? WHERE id = ?");
  for (const Row& row : rows) {
    auto& head = heads.try_emplace(row.chain.hex(), last).first->second;
    detail::RecordPlace place{static_cast<uint64_t>(row.id), row.chain, static_cast<uint64_t>(row.sequence)};
    head = last = detail::chain_hash(hasher, head, place, row.body);
    update->bind_blob(1, head.data(), head.size()).bind(2, row.id);
    ASSERT_EQ(update->step(), sqlite::Statement::Step::done);
    update->reset();
  }
}

/// Makes ten calls in two runtimes, twenty records, signed: checkpoints at every close, and in an
/// external file.
struct Sealed : ::testing::Test {
  Bench bench;
  PrivateKey key = make_key();
  std::string elsewhere = bench.state / "elsewhere";
  std::string path = bench.options.database + "/audit.db";

  void SetUp() override {
    bench.options.audit.key = key;
    bench.options.audit.checkpoint_file = elsewhere;
    for (int run = 0; run < 2; ++run) calls(5);
    auto clean = verify();
    ASSERT_TRUE(clean.ok) << clean.problem;
    ASSERT_EQ(clean.records, 20u);
    ASSERT_EQ(clean.signed_upto, 20u);
    ASSERT_GE(clean.checkpoints, 6u) << "of no records, 10 and 20, here and elsewhere";
  }
  void calls(int count) {
    auto runtime = bench.open();
    for (int i = 0; i < count; ++i) ASSERT_TRUE(bench.pay(runtime, 20 + i).has_value());
    ASSERT_TRUE(runtime.flush().ok());
  }
  AuditVerification verify(bool keyed = true, bool kept = true, uint64_t unsigned_tail = 0) {
    VerifyOptions options;
    if (keyed) options.keys = {key.public_key()};
    if (kept) options.checkpoints = *read_checkpoints(elsewhere);
    options.unsigned_tail = unsigned_tail;
    auto log = AuditLog::open(bench.options.database);
    EXPECT_TRUE(log.ok()) << log.error().message;
    auto result = log->verify(options);
    EXPECT_TRUE(result.ok()) << result.error().message;
    return *result;
  }
  void expect_bad(const AuditVerification& found, uint64_t record, const std::string& words) {
    EXPECT_FALSE(found.ok);
    EXPECT_EQ(found.bad_record, record) << found.problem;
    EXPECT_NE(found.problem.find(words), std::string::npos) << found.problem;
  }
};

TEST_F(Sealed, CutTail) {
  execute(path, "DELETE FROM records WHERE id > 15; DELETE FROM checkpoints WHERE size > 15");
  EXPECT_TRUE(verify(false, false).ok) << "hashes alone cannot show it";
  expect_bad(verify(true, true), 16, "kept elsewhere covers 20");
  expect_bad(verify(false, true), 16, "kept elsewhere covers 20");
  expect_bad(verify(true, false), 11, "not covered");
  execute(path, "DELETE FROM records WHERE id > 10");
  EXPECT_TRUE(verify(true, false).ok) << "cut at a checkpoint: only what is kept elsewhere shows it";
  expect_bad(verify(true, true), 11, "kept elsewhere");
}

TEST_F(Sealed, CutTailUnderACheckpointOfTheLogItself) {
  execute(path, "DELETE FROM records WHERE id > 15");
  expect_bad(verify(false, false), 16, "checkpoint in the log");
  auto reopened = Runtime::open(testing::bank(), bench.options);
  ASSERT_FALSE(reopened.ok()) << "nothing is written over it";
  EXPECT_EQ(reopened.error().code, "audit_chain_broken");
}

TEST_F(Sealed, EmptiedTable) {
  execute(path, "DELETE FROM records");
  expect_bad(verify(false, false), 1, "missing");
  execute(path, "DELETE FROM checkpoints");
  expect_bad(verify(true, false), 1, "no checkpoint");
  expect_bad(verify(false, true), 1, "kept elsewhere");
}

TEST_F(Sealed, RemovedFile) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  calls(1);
  expect_bad(verify(true, true), 1, "another log");
}

TEST_F(Sealed, RebuiltChain) {
  execute(path, "UPDATE records SET body = (SELECT body FROM records WHERE id = 12) WHERE id = 14");
  expect_bad(verify(), 14, "hash");
  rebuild_chain(path);
  expect_bad(verify(false, false), 11, "not the records that were signed");
  execute(path, "DELETE FROM checkpoints");
  EXPECT_TRUE(verify(false, false).ok) << "without key and checkpoints nothing shows it";
  expect_bad(verify(false, true), 11, "kept elsewhere differs");
  expect_bad(verify(true, false), 1, "no checkpoint");
}

TEST_F(Sealed, StrippedSignatures) {
  execute(path, "UPDATE checkpoints SET note = substr(note, 1, instr(note, char(10) || char(10)) + 1)");
  expect_bad(verify(true, false), 1, "signed note");
}

TEST_F(Sealed, RemovedSignatures) {
  execute(path, "DELETE FROM checkpoints");
  EXPECT_TRUE(verify(false, false).ok);
  expect_bad(verify(true, false), 1, "no checkpoint");
}

TEST_F(Sealed, RemovedLastSignature) {
  execute(path, "DELETE FROM checkpoints WHERE size > 10");
  expect_bad(verify(true, false), 11, "not covered");
  EXPECT_TRUE(verify(true, false, 10).ok) << "as many as the reader accepts of a log in use";
}

TEST_F(Sealed, SignedByAnotherKey) {
  key = make_key("example.com");  // the same name, another key
  auto found = verify(true, false);
  expect_bad(found, 1, "not signed by");
}

TEST_F(Sealed, CheckpointsOfAForgedLogAreNotOurs) {
  Bench other;
  other.options.audit.key = make_key("example.com");
  {
    auto runtime = other.open();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(other.pay(runtime, 20).has_value());
  }
  std::filesystem::remove_all(bench.options.database);
  std::filesystem::copy(other.options.database, bench.options.database);
  expect_bad(verify(true, false), 1, "not signed by");
}

TEST_F(Sealed, EveryColumnOfACheckpointCounts) {
  auto changed = [&](const std::string& sql, const std::string& back) {
    execute(path, sql);
    auto found = verify(true, false);
    EXPECT_FALSE(found.ok) << sql;
    execute(path, back);
    ASSERT_TRUE(verify(true, false).ok) << back;
  };
  changed("UPDATE checkpoints SET size = 11 WHERE size = 10", "UPDATE checkpoints SET size = 10 WHERE size = 11");
  std::string frontier;
  {
    auto database = open_raw(path);
    auto row = database.prepare("SELECT hex(frontier) FROM checkpoints WHERE size = 10");
    ASSERT_EQ(row->step(), sqlite::Statement::Step::row);
    frontier = row->text(0);
  }
  changed("UPDATE checkpoints SET frontier = zeroblob(64) WHERE size = 10",
          "UPDATE checkpoints SET frontier = x'" + frontier + "' WHERE size = 10");
  changed("UPDATE checkpoints SET note = replace(note, 'example', 'exanple') WHERE size = 10",
          "UPDATE checkpoints SET note = replace(note, 'exanple', 'example') WHERE size = 10");
}

TEST_F(Sealed, TheHeadCounts) {
  execute(path, "UPDATE segment SET log = zeroblob(16)");
  expect_bad(verify(false, false), 1, "head");
}

TEST_F(Sealed, ChangedColumnsAreNamedBeforeTheCheckpoint) {
  execute(path, "UPDATE records SET sequence = sequence + 1 WHERE id = 7");
  expect_bad(verify(), 7, "sequence");
}

TEST_F(Sealed, CheckpointsComeByCountAndByTime) {
  bench.options.audit.checkpoint_records = 2;
  {
    auto runtime = bench.open();
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(bench.pay(runtime, 20).has_value());
      ASSERT_TRUE(runtime.flush().ok());
    }
    auto live = verify();
    EXPECT_EQ(live.signed_upto, 30u) << live.problem;
  }
  bench.options.audit.checkpoint_records = 1'000'000;
  bench.options.audit.checkpoint_every = std::chrono::milliseconds(30);
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  ASSERT_TRUE(runtime.flush().ok());
  AuditVerification live;
  for (int i = 0; i < 200 && live.signed_upto != 32; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    live = verify();
  }
  EXPECT_EQ(live.signed_upto, 32u) << "the log is open and idle: " << live.problem;
}

TEST_F(Sealed, ACheckpointFileThatCannotBeWrittenShowsAndIsMadeUpFor) {
  bench.options.audit.checkpoint_file = bench.state / "later/elsewhere";
  bench.options.audit.checkpoint_records = 1;
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value()) << "the record itself is not in danger";
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_NE(runtime.health().checkpoint_error.find("later/elsewhere"), std::string::npos);
  std::filesystem::create_directory(bench.state / "later");
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_EQ(runtime.health().checkpoint_error, "");
  EXPECT_FALSE(read_checkpoints(bench.state / "later/elsewhere")->empty());
}

TEST_F(Sealed, AKeyAddedLaterCoversWhatIsThere) {
  Bench plain;
  {
    auto runtime = plain.open();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(plain.pay(runtime, 20).has_value());
  }
  plain.options.audit.key = key;
  {
    auto runtime = plain.open();
  }
  auto found = AuditLog::open(plain.options.database)->verify({.keys = {key.public_key()}});
  EXPECT_TRUE(found->ok) << found->problem;
  EXPECT_EQ(found->signed_upto, 10u);
}

// --- segments ---

TEST_F(Sealed, RotationLinksSegmentsAndWritersMoveOn) {
  auto runtime = bench.open();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(bench.pay(runtime, 20).has_value());
    ASSERT_TRUE(runtime.flush().ok());
    auto rotated = rotate_audit(bench.options.database, key, elsewhere);
    ASSERT_TRUE(rotated.ok()) << rotated.error().message;
    EXPECT_TRUE(*rotated);
  }
  EXPECT_FALSE(*rotate_audit(bench.options.database, key, elsewhere)) << "nothing to seal";
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  ASSERT_TRUE(runtime.flush().ok());
  auto found = verify(true, true, 2);
  EXPECT_TRUE(found.ok) << found.problem;
  EXPECT_EQ(found.segments, 4u);
  EXPECT_EQ(found.records, 28u);
  EXPECT_EQ(*AuditLog::open(bench.options.database)->count(), 28u);
  auto tail = AuditLog::open(bench.options.database)->tail(5);
  ASSERT_EQ(tail->size(), 5u);
  EXPECT_EQ(tail->front().id, 24u);
  EXPECT_EQ(tail->back().id, 28u);
}

TEST_F(Sealed, RotatedByCount) {
  bench.options.audit.segment_records = 8;
  for (int i = 0; i < 10; ++i) calls(2);
  auto found = verify();
  EXPECT_TRUE(found.ok) << found.problem;
  EXPECT_EQ(found.records, 60u);
  EXPECT_GE(found.segments, 4u);
  auto sealed = open_raw(path);
  auto indexed = sealed.prepare("SELECT indexed FROM segment");
  ASSERT_EQ(indexed->step(), sqlite::Statement::Step::row);
  EXPECT_EQ(indexed->integer(0), 1) << "the runtime indexes what it sealed";
}

TEST_F(Sealed, AMissingOrExchangedSegmentIsNamed) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(*rotate_audit(bench.options.database, key));
    calls(1);
  }
  ASSERT_TRUE(verify().ok) << verify().problem;
  std::string second = bench.options.database + "/audit-000002.db", kept = bench.state / "kept";
  std::filesystem::rename(second, kept);
  expect_bad(verify(), 21, "segment 2 is not there");
  std::filesystem::rename(kept, second);
  std::string last = bench.options.database + "/audit-000004.db";
  std::filesystem::remove(last);
  expect_bad(verify(false, false), 25, "segment 4 is missing");
  EXPECT_FALSE(Runtime::open(testing::bank(), bench.options).ok()) << "a sealed log is not written to";
}

TEST_F(Sealed, WhatWasRemovedDeliberatelyIsSaidAndSigned) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(*rotate_audit(bench.options.database, key, elsewhere));
    calls(1);
  }
  auto pruned = prune_audit(bench.options.database, 1, key);
  ASSERT_TRUE(pruned.ok()) << pruned.error().message;
  EXPECT_EQ(pruned->segments, 2u);
  EXPECT_EQ(pruned->first, 23u);
  auto found = verify();
  EXPECT_TRUE(found.ok) << found.problem;
  EXPECT_EQ(found.first, 23u);
  EXPECT_EQ(found.records, 4u);
  calls(1);
  EXPECT_TRUE(verify().ok) << "and the log goes on: " << verify().problem;
  auto proof = AuditLog::open(bench.options.database)->prove(24);
  ASSERT_TRUE(proof.ok()) << proof.error().message;
  EXPECT_TRUE(check_audit_proof(*proof, {key.public_key()}).ok());
  std::string third = bench.options.database + "/audit-000003.db";
  execute(third, "UPDATE segment SET retention = ''");
  EXPECT_TRUE(verify(false, false).ok);
  expect_bad(verify(), 1, "records 1 to 22 are missing");
}

TEST_F(Sealed, ARotationThatWasInterruptedLeavesNoTrace) {
  ASSERT_TRUE(*rotate_audit(bench.options.database, key));
  execute(path,
          "UPDATE segment SET sealed = 0, indexed = 0; DROP TABLE facts");  // as if stopped right before the commit
  calls(1);
  EXPECT_EQ(verify().records, 22u);
  EXPECT_TRUE(verify().ok) << verify().problem;
  ASSERT_TRUE(*rotate_audit(bench.options.database, key));
  calls(1);
  EXPECT_TRUE(verify().ok) << verify().problem;
  EXPECT_EQ(verify().segments, 2u);
}

TEST_F(Sealed, QueriesFindTheSameWithAndWithoutIndex) {
  {
    auto runtime = bench.open();
    (void)bench.pay(runtime, -1);
    *bench.now += 3600 * testing::kSecond;
    (void)bench.pay(runtime, -2);
    (void)runtime.call("look", json(R"({"n": 1})"), bench.tool(R"({"text": "x"})"));
  }
  std::vector<AuditFilter> filters(7);
  filters[0].agent = "teller";
  filters[1].capability = "look";
  filters[2].effect = Effect::deny;
  filters[3].from_ns = testing::kNoon + testing::kSecond;
  filters[4].kind = RecordKind::outcome;
  filters[4].to_ns = testing::kNoon + testing::kSecond;
  filters[5].rule = "payments.negative";
  filters[6].agent = "nobody";
  auto counts = [&] {
    auto log = AuditLog::open(bench.options.database);
    std::vector<uint64_t> out;
    for (const auto& filter : filters) out.push_back(*log->count(filter));
    return out;
  };
  auto before = counts();
  EXPECT_EQ(before, (std::vector<uint64_t>{24, 2, 2, 3, 10, 2, 0}));
  ASSERT_TRUE(*rotate_audit(bench.options.database, key));
  EXPECT_EQ(counts(), before);
  execute(path, "UPDATE facts SET agent = 'other' WHERE id = 9");
  expect_bad(verify(), 9, "index");
}

// --- proofs ---

TEST_F(Sealed, EveryRecordIsProven) {
  auto log = AuditLog::open(bench.options.database);
  auto records = bench.read_records();
  for (uint64_t id = 1; id <= 20; ++id) {
    auto proof = log->prove(id);
    ASSERT_TRUE(proof.ok()) << proof.error().message;
    auto proven = check_audit_proof(*proof, {key.public_key()});
    ASSERT_TRUE(proven.ok()) << proven.error().message;
    EXPECT_EQ(to_json(proven->record), to_json(records[id - 1]));
    EXPECT_EQ(proven->size, 20u);
    EXPECT_TRUE(proven->is_signed);
    EXPECT_FALSE(check_audit_proof(*proof)->is_signed);
    EXPECT_EQ(check_audit_proof(*proof, {make_key().public_key()}).error().code, "not_signed");
  }
  EXPECT_EQ(log->prove(21).error().code, "no_record");
  EXPECT_EQ(log->prove(0).error().code, "no_record");
}

TEST_F(Sealed, AChangedProofIsRefused) {
  std::string proof = *AuditLog::open(bench.options.database)->prove(7);
  for (size_t at = 0; at < proof.size(); ++at) {
    std::string changed = proof;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(check_audit_proof(changed, {key.public_key()}).ok()) << at << ": " << changed;
    EXPECT_FALSE(check_audit_proof(proof.substr(0, at), {key.public_key()}).ok()) << at;
  }
}

TEST(AuditProof, NeedsACheckpoint) {
  Bench bench;
  {
    auto runtime = bench.open();
    ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  }
  EXPECT_EQ(AuditLog::open(bench.options.database)->prove(1).error().code, "no_checkpoint");
}

// --- export and import ---

std::vector<std::string> exported(const std::string& directory) {
  std::vector<std::string> lines;
  auto written = AuditLog::open(directory)->export_jsonl([&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  EXPECT_TRUE(written.ok());
  return lines;
}

Result<uint64_t> import_lines(const std::string& directory, const std::vector<std::string>& lines) {
  size_t at = 0;
  return import_audit(directory, [&](std::string* line) {
    if (at == lines.size()) return false;
    *line = lines[at++];
    return true;
  });
}

TEST_F(Sealed, AnImportedLogVerifies) {
  ASSERT_TRUE(*rotate_audit(bench.options.database, key));
  calls(2);
  auto lines = exported(bench.options.database);
  std::string copy = bench.state / "copy";
  auto imported = import_lines(copy, lines);
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(*imported, 24u);
  VerifyOptions options{.keys = {key.public_key()}, .checkpoints = *read_checkpoints(elsewhere)};
  auto found = AuditLog::open(copy)->verify(options);
  EXPECT_TRUE(found->ok) << found->problem;
  EXPECT_EQ(import_lines(copy, lines).error().code, "log_exists");
  bench.options.database = copy;
  calls(1);
  EXPECT_EQ(AuditLog::open(copy)->verify({.keys = {key.public_key()}})->records, 26u);
}

TEST_F(Sealed, AForgedImportMakesNothing) {
  const auto lines = exported(bench.options.database);
  auto refused = [&](std::vector<std::string> changed, const std::string& code) {
    auto imported = import_lines(bench.state / "copy", changed);
    ASSERT_FALSE(imported.ok());
    EXPECT_EQ(imported.error().code, code) << imported.error().message;
    EXPECT_EQ(AuditLog::open(bench.state / "copy").error().code, "no_database");
  };
  auto changed = lines;
  size_t record = 0;
  while (changed[record].find("\"id\":7,") == std::string::npos) ++record;
  refused({lines.begin() + 1, lines.end()}, "bad_line");
  changed[record].replace(changed[record].find("teller"), 6, "seller");
  refused(changed, "bad_line");
  changed = lines;
  changed.erase(changed.begin() + static_cast<ptrdiff_t>(record));
  refused(changed, "bad_line");  // the next checkpoint does not cover the records before it
  changed = lines;
  std::swap(changed[record], changed[record + 1]);
  refused(changed, "bad_record");
  changed = lines;
  changed[record] = "{";
  refused(changed, "bad_line");
  refused({}, "bad_line");
}

TEST_F(Sealed, AnExportOfADamagedLogIsJsonStill) {
  const std::string file = bench.options.database + "/audit.db";
  execute(file, "UPDATE segment SET retention = CAST(x'61FF' AS TEXT)");
  execute(file, "UPDATE checkpoints SET note = CAST(x'C3' AS TEXT) WHERE size = (SELECT min(size) FROM checkpoints)");
  size_t mended = 0;
  for (const std::string& line : exported(bench.options.database)) {
    auto parsed = Document::parse(line);
    EXPECT_TRUE(parsed.ok()) << parsed.error().message << ": " << line;
    mended += line.find("\xEF\xBF\xBD") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(mended, 2u);
}

// --- what replay needs ---

TEST(AuditFacts, RecordsSayWhatTheRulesSaw) {
  Bench bench;
  bench.options.attributes =
      json(R"({"agent": {"clearance": 3, "roles": ["banker"]}, "session": {"labels": ["pii"]}})");
  DigestKey digests = DigestKey::generate();
  bench.options.audit.digest_key = digests;
  auto runtime = bench.open();
  CallOptions call;
  auto metadata = json(R"({"ip": "10.0.0.1"})"), resource = json(R"({"id": "r1"})");
  call.metadata = metadata.root();
  call.resource = resource.root();
  call.type = "payment";
  call.target = "bank";
  call.description = "rent";
  call.risk = 2.5;
  auto outcome = runtime.call("pay", json(R"({"to": "bob", "amount": 20.0, "card": "4111"})"),
                              bench.tool(R"({"message": "paid", "iban": "DE1"})"), call);
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  const AuditRecord& intent = records[0];
  EXPECT_EQ(intent.context.json(), bench.options.attributes.json());
  EXPECT_EQ(intent.type + intent.target + intent.description, "paymentbankrent");
  EXPECT_EQ(intent.risk, 2.5);
  EXPECT_EQ(intent.time_ns, testing::kNoon) << "`now` of the decision";
  EXPECT_EQ(intent.input.json(), R"({"amount":20.0,"card":"***","to":"bob"})");
  ASSERT_EQ(intent.redacted.size(), 1u);
  EXPECT_EQ(intent.redacted[0].path, "input.card");
  std::string secret(
      "\x06\x04\0\0\0"
      "4111",
      9);
  auto expected = digests.digest(secret);
  EXPECT_EQ(intent.redacted[0].digest, to_hex(expected)) << "the digest of the value, by the key";
  EXPECT_EQ(intent.digest_key.size(), 16u);
  const AuditRecord& done = records[1];
  ASSERT_EQ(done.redacted.size(), 1u);
  EXPECT_EQ(done.redacted[0].path, "output.iban");
  EXPECT_EQ(to_json(intent).find("4111"), std::string::npos);
}

TEST(AuditFacts, ListsNameEachValueAndWithheldOutputsTheWhole) {
  Bench bench;
  auto runtime = bench.open();
  ASSERT_TRUE(runtime
                  .call("rows", json(R"({"items": [{"secret": 1}, {"open": 2}, {"secret": 1}]})"),
                        bench.tool(R"([{"iban": "x"}])"))
                  .has_value());
  ASSERT_NE(
      runtime.call("pay", json(R"({"to": "bob", "amount": 20.0})"), bench.tool(R"({"message": "AKIA"})")).withheld(),
      nullptr);
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 4u);
  ASSERT_EQ(records[0].redacted.size(), 2u);
  EXPECT_EQ(records[0].redacted[0].path, "input.items[0].secret");
  EXPECT_EQ(records[0].redacted[1].path, "input.items[2].secret");
  EXPECT_EQ(records[0].redacted[0].digest, records[0].redacted[1].digest) << "equal values are seen to be equal";
  ASSERT_EQ(records[1].redacted.size(), 1u);
  EXPECT_EQ(records[1].redacted[0].path, "output[0].iban");
  ASSERT_EQ(records[3].redacted.size(), 1u);
  EXPECT_EQ(records[3].redacted[0].path, "output");
  EXPECT_FALSE(records[3].has_output);
}

// --- several processes ---

TEST(AuditProcesses, EightWriteOneSignedLog) {
  constexpr int kProcesses = 8, kCalls = 100;
  Bench bench;
  PrivateKey key = make_key();
  std::string elsewhere = bench.state / "elsewhere";
  bench.options.audit.key = key;
  bench.options.audit.checkpoint_records = 50;
  bench.options.audit.checkpoint_file = elsewhere;
  bench.options.audit.segment_records = 300;
  bench.options.audit.busy_wait = std::chrono::seconds(60);
  bench.options.audit.queue_wait = std::chrono::seconds(60);
  bench.options.audit.wait_for_irreversible = false;
  (void)testing::bank();  // compiled once, before the forks
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    pid_t child = fork();
    if (child == 0) {
      int failed = 0;
      {
        auto runtime = Runtime::open(testing::bank(), bench.options);
        if (!runtime.ok()) _exit(2);
        for (int n = 0; n < kCalls; ++n) failed += bench.pay(*runtime, 20).has_value() ? 0 : 1;
        failed += runtime->flush().ok() ? 0 : 1;
      }
      _exit(failed == 0 ? 0 : 1);
    }
    ASSERT_GT(child, 0);
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  auto found = AuditLog::open(bench.options.database)
                   ->verify({.keys = {key.public_key()}, .checkpoints = *read_checkpoints(elsewhere)});
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_TRUE(found->ok) << "record " << found->bad_record << ": " << found->problem;
  EXPECT_EQ(found->records, 2u * kProcesses * kCalls);
  EXPECT_EQ(found->signed_upto, 2u * kProcesses * kCalls);
  EXPECT_GE(found->segments, 3u);
}

}  // namespace
}  // namespace ordain
