// These tests cover databases that are taken away while a runtime uses them, and processes that were
// forked from one that has a runtime: calls are denied, never silently unrecorded.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/support/allocations.h"
#include "tests/support/torture.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;
using testing::Bench;

enum class Way : uint8_t { deleted, moved, replaced, directory_moved };

void take_away(const Bench& bench, const std::string& file, Way way) {
  const fs::path directory = bench.options.database, path = directory / file, aside = bench.state / "aside";
  switch (way) {
    case Way::deleted:
      fs::remove(path);
      break;
    case Way::moved:
      fs::rename(path, aside);
      break;
    case Way::replaced:
      fs::copy(path, aside);
      fs::rename(aside, path);
      break;
    case Way::directory_moved:
      fs::rename(directory, aside);
      fs::create_directory(directory);
      break;
  }
}

TEST(Place, AFileThatIsGoneIsUnavailable) {
  for (const char* file : {"audit.db", "audit.db-wal", "audit.db-shm", "approvals.db", "approvals.db-wal"}) {
    for (Way way : {Way::deleted, Way::moved, Way::replaced, Way::directory_moved}) {
      for (Durability durability : {Durability::sync, Durability::group}) {
        SCOPED_TRACE(std::string(file) + " " + std::to_string(static_cast<int>(way)));
        Bench bench;
        bench.options.audit.durability = durability;
        bench.options.audit.retry = std::chrono::milliseconds(20);
        auto runtime = bench.open();
        ASSERT_TRUE(bench.pay(runtime, 20).has_value());
        ASSERT_TRUE(runtime.flush().ok());
        take_away(bench, file, way);
        const int before = *bench.runs;
        const bool approval = std::string(file).starts_with("approvals");
        for (int twice = 0; twice < 2; ++twice) {
          auto outcome = bench.pay(runtime, approval ? 600 : 30);
          ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
          const char* wanted = approval ? "approval_unavailable" : "audit_unavailable";
          EXPECT_EQ(outcome.denied()->code, wanted) << outcome.describe();
        }
        EXPECT_EQ(*bench.runs, before);
        if (!approval) {
          EXPECT_NE(runtime.health().audit_error.find("moved, deleted or replaced"), std::string::npos)
              << runtime.health().audit_error;
        }
      }
    }
  }
}

/// Calls pay(amount) in threads until it is destroyed.
class Callers {
 public:
  Callers(const Bench& bench, const Runtime& runtime, int threads, double amount) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([&bench, &runtime, amount, this] {
        while (!stop_) (void)bench.pay(runtime, amount);
      });
    }
  }
  ~Callers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

/// The same at a random moment, while calls are being made.
TEST(Place, AFileThatIsTakenBesideCallsIsUnavailable) {
  static constexpr const char* kFiles[] = {"audit.db", "audit.db-wal", "audit.db-shm", "approvals.db"};
  test::Torture torture(8);
  while (torture.goes_on()) {
    const std::string file = kFiles[torture.below(std::size(kFiles))];
    const auto way = static_cast<Way>(torture.below(4));
    SCOPED_TRACE(torture.where() + ", " + file + " " + std::to_string(static_cast<int>(way)));
    Bench bench;
    bench.options.audit.durability = Durability::sync;
    bench.options.audit.retry = std::chrono::milliseconds(20);
    auto runtime = bench.open();
    ASSERT_TRUE(bench.pay(runtime, 20).has_value());
    const bool approval = file == "approvals.db";
    {
      const Callers callers(bench, runtime, 2, approval ? 600 : 30);
      ::usleep(static_cast<useconds_t>(torture.below(20'000)));
      take_away(bench, file, way);
    }
    const int before = *bench.runs;
    auto outcome = bench.pay(runtime, approval ? 600 : 30);
    ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
    EXPECT_EQ(outcome.denied()->code, approval ? "approval_unavailable" : "audit_unavailable");
    EXPECT_EQ(*bench.runs, before);
    torture.count(way == Way::deleted ? "deleted" : way == Way::replaced ? "replaced" : "moved");
  }
}

TEST(Place, AFileThatIsBackServesAgain) {
  Bench bench;
  bench.options.audit.durability = Durability::sync;
  bench.options.audit.retry = std::chrono::milliseconds(20);
  auto runtime = bench.open();
  fs::rename(bench.options.database, bench.state / "aside");
  ASSERT_NE(bench.pay(runtime, 20).denied(), nullptr);
  fs::rename(bench.state / "aside", bench.options.database);
  for (int i = 0; i < 500 && !runtime.health().audit_available; ++i) ::usleep(10'000);
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  EXPECT_EQ(bench.records(runtime).front().kind, RecordKind::lost);
  EXPECT_TRUE(bench.verify().ok);
}

TEST(Place, ASealedSegmentMayBeRemoved) {
  Bench bench;
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  ASSERT_TRUE(runtime.flush().ok());
  ASSERT_TRUE(rotate_audit(bench.options.database).ok());
  ASSERT_TRUE(prune_audit(bench.options.database, 0).ok());
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_TRUE(bench.verify().ok);
}

TEST(Place, AnotherWorkingDirectoryIsNotAnotherLog) {
  Bench bench;
  const fs::path before = fs::current_path();
  fs::current_path(bench.state.path());
  bench.options.database = "db";
  bench.options.audit.segment_records = 2;
  {
    auto runtime = bench.open();
    fs::current_path("/");
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(bench.pay(runtime, 20).has_value());
      EXPECT_TRUE(runtime.flush().ok());
    }
  }
  fs::current_path(before);
  bench.options.database = bench.state / "db";
  EXPECT_EQ(bench.read_records().size(), 6u);
  EXPECT_TRUE(bench.verify().ok);
}

/// Runs `body` in a child. @returns its exit code, or -1 if it did not end within ten seconds
template <typename Body>
int in_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    ::alarm(10);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Place, AForkedChildDenies) {
  for (Durability durability : {Durability::sync, Durability::group, Durability::async}) {
    Bench bench;
    bench.options.audit.durability = durability;
    auto runtime = std::make_unique<Runtime>(bench.open());
    ASSERT_TRUE(bench.pay(*runtime, 20).has_value());
    const int before = *bench.runs;
    EXPECT_EQ(in_child([&] {
                auto outcome = bench.pay(*runtime, 20);
                if (outcome.denied() == nullptr) return 1;
                if (outcome.denied()->code != "audit_unavailable") return 2;
                auto asked = bench.pay(*runtime, 600);
                if (asked.denied() == nullptr || asked.denied()->code != "approval_unavailable") return 3;
                if (*bench.runs != before) return 4;
                if (runtime->flush().ok() || runtime->health().audit_available) return 5;
                return 0;
              }),
              0);
    ASSERT_TRUE(bench.pay(*runtime, 30).has_value()) << "the parent goes on";
    ASSERT_TRUE(runtime->flush().ok());
    EXPECT_EQ(bench.read_records().size(), 4u);
    EXPECT_TRUE(bench.verify().ok);
  }
}

/// Other threads of the parent hold what locks they hold at the moment of the fork, and are not there to release them.
TEST(Place, ChildrenThatAreForkedBesideCallsDeny) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers do not bear forks of processes with threads";
  test::Torture torture(8);
  Bench bench;
  auto runtime = bench.open();
  ASSERT_TRUE(bench.pay(runtime, 20).has_value());
  {
    const Callers callers(bench, runtime, 2, 20);
    while (torture.goes_on()) {
      ::usleep(static_cast<useconds_t>(torture.below(5'000)));
      EXPECT_EQ(in_child([&] {
                  auto outcome = bench.pay(runtime, 30);
                  return outcome.denied() != nullptr && outcome.denied()->code == "audit_unavailable" ? 0 : 1;
                }),
                0)
          << torture.where();
    }
  }
  ASSERT_TRUE(runtime.flush().ok());
  EXPECT_TRUE(bench.verify().ok);
}

/// A child that returns from its part of the program, so that destructors run.
TEST(Place, AForkedChildCanCloseWhatItInherited) {
  Bench bench;
  auto runtime = std::make_unique<Runtime>(bench.open());
  auto opened = ApprovalStore::open(bench.options.database);
  ASSERT_TRUE(opened.ok());
  auto store = std::make_unique<ApprovalStore>(std::move(*opened));
  ASSERT_TRUE(bench.pay(*runtime, 20).has_value());
  EXPECT_EQ(in_child([&] {
              store.reset();
              runtime.reset();
              return 0;
            }),
            0);
  ASSERT_TRUE(bench.pay(*runtime, 30).has_value());
  ASSERT_TRUE(runtime->flush().ok());
  EXPECT_EQ(bench.read_records().size(), 4u);
}

}  // namespace
}  // namespace ordain
