// kill -9 in the middle of a run: what was acknowledged is on record, the chain verifies, no approval serves twice.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstring>
#include <set>

#include <thread>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;

constexpr const char* kDirectoryVariable = "ORDAIN_CRASH_DIRECTORY";

/// The process that is killed: this executable again, running the disabled test below. It writes the action of every
/// call that has returned, "a" and the id, to the pipe whose other end is `*out`.
pid_t start_worker(const std::string& directory, int* out) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO + 1);
    if (ends[0] != STDERR_FILENO + 1) close(ends[0]);
    int quiet = open("/dev/null", O_WRONLY);
    dup2(quiet, STDOUT_FILENO);
    setenv(kDirectoryVariable, directory.c_str(), 1);
    execl("/proc/self/exe", "runtime_tests", "--gtest_filter=CrashWorker.DISABLED_Run",
          "--gtest_also_run_disabled_tests", static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[1]);
  *out = ends[0];
  return child;
}

void say(char what, const std::string& action) {
  std::string line = std::string(1, what) + action + "\n";
  if (write(STDERR_FILENO + 1, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(1);
}

TEST(CrashWorker, DISABLED_Run) {
  const char* directory = getenv(kDirectoryVariable);
  if (directory == nullptr) GTEST_SKIP() << "runs only as the child of Crash.KillLosesNothingAcknowledged";
  RuntimeOptions options;
  options.agent = "teller";
  options.database = directory;
  options.audit.durability = Durability::sync;
  auto runtime = Runtime::open(testing::bank(), options);
  ASSERT_TRUE(runtime.ok()) << runtime.error().message;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0;; ++i) {
        auto amount = std::to_string(t == 0 ? 600 + i % 20 : 20);
        auto outcome = runtime->call("pay", json(R"({"to": "bob", "amount": )" + amount + ".0}"),
                                     [&](const Value&) -> Result<Document> { return json(R"({"message": "ok"})"); });
        if (outcome.has_value()) say('a', outcome.action().hex());
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

std::set<std::string> read_until_killed(pid_t child, int out, useconds_t after) {
  std::string text;
  char buffer[4096];
  std::thread killer;
  // Reading goes on while the time runs: a full pipe would hold the child up, with everything committed.
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
  std::set<std::string> acknowledged;
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    acknowledged.insert(text.substr(at + 1, end - at - 1));
  }
  return acknowledged;
}

TEST(Crash, KillLosesNothingAcknowledged) {
  Bench bench;
  constexpr int kRounds = 5;
  std::set<std::string> acknowledged;
  {
    auto store = ApprovalStore::open(bench.options.database);
    ASSERT_TRUE(store.ok());
  }
  for (int round = 0; round < kRounds; ++round) {
    int out = -1;
    pid_t child = start_worker(bench.options.database, &out);
    ASSERT_GT(child, 0);
    // Approve what the child asks for, while it runs, so that some die between consumption and outcome.
    std::atomic<bool> stop{false};
    std::thread approver([&] {
      auto store = ApprovalStore::open(bench.options.database);
      while (!stop && store.ok()) {
        auto pending = store->list(ApprovalState::pending, system_time_ns());
        if (!pending.ok()) continue;
        for (const auto& approval : *pending) (void)store->approve(approval.id, "ann", "finance", "", system_time_ns());
        usleep(1000);
      }
    });
    auto said = read_until_killed(child, out, 20'000 * (round + 1));
    stop = true;
    approver.join();
    EXPECT_FALSE(said.empty());
    acknowledged.insert(said.begin(), said.end());
    auto verified = bench.verify();
    ASSERT_TRUE(verified.ok) << "round " << round << ": record " << verified.bad_record << ": " << verified.problem;
  }
  std::map<std::string, int> intents, outcomes;
  std::map<std::string, int> uses;
  for (const auto& record : bench.stored()) {
    if (record.kind == RecordKind::intent) {
      ++intents[record.action];
      if (!record.approval.empty()) ++uses[record.approval];
    }
    if (record.kind == RecordKind::outcome) ++outcomes[record.action];
  }
  for (const auto& action : acknowledged) {
    EXPECT_EQ(intents[action], 1) << action;
    EXPECT_EQ(outcomes[action], 1) << action;
  }
  auto store = ApprovalStore::open(bench.options.database);
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
  EXPECT_LE(store->unfinished()->size(), static_cast<size_t>(kRounds)) << "one thread a round uses approvals";
}

}  // namespace
}  // namespace ordain
