// These tests kill a process (kill -9) at random moments, or stop it for a while: everything acknowledged
// must be on record, chain and checkpoints must verify, and no approval may be used twice.
// ORDAIN_CRASH_ROUNDS sets how often it is killed; the default is 50.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/support/torture.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;

constexpr const char* kDirectoryVariable = "ORDAIN_CRASH_DIRECTORY";
constexpr const char* kDurabilityVariable = "ORDAIN_CRASH_DURABILITY";
constexpr const char* kRoundsVariable = "ORDAIN_CRASH_ROUNDS";
constexpr const char* kKeyFile = "/operator.key";
constexpr const char* kElsewhere = "/elsewhere";
constexpr int kPipe = STDERR_FILENO + 1;

/// Starts the process that is killed: this executable again, running the disabled test below. It
/// reports to the pipe whose other end is `*out`: "a" and the action of every call that has
/// returned, "f" after a flush.
pid_t start_worker(const std::string& state, const char* durability, int* out) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], kPipe);
    if (ends[0] != kPipe) close(ends[0]);
    int quiet = open("/dev/null", O_WRONLY);
    dup2(quiet, STDOUT_FILENO);
    setenv(kDirectoryVariable, state.c_str(), 1);
    setenv(kDurabilityVariable, durability, 1);
    execl("/proc/self/exe", "runtime_tests", "--gtest_filter=CrashWorker.DISABLED_Run",
          "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[1]);
  *out = ends[0];
  return child;
}

void say(const std::string& what) {
  std::string line = what + "\n";
  if (write(kPipe, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(1);
}

TEST(CrashWorker, DISABLED_Run) {
  const char* state = getenv(kDirectoryVariable);
  const char* durability = getenv(kDurabilityVariable);
  if (state == nullptr || durability == nullptr) GTEST_SKIP() << "runs only as the child of Crash.*";
  RuntimeOptions options;
  options.agent = "teller";
  options.database = std::string(state) + "/db";
  options.audit.durability = std::string(durability) == "sync" ? Durability::sync : Durability::group;
  options.audit.key = *PrivateKey::load(std::string(state) + kKeyFile);
  options.audit.checkpoint_file = std::string(state) + kElsewhere;
  options.audit.checkpoint_records = 16;
  options.audit.segment_records = 400;
  auto runtime = Runtime::open(testing::bank(), options);
  ASSERT_TRUE(runtime.ok()) << runtime.error().message;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0;; ++i) {
        auto amount = std::to_string(t == 0 ? 600 + i % 20 : 20);
        bool look = t == 3;
        auto outcome = runtime->call(look ? "look" : "pay",
                                     json(look ? R"({"n": 1})" : R"({"to": "bob", "amount": )" + amount + ".0}"),
                                     [&](const Value&) -> Result<Document> {
                                       return json(look ? R"({"text": "ok"})" : R"({"message": "ok"})");
                                     });
        if (!outcome.has_value()) continue;
        say((look ? "l" : "a") + outcome.action().hex());
        if (look && i % 8 == 7 && runtime->flush().ok()) say("f");
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

/// The child's reports before it was killed.
struct ChildReport {
  std::vector<std::string> pays, looks;
  size_t flushed_looks = 0;  ///< number of looks before the last flush
};

ChildReport read_until_killed(pid_t child, int out, useconds_t after) {
  std::string text;
  char buffer[4096];
  std::thread killer;
  // Keep reading while the time runs: a full pipe would block the child with everything committed.
  for (ssize_t got; (got = read(out, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
    if (killer.joinable()) continue;
    killer = std::thread([child, after] {
      usleep(after);
      kill(child, SIGKILL);
    });
  }
  if (killer.joinable()) killer.join();
  close(out);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  ChildReport report;
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    std::string line = text.substr(at, end - at);
    if (line == "f") report.flushed_looks = report.looks.size();
    if (line[0] == 'a') report.pays.push_back(line.substr(1));
    if (line[0] == 'l') report.looks.push_back(line.substr(1));
  }
  return report;
}

/// One state directory, and the records that it must contain.
class Trial {
 public:
  explicit Trial(const char* durability) : durability_(durability), sync_(std::string(durability) == "sync") {
    bench_.options.database = bench_.state / "db";
    EXPECT_TRUE(key_.save(bench_.state.path() + kKeyFile).ok());
    EXPECT_TRUE(ApprovalStore::open(bench_.options.database).ok());
  }

  void round(useconds_t after) {
    int out = -1;
    pid_t child = start_worker(bench_.state.path(), durability_, &out);
    ASSERT_GT(child, 0);
    // Approve the child's requests while it runs, so that some processes die between consumption
    // and outcome.
    std::atomic<bool> stop{false};
    std::thread approver([&] {
      auto store = ApprovalStore::open(bench_.options.database);
      while (!stop && store.ok()) {
        auto pending = store->list(ApprovalState::pending, system_time_ns());
        if (!pending.ok()) continue;
        for (const auto& one : *pending) (void)store->approve(one.id, "ann", "finance", "", system_time_ns());
        usleep(1000);
      }
    });
    ChildReport report = read_until_killed(child, out, after);
    stop = true;
    approver.join();
    // Under `group`, an irreversible call has waited for its intent; of other calls, only flushed
    // records are promised.
    intents_.insert(report.pays.begin(), report.pays.end());
    size_t looks = sync_ ? report.looks.size() : report.flushed_looks;
    both_.insert(report.looks.begin(), report.looks.begin() + static_cast<ptrdiff_t>(looks));
    if (sync_) both_.insert(report.pays.begin(), report.pays.end());
    ++rounds_;
    verify();
  }

  void settle() {
    EXPECT_FALSE(intents_.empty());
    std::map<std::string, int> intents, outcomes, uses;
    for (const auto& record : bench_.read_records()) {
      if (record.kind == RecordKind::intent) {
        ++intents[record.action];
        if (!record.approval.empty()) ++uses[record.approval];
      }
      if (record.kind == RecordKind::outcome) ++outcomes[record.action];
    }
    for (const auto& action : intents_) EXPECT_EQ(intents[action], 1) << action;
    for (const auto& action : both_) EXPECT_EQ(intents[action] * outcomes[action], 1) << action;
    for (const auto& [action, count] : intents) EXPECT_EQ(count, 1) << action;
    for (const auto& [action, count] : outcomes) EXPECT_EQ(count * intents[action], 1) << action;
    approvals(intents, uses);
  }

 private:
  void verify() {
    auto log = AuditLog::open(bench_.options.database);
    ASSERT_TRUE(log.ok()) << log.error().message;
    auto kept = read_checkpoints(bench_.state.path() + kElsewhere);
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    // Records after the last checkpoint are not signed yet; the next run signs them when it opens
    // the log.
    auto found = log->verify({.keys = {key_.public_key()}, .checkpoints = *kept, .unsigned_tail = UINT64_MAX});
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_TRUE(found->ok) << "round " << rounds_ << ": record " << found->bad_record << ": " << found->problem;
  }

  void approvals(std::map<std::string, int>& intents, const std::map<std::string, int>& uses) {
    auto store = ApprovalStore::open(bench_.options.database);
    auto consumed = store->list(ApprovalState::consumed, system_time_ns());
    EXPECT_FALSE(consumed->empty());
    for (const auto& [approval, count] : uses) {
      EXPECT_EQ(count, 1) << approval;
      auto shown = store->show(approval, system_time_ns());
      ASSERT_TRUE(shown.ok());
      EXPECT_EQ(shown->state, ApprovalState::consumed) << "used, so it may not serve again";
      EXPECT_EQ(intents[shown->consumed_by], 1);
    }
    for (const auto& approval : *consumed) {
      if (approval.outcome.empty()) continue;
      EXPECT_EQ(intents[approval.consumed_by], 1) << "an outcome without an intent";
    }
    EXPECT_LE(store->unfinished()->size(), static_cast<size_t>(rounds_)) << "one thread a round uses approvals";
  }

  const char* durability_;
  bool sync_;
  Bench bench_;
  PrivateKey key_ = *PrivateKey::generate("example.com");
  std::set<std::string> intents_, both_;  ///< actions whose intent, or intent and outcome, must be on record
  int rounds_ = 0;
};

void kill_at_random(const char* durability) {
  const char* given = getenv(kRoundsVariable);
  const int kills = (given != nullptr ? atoi(given) : 50) / 2;
  constexpr int kKillsOfOneState = 25;
  test::Torture torture(static_cast<uint64_t>((kills + kKillsOfOneState - 1) / kKillsOfOneState),
                        std::random_device{}());
  while (torture.goes_on()) {
    SCOPED_TRACE(torture.where());
    Trial trial(durability);
    for (int i = 0; i < std::min(kills, kKillsOfOneState); ++i) {
      ASSERT_NO_FATAL_FAILURE(trial.round(static_cast<useconds_t>(torture.below(60'000))));
      torture.count("kills");
    }
    trial.settle();
  }
}

TEST(Crash, KillUnderSyncLosesNothingAcknowledged) { kill_at_random("sync"); }
TEST(Crash, KillUnderGroupLosesAtMostTheUnacknowledged) { kill_at_random("group"); }

/// Another process on the same log is stopped at random moments, often while it holds the lock of the file. Calls here
/// end all the same: they run and are on record, or they are denied.
TEST(Crash, AStoppedProcessLosesNoCallOfAnother) {
  test::Torture torture(2, std::random_device{}());
  while (torture.goes_on()) {
    SCOPED_TRACE(torture.where());
    Bench bench;
    const PrivateKey key = *PrivateKey::generate("example.com");
    ASSERT_TRUE(key.save(bench.state.path() + kKeyFile).ok());
    bench.options.clock = nullptr;
    bench.options.audit.key = key;
    bench.options.audit.durability = Durability::sync;
    bench.options.audit.busy_wait = std::chrono::milliseconds(50);
    bench.options.audit.retry = std::chrono::milliseconds(10);
    auto runtime = std::make_unique<Runtime>(bench.open());
    int out = -1;
    const pid_t child = start_worker(bench.state.path(), "sync", &out);
    ASSERT_GT(child, 0);
    // A full pipe would block the child without the lock.
    std::thread reader([out] {
      char buffer[4096];
      while (read(out, buffer, sizeof(buffer)) > 0) {
      }
      close(out);
    });
    std::set<std::string> paid;
    for (int i = 0; i < 10; ++i) {
      usleep(static_cast<useconds_t>(torture.below(20'000)));
      kill(child, SIGSTOP);
      const int before = *bench.runs;
      auto outcome = bench.pay(*runtime, 20);
      kill(child, SIGCONT);
      torture.count(outcome.has_value() ? "calls that ran" : "calls that were denied");
      if (outcome.has_value()) paid.insert(outcome.action().hex());
      if (outcome.denied() != nullptr) {
        EXPECT_EQ(*bench.runs, before);
        EXPECT_EQ(outcome.denied()->code.substr(0, 6), "audit_") << outcome.describe();
      }
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    reader.join();
    for (int i = 0; i < 3000 && !runtime->health().audit_available; ++i) usleep(10'000);
    auto after = bench.pay(*runtime, 20);
    EXPECT_TRUE(after.has_value()) << after.describe();
    if (after.has_value()) paid.insert(after.action().hex());
    EXPECT_TRUE(runtime->flush().ok());
    runtime.reset();
    std::map<std::string, int> intents;
    for (const auto& record : bench.read_records()) intents[record.action] += record.kind == RecordKind::intent ? 1 : 0;
    for (const std::string& action : paid) EXPECT_EQ(intents[action], 1) << action;
    auto log = AuditLog::open(bench.options.database);
    ASSERT_TRUE(log.ok()) << log.error().message;
    auto found = log->verify({.keys = {key.public_key()}, .unsigned_tail = UINT64_MAX});
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_TRUE(found->ok) << found->bad_record << ": " << found->problem;
  }
}

}  // namespace
}  // namespace ordain
