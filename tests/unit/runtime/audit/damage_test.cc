// These tests cover damage to the files of a log that has a sealed, indexed segment: whatever
// changes what a query returns, `verify` notices.
#include <fmt/format.h>

#include <fstream>
#include <thread>

#include "runtime/sqlite/sqlite.h"
#include "tests/support/torture.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;
using testing::Bench;
using testing::kSecond;

struct Damage : ::testing::Test {
  Bench bench;
  PrivateKey key = *PrivateKey::generate("example.com");
  std::string sealed = bench.options.database + "/audit.db";

  void SetUp() override {
    bench.options.audit.key = key;
    calls(40, "teller");
    ASSERT_TRUE(rotate_audit(bench.options.database, key).ok());
    calls(10, "clerk");
    auto clean = verify(bench.options.database);
    ASSERT_TRUE(clean.ok() && clean->ok);
    ASSERT_EQ(clean->segments, 2u);
  }
  void calls(int count, const std::string& agent) {
    bench.options.agent = agent;
    auto runtime = bench.open();
    for (int i = 0; i < count; ++i) {
      *bench.now += kSecond;
      (void)bench.pay(runtime, i % 7 == 0 ? -1 : 20 + i);
    }
  }
  Result<AuditVerification> verify(const std::string& directory) const {
    auto log = AuditLog::open(directory);
    if (!log.ok()) return log.error();
    return log->verify({.keys = {key.public_key()}});
  }
  void execute(const std::string& sql) const {
    auto database = sqlite::Database::open(sealed, sqlite::Database::Open::read_write, std::chrono::seconds(2));
    ASSERT_TRUE(database.ok());
    auto done = database->execute(sql);
    ASSERT_TRUE(done.ok()) << sql << ": " << done.error().message;
  }
  void expect_noticed(const std::string& words) const {
    auto found = verify(bench.options.database);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_FALSE(found->ok);
    EXPECT_NE(found->problem.find(words), std::string::npos) << found->problem;
  }
};

TEST_F(Damage, AMissingIndexIsNamed) {
  execute("DROP INDEX facts_rule");
  auto found = verify(bench.options.database);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, "database_corrupt");
  EXPECT_NE(found.error().message.find("lacks its index `facts_rule`"), std::string::npos) << found.error().message;
}

TEST_F(Damage, AnotherVersionDoesNotHideTheRecords) {
  for (const int version : {1, 99}) {
    execute(fmt::format("PRAGMA user_version = {}", version));
    auto found = verify(bench.options.database);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, "database_corrupt") << "not a file of another version of Ordain";
    const std::string words = fmt::format("says that it has format {}, but its tables and rows have format", version);
    EXPECT_NE(found.error().message.find(words), std::string::npos) << found.error().message;
  }
}

TEST_F(Damage, APlantedJournalIsNamed) {
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(sealed + suffix);
  std::ofstream(sealed + "-journal", std::ios::binary) << "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" << std::string(5000, 'x');
  auto found = verify(bench.options.database);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, "database_corrupt");
  EXPECT_NE(found.error().message.find("audit.db-journal: Ordain did not make this file"), std::string::npos)
      << found.error().message;
}

TEST_F(Damage, RecordsOutsideTheRangeOfIdsAreNamedAndWarnedOf) {
  auto stray = [&] {
    auto log = AuditLog::open(bench.options.database);
    EXPECT_TRUE(log.ok());
    auto found = log->has_stray_ids();
    EXPECT_TRUE(found.ok());
    return found.ok() && *found;
  };
  EXPECT_FALSE(stray());
  const std::string copy = "INSERT INTO records SELECT {}, chain, sequence, body, hash FROM records WHERE id = 5";
  for (const int id : {-1, 0, 1000}) {
    SCOPED_TRACE(id);
    execute(fmt::format(fmt::runtime(copy), id));
    EXPECT_TRUE(stray());
    if (id < 1) expect_noticed(fmt::format("a record was added with the id {}, but ids begin with 1", id));
    execute(fmt::format("DELETE FROM records WHERE id = {}", id));
    EXPECT_FALSE(stray());
  }
}

/// What the readers of a log return, each as one text.
std::vector<std::string> answers(const std::string& directory) {
  std::vector<std::string> out;
  auto log = AuditLog::open(directory);
  if (!log.ok()) return {log.error().message};
  std::vector<AuditFilter> filters(10);
  filters[1].agent = "teller";
  filters[2].agent = "clerk";
  filters[3].capability = "pay";
  filters[4].rule = "payments.negative";
  filters[5].kind = RecordKind::denied;
  filters[6].effect = Effect::allow;
  filters[7].from_ns = testing::kNoon + 20 * kSecond;
  filters[8].to_ns = testing::kNoon + 20 * kSecond;
  filters[9].session = "none";
  for (const AuditFilter& filter : filters) {
    std::string text;
    auto result = log->query(filter, [&](const AuditRecord& record) {
      text += to_json(record) + "\n";
      return text.size() < 1'000'000;
    });
    auto count = log->count(filter);
    out.push_back(text + (result.ok() ? "" : result.error().message) + (count.ok() ? std::to_string(*count) : "?"));
  }
  std::string text;
  auto tail = log->tail(30);
  if (tail.ok()) {
    for (const AuditRecord& record : *tail) text += to_json(record) + "\n";
  }
  out.push_back(text + (tail.ok() ? "" : tail.error().message));
  text.clear();
  auto exported = log->export_jsonl([&](std::string_view line) {
    text += std::string(line) + "\n";
    return text.size() < 1'000'000;
  });
  out.push_back(text + (exported.ok() ? "" : exported.error().message));
  return out;
}

TEST_F(Damage, OfAnyPageThatChangesAnAnswerIsNoticed) {
  const std::vector<std::string> before = answers(bench.options.database);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(bench.options.database)) {
    if (entry.path().filename().string().starts_with("audit") && entry.path().extension() == ".db")
      files.push_back(entry.path());
    EXPECT_FALSE(entry.path().string().ends_with("-wal") && entry.file_size() > 0) << "all is in the main files";
  }
  std::sort(files.begin(), files.end());
  ASSERT_EQ(files.size(), 2u);
  const std::string copy = bench.state / "copy";
  test::Torture torture(300, 20260101);
  while (torture.goes_on()) {
    fs::remove_all(copy);
    fs::copy(bench.options.database, copy);
    const fs::path& file = files[torture.below(4) == 0 ? 1 : 0];
    const size_t size = fs::file_size(file), page = 4096 * torture.below(size / 4096);
    // Half of the damage goes to the beginning of a page, where its tree is described.
    const size_t at = page + (torture.below(2) == 0 ? torture.below(64) : torture.below(4096));
    std::string bytes(1 + torture.below(3), '\0');
    for (char& byte : bytes) byte = static_cast<char>(torture.below(256));
    {
      std::fstream out(fs::path(copy) / file.filename(), std::ios::in | std::ios::out | std::ios::binary);
      out.seekp(static_cast<std::streamoff>(at));
      out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    auto found = verify(copy);
    const bool good = found.ok() && found->ok;
    const bool same = answers(copy) == before;
    EXPECT_TRUE(same || !good) << torture.where() << ": " << bytes.size() << " bytes at " << at << " of " << file;
    if (!same) torture.count("changed answers");
    if (!good) torture.count("noticed");
  }
  EXPECT_GE(torture.counted("changed answers"), torture.rounds() / 10) << "else the test shows nothing";
  EXPECT_GE(torture.counted("noticed"), torture.counted("changed answers"));
}

/// Somebody who can write the file, but has no key, changes one column of one row.
TEST_F(Damage, OfAnyColumnThatChangesAnAnswerIsNoticed) {
  struct Column {
    const char *table, *name;
  };
  static constexpr Column kColumns[] = {
      {"records", "id"},       {"records", "chain"},      {"records", "sequence"},  {"records", "body"},
      {"records", "hash"},     {"checkpoints", "size"},   {"checkpoints", "note"},  {"checkpoints", "frontier"},
      {"segment", "number"},   {"segment", "log"},        {"segment", "first"},     {"segment", "previous"},
      {"segment", "frontier"}, {"segment", "checkpoint"}, {"segment", "retention"}, {"segment", "sealed"},
      {"segment", "indexed"},  {"facts", "id"},           {"facts", "time"},        {"facts", "kind"},
      {"facts", "effect"},     {"facts", "agent"},        {"facts", "principal"},   {"facts", "tenant"},
      {"facts", "capability"}, {"facts", "session"},      {"facts", "action"},      {"facts", "rule"}};
  static constexpr const char* kValues[] = {"{0} + 1",
                                            "-{0}",
                                            "CAST({0} AS TEXT)",
                                            "CAST({0} AS BLOB)",
                                            "x''",
                                            "''",
                                            "0",
                                            "zeroblob(length({0}))",
                                            "(SELECT b.{0} FROM {1} b ORDER BY b.rowid LIMIT 1)"};
  const std::vector<std::string> before = answers(bench.options.database);
  const std::string copy = bench.state / "copy";
  test::Torture torture(100, 20260102);
  while (torture.goes_on()) {
    fs::remove_all(copy);
    fs::copy(bench.options.database, copy);
    const Column& column = kColumns[torture.below(std::size(kColumns))];
    const std::string value =
        fmt::format(fmt::runtime(kValues[torture.below(std::size(kValues))]), column.name, column.table);
    const std::string sql = fmt::format(
        "UPDATE {1} SET {0} = {2} WHERE rowid IN (SELECT rowid FROM {1} LIMIT 1 OFFSET (SELECT {3} % count(*) FROM "
        "{1}))",
        column.name, column.table, value, torture.below(1000));
    {
      auto database =
          sqlite::Database::open(copy + "/audit.db", sqlite::Database::Open::read_write, std::chrono::seconds(2));
      ASSERT_TRUE(database.ok());
      if (!database->execute(sql).ok()) continue;  // the table does not take it
    }
    auto found = verify(copy);
    const bool good = found.ok() && found->ok;
    const bool same = answers(copy) == before;
    EXPECT_TRUE(same || !good) << torture.where() << ": " << sql;
    if (!same) torture.count("changed answers");
    if (!good) torture.count("noticed");
  }
  EXPECT_GE(torture.counted("changed answers"), torture.rounds() / 10) << "else the test shows nothing";
}

TEST_F(Damage, AFactOfAnotherType) {
  execute("UPDATE facts SET agent = CAST(agent AS BLOB) WHERE id = 5");
  expect_noticed("index differs");
}

TEST_F(Damage, AFactOfNoRecord) {
  execute(
      "INSERT INTO facts SELECT 1000, time, kind, effect, agent, principal, tenant, capability, session, action, "
      "rule FROM facts WHERE id = 1");
  expect_noticed("index holds");
}

TEST_F(Damage, AHeadThatDeniesItsIndex) {
  execute("UPDATE segment SET indexed = 0");
  expect_noticed("has an index");
}

TEST_F(Damage, TheFirstHead) {
  execute("UPDATE segment SET retention = 'a note'");
  expect_noticed("head was changed");
  execute("UPDATE segment SET retention = '', checkpoint = 'a note'");
  expect_noticed("head was changed");
}

TEST_F(Damage, AColumnOfAnotherType) {
  const std::string intact = bench.state / "intact.db";
  fs::copy(sealed, intact);
  execute("UPDATE checkpoints SET note = CAST(note AS BLOB)");
  expect_noticed("another type");
  for (const char* change : {"log = CAST(log AS TEXT)", "sealed = 2", "first = 1.5", "checkpoint = x''"}) {
    fs::copy(intact, sealed, fs::copy_options::overwrite_existing);
    execute(std::string("UPDATE segment SET ") + change);
    auto found = verify(bench.options.database);
    ASSERT_FALSE(found.ok()) << change;
    EXPECT_EQ(found.error().code, "database_corrupt");
  }
}

TEST_F(Damage, IsNotSeenInAHealthyLogThatOthersRotateAndPrune) {
  std::atomic<bool> stop{false};
  test::Torture torture(25);
  std::thread beside([&] {
    auto runtime = bench.open();
    for (int i = 0; torture.goes_on(); ++i) {
      EXPECT_TRUE(bench.pay(runtime, 20).has_value());
      EXPECT_TRUE(runtime.flush().ok());
      EXPECT_TRUE(rotate_audit(bench.options.database, key).ok());
      if (i % 8 == 7) {
        EXPECT_TRUE(prune_audit(bench.options.database, 2, key).ok());
      }
    }
    stop = true;
  });
  int verified = 0;
  while (!stop) {
    auto log = AuditLog::open(bench.options.database);
    ASSERT_TRUE(log.ok()) << log.error().message;
    auto found = log->verify({.keys = {key.public_key()}, .unsigned_tail = 10});
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_TRUE(found->ok) << found->bad_record << ": " << found->problem;
    ++verified;
  }
  beside.join();
  EXPECT_GT(verified, 0);
}

}  // namespace
}  // namespace ordain
