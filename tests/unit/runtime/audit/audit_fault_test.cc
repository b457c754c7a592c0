// These tests make storage fail: the result must be a typed error and a denial, and nothing
// half-written.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "runtime/sqlite/sqlite.h"
#include "runtime/sqlite/sqlite_faults.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using sqlite::Fault;
using testing::Bench;
using testing::json;

struct FaultTest : ::testing::Test {
  sqlite::Faults& faults = sqlite::install_faults();
  Bench bench;

  void SetUp() override {
    bench.options.audit.durability = Durability::sync;
    bench.options.audit.retry = std::chrono::milliseconds(5);
    bench.options.audit.key = *PrivateKey::generate("example.com");
  }
  void TearDown() override {
    faults.on_write = Fault::none;
    faults.on_sync = Fault::none;
  }
  void wait_until_available(const Runtime& runtime) {
    for (int i = 0; i < 1000 && !runtime.health().audit_available; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(runtime.health().audit_available) << runtime.health().audit_error;
  }
  /// Checks that calls are denied and nothing runs while `fault` holds, and that the log is
  /// complete afterwards.
  void denies_and_recovers(std::atomic<Fault>& where, Fault fault, const std::string& code, int64_t good_writes) {
    auto runtime = bench.open();
    ASSERT_TRUE(bench.pay(runtime, 20).has_value());
    faults.good_writes = good_writes;
    where = fault;
    std::string said;
    auto denied = bench.pay(runtime, 21);
    said = runtime.health().audit_error;
    where = Fault::none;
    ASSERT_NE(denied.denied(), nullptr) << denied.describe();
    EXPECT_EQ(denied.denied()->code, "audit_unavailable");
    EXPECT_NE(said, "");
    EXPECT_EQ(*bench.runs, 1) << code;
    wait_until_available(runtime);
    ASSERT_TRUE(bench.pay(runtime, 22).has_value());
    auto records = bench.records(runtime);
    ASSERT_EQ(records.size(), 5u);
    EXPECT_EQ(records[2].kind, RecordKind::lost);
    EXPECT_EQ(records[2].cause, code);
    EXPECT_EQ(records[2].lost, std::vector<std::string>{denied.action().hex()});
    auto found = bench.verify();
    EXPECT_TRUE(found.ok) << found.problem;
  }
};

TEST_F(FaultTest, DiskFull) { denies_and_recovers(faults.on_write, Fault::disk_full, "database_full", 0); }
TEST_F(FaultTest, DiskFullHalfWay) { denies_and_recovers(faults.on_write, Fault::disk_full, "database_full", 1); }
TEST_F(FaultTest, WritesFail) { denies_and_recovers(faults.on_write, Fault::io_error, "database_error", 0); }

TEST_F(FaultTest, AFailedSyncIsNotAnAcknowledgement) {
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  faults.on_sync = Fault::io_error;
  auto denied = bench.pay(runtime, 21);
  faults.on_sync = Fault::none;
  ASSERT_NE(denied.denied(), nullptr) << denied.describe();
  EXPECT_EQ(*bench.runs, 1);
  wait_until_available(runtime);
  ASSERT_TRUE(bench.pay(runtime, 22).has_value());
  auto found = bench.verify();
  EXPECT_TRUE(found.ok) << "the record may be there or not, but once: " << found.problem;
}

TEST_F(FaultTest, DiskFullAtOpen) {
  faults.good_writes = 0;
  faults.on_write = Fault::disk_full;
  auto refused = Runtime::open(testing::bank(), bench.options);
  faults.on_write = Fault::none;
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "database_full") << refused.error().message;
  EXPECT_TRUE(Runtime::open(testing::bank(), bench.options).ok()) << "what it left behind is completed";
}

TEST_F(FaultTest, AtMostOneAndAHalfSyncsARecord) {
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  uint64_t before = faults.syncs;
  constexpr int kCalls = 1000;
  for (int i = 0; i < kCalls; ++i)
    ASSERT_TRUE(runtime.call("look", json(R"({"n": 1})"), bench.tool(R"({"text": "x"})")).has_value());
  double each = static_cast<double>(faults.syncs - before) / (2.0 * kCalls);
  EXPECT_LE(each, 1.5);
  EXPECT_GE(each, 0.9) << "sync means that every record was waited for";
}

TEST_F(FaultTest, ReadOnlyFile) {
  {
    auto runtime = bench.open();
  }
  for (const char* name : {"/audit.db", ""}) chmod((bench.options.database + name).c_str(), *name == '/' ? 0400 : 0500);
  auto refused = Runtime::open(testing::bank(), bench.options);
  bool root = geteuid() == 0;
  chmod(bench.options.database.c_str(), 0700);
  if (root) GTEST_SKIP() << "root may write to any file";
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "database_readonly") << refused.error().message;
}

TEST_F(FaultTest, LockedDatabase) {
  bench.options.audit.busy_wait = std::chrono::milliseconds(50);
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  auto other = sqlite::Database::open(bench.options.database + "/audit.db", sqlite::Database::Open::read_write,
                                      std::chrono::milliseconds(10));
  ASSERT_TRUE(other->execute("BEGIN IMMEDIATE").ok());
  auto denied = bench.pay(runtime, 20);
  ASSERT_NE(denied.denied(), nullptr) << denied.describe();
  EXPECT_NE(runtime.health().audit_error.find("locked"), std::string::npos) << runtime.health().audit_error;
  auto refused = Runtime::open(testing::bank(), bench.options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "database_busy");
  ASSERT_TRUE(other->execute("ROLLBACK").ok());
  wait_until_available(runtime);
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  EXPECT_TRUE(bench.verify().ok);
}

TEST_F(FaultTest, CorruptDatabase) {
  {
    auto runtime = bench.open();
    for (int i = 0; i < 200; ++i) (void)bench.pay(runtime, -1);
  }
  std::string path = bench.options.database + "/audit.db";
  auto size = std::filesystem::file_size(path);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size / 2));
    file << std::string(static_cast<size_t>(size / 4), '\x5A');
  }
  auto log = AuditLog::open(bench.options.database);
  if (log.ok()) {
    auto found = log->verify();
    EXPECT_TRUE(!found.ok() ? found.error().code == "database_corrupt" : !found->ok);
  } else {
    EXPECT_EQ(log.error().code, "database_corrupt");
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      << "no database at all, but long enough to look at" << std::string(500, 'x');
  auto refused = Runtime::open(testing::bank(), bench.options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "database_corrupt") << refused.error().message;
}

TEST_F(FaultTest, TheClockGoesBack) {
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  *bench.now -= 3600 * testing::kSecond;
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_LT(records[2].time_ns, records[1].time_ns) << "told as it was";
  EXPECT_LT(records[1].id, records[2].id) << "order is that of ids";
  EXPECT_GE(records[3].elapsed_ns, 0);
  EXPECT_TRUE(bench.verify().ok);
}

TEST_F(FaultTest, TenMegabytesOfPayload) {
  auto runtime = bench.open();
  std::string big(10 << 20, 'x');
  auto outcome = runtime.call("look", json(R"({"n": 1, "more": ")" + big + "\"}"), bench.tool(R"({"text": "done"})"));
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_GT(records[0].input.json().size(), big.size());
  EXPECT_TRUE(bench.verify().ok);
}

TEST_F(FaultTest, InvalidUtf8InAName) {
  auto runtime = bench.open();
  auto denied = runtime.call("pay\xFF", json("{}"), bench.tool());
  ASSERT_NE(denied.denied(), nullptr);
  EXPECT_EQ(denied.denied()->code, "invalid_input");
  auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].capability, "(invalid)");
  EXPECT_NE(records[0].rejected.find("UTF-8"), std::string::npos) << records[0].rejected;
  EXPECT_TRUE(bench.verify().ok);
  bench.options.agent = "\xFF";
  EXPECT_EQ(Runtime::open(testing::bank(), bench.options).error().code, "invalid_identity");
}

}  // namespace
}  // namespace ordain
