// These tests cover databases that somebody else prepared: nothing planted in them runs, swallows a
// row or takes for ever, in the audit log and in the approvals alike.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "runtime/sqlite/sqlite.h"
#include "tests/support/torture.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using sqlite::Database;
using testing::Bench;
using testing::TemporaryDirectory;

constexpr const char* kEndless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ";

Database open_raw(const std::string& path) {
  auto database = Database::open(path, Database::Open::read_write, std::chrono::seconds(60));
  if (!database.ok()) std::abort();
  return std::move(*database);
}

void plant(const std::string& path, const std::string& sql) {
  auto done = open_raw(path).execute(sql);
  ASSERT_TRUE(done.ok()) << sql << ": " << done.error().message;
}

/// What somebody can add to each of our files, or put in the place of something in it.
struct Planted {
  const char* name;
  const char* file;
  std::string sql;
};

std::vector<Planted> all_planted() {
  std::vector<Planted> out;
  struct Table {
    const char *file, *name;
  };
  for (auto [file, name] :
       {Table{"audit.db", "records"}, Table{"audit.db", "checkpoints"}, Table{"audit.db", "segment"},
        Table{"approvals.db", "approvals"}, Table{"approvals.db", "votes"}, Table{"approvals.db", "grants"}}) {
    const std::string table = name;
    for (const char* when : {"BEFORE INSERT", "BEFORE UPDATE", "BEFORE DELETE"}) {
      out.push_back(
          {"trigger", file,
           std::string("CREATE TRIGGER planted ") + when + " ON " + table + " BEGIN SELECT RAISE(IGNORE); END"});
    }
    out.push_back({"view", file,
                   "ALTER TABLE " + table + " RENAME TO kept; CREATE VIEW " + table + " AS " + kEndless +
                       "SELECT kept.* FROM n JOIN kept"});
    out.push_back(
        {"another table in its place", file,
         "CREATE TABLE t AS SELECT * FROM " + table + "; DROP TABLE " + table + "; ALTER TABLE t RENAME TO " + table});
    out.push_back({"column", file, "ALTER TABLE " + table + " ADD COLUMN more AS (hex(zeroblob(1000000)))"});
    out.push_back({"index", file, "CREATE INDEX planted ON " + table + " (hex(zeroblob(1000000)))"});
  }
  out.push_back({"table", "audit.db", "CREATE TABLE planted (a)"});
  out.push_back({"no index", "approvals.db", "DROP INDEX open_requests"});
  out.push_back(
      {"part of a segment's index", "audit.db", "CREATE TABLE facts (id INTEGER PRIMARY KEY, time INTEGER NOT NULL)"});
  return out;
}

TEST(HostileFile, NothingPlantedIsOpened) {
  for (const Planted& planted : all_planted()) {
    SCOPED_TRACE(std::string(planted.file) + ": " + planted.sql);
    Bench bench;
    {
      ASSERT_TRUE(bench.pay(bench.open(), 20).has_value());
    }
    plant(bench.options.database + "/" + planted.file, planted.sql);
    auto runtime = Runtime::open(testing::bank(), bench.options);
    ASSERT_FALSE(runtime.ok());
    EXPECT_EQ(runtime.error().code, "database_corrupt") << runtime.error().message;
    if (std::string(planted.file) == "audit.db") {
      auto log = AuditLog::open(bench.options.database);
      ASSERT_FALSE(log.ok());
      EXPECT_EQ(log.error().code, "database_corrupt") << log.error().message;
    } else {
      auto store = ApprovalStore::open(bench.options.database, OpenMode::read_only);
      ASSERT_FALSE(store.ok());
      EXPECT_EQ(store.error().code, "database_corrupt") << store.error().message;
    }
  }
}

TEST(HostileFile, NothingPlantedLaterIsUsed) {
  for (const Planted& planted : all_planted()) {
    SCOPED_TRACE(std::string(planted.file) + ": " + planted.sql);
    Bench bench;
    bench.options.audit.durability = Durability::sync;
    bench.options.audit.retry = std::chrono::hours(1);
    auto runtime = bench.open();
    ASSERT_TRUE(bench.pay(runtime, 20).has_value());
    auto log = AuditLog::open(bench.options.database);
    ASSERT_TRUE(log.ok());
    auto store = ApprovalStore::open(bench.options.database, OpenMode::read_only);
    ASSERT_TRUE(store.ok());
    const int before = *bench.runs;
    plant(bench.options.database + "/" + planted.file, planted.sql);
    if (std::string(planted.file) == "audit.db") {
      auto outcome = bench.pay(runtime, 30);
      ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
      EXPECT_EQ(outcome.denied()->code, "audit_unavailable");
      auto found = log->verify();
      EXPECT_FALSE(found.ok() && found->ok);
      EXPECT_FALSE(log->count().ok());
    } else {
      auto outcome = bench.pay(runtime, 600);
      ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
      EXPECT_EQ(outcome.denied()->code, "approval_unavailable");
      EXPECT_FALSE(store->list(std::nullopt, *bench.now).ok());
      EXPECT_FALSE(store->grants(*bench.now).ok());
    }
    EXPECT_EQ(*bench.runs, before);
  }
}

/// The same at a random moment, while calls are being made.
TEST(HostileFile, NothingPlantedBesideCallsIsUsed) {
  const std::vector<Planted> all = all_planted();
  test::Torture torture(8);
  while (torture.goes_on()) {
    const Planted& planted = all[torture.below(all.size())];
    SCOPED_TRACE(torture.where() + ", " + planted.file + ": " + planted.sql);
    Bench bench;
    bench.options.audit.durability = Durability::sync;
    bench.options.audit.retry = std::chrono::hours(1);
    auto runtime = bench.open();
    ASSERT_TRUE(bench.pay(runtime, 20).has_value());
    const bool audit = std::string(planted.file) == "audit.db";
    std::atomic<bool> stop{false};
    std::thread caller([&] {
      while (!stop) (void)bench.pay(runtime, audit ? 30 : 600);
    });
    ::usleep(static_cast<useconds_t>(torture.below(20'000)));
    plant(bench.options.database + "/" + planted.file, planted.sql);
    stop = true;
    caller.join();
    if (::testing::Test::HasFailure()) return;
    const int before = *bench.runs;
    auto outcome = bench.pay(runtime, audit ? 30 : 600);
    ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
    EXPECT_EQ(outcome.denied()->code, audit ? "audit_unavailable" : "approval_unavailable");
    EXPECT_EQ(*bench.runs, before);
    torture.count(planted.name);
  }
}

TEST(HostileFile, ARevocationThatChangesNothingIsAnError) {
  TemporaryDirectory state;
  auto store = ApprovalStore::open(state.path());
  ASSERT_TRUE(store.ok());
  Grant wanted;
  wanted.capability = "pay";
  wanted.granted_by = "ann";
  wanted.until_ns = testing::kNoon;
  auto grant = store->create_grant(wanted, 1);
  ASSERT_TRUE(grant.ok()) << grant.error().message;
  plant(state / "approvals.db", "CREATE TRIGGER planted BEFORE UPDATE ON grants BEGIN SELECT RAISE(IGNORE); END");
  EXPECT_FALSE(store->revoke_grant(grant->id, "ann", "", 2).ok());
}

/// The one who plants can also set the schema's number back, so triggers must not run either way.
TEST(HostileFile, TriggersAndViewsNeverRun) {
  TemporaryDirectory state;
  auto database = open_raw(state / "any.db");
  ASSERT_TRUE(database
                  .execute("CREATE TABLE t (a); CREATE TRIGGER r BEFORE INSERT ON t BEGIN SELECT RAISE(IGNORE); END;"
                           "CREATE VIEW v AS SELECT 1")
                  .ok());
  auto insert = database.prepare("INSERT INTO t VALUES (1)");
  ASSERT_TRUE(insert.ok());
  EXPECT_TRUE(database.write_row(*insert).ok());
  EXPECT_FALSE(database.prepare("SELECT * FROM v").ok());
  auto none = database.prepare("UPDATE t SET a = 2 WHERE a = 3");
  ASSERT_TRUE(none.ok());
  auto written = database.write_row(*none);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, "database_corrupt");
}

TEST(HostileFile, NoReadTakesLongerThanTheFileExplains) {
  TemporaryDirectory state;
  auto database = open_raw(state / "any.db");
  for (int twice = 0; twice < 2; ++twice) {
    auto endless = database.prepare(std::string(kEndless) + "SELECT count(*) FROM n");
    ASSERT_TRUE(endless.ok());
    ASSERT_EQ(endless->step(), sqlite::Statement::Step::failed);
    EXPECT_EQ(database.error().code, "database_corrupt");
    EXPECT_NE(database.error().message.find("longer than its size explains"), std::string::npos);
  }
  auto after = database.prepare("SELECT 1");
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->step(), sqlite::Statement::Step::row) << "the next work begins anew";
}

TEST(HostileFile, OnlyRegularFilesAreOpened) {
  for (const char* file : {"audit.db", "approvals.db", "audit.db-wal", "audit.db-shm", "approvals.db-journal"}) {
    SCOPED_TRACE(file);
    Bench bench;
    std::filesystem::create_directory(bench.options.database);
    std::string path = bench.options.database + "/" + file;
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    auto runtime = Runtime::open(testing::bank(), bench.options);
    ASSERT_FALSE(runtime.ok());
    EXPECT_NE(runtime.error().message.find("not a regular file"), std::string::npos) << runtime.error().message;
    if (std::string(file) == "audit.db") {
      auto log = AuditLog::open(bench.options.database);
      ASSERT_FALSE(log.ok());
      EXPECT_EQ(log.error().code, "database_corrupt") << "a log that was replaced is not intact";
    }
    if (std::string(file) == "approvals.db") {
      EXPECT_FALSE(ApprovalStore::open(bench.options.database, OpenMode::read_only).ok());
    }
  }
}

}  // namespace
}  // namespace ordain
