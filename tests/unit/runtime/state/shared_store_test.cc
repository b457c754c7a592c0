// These tests cover stores that processes share: reservations are exact across processes, a process
// that is killed loses nothing and leaves nothing half done, and a file that somebody changed is
// refused. ORDAIN_CRASH_ROUNDS sets how many processes are killed; the default is 20.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "runtime/sqlite/sqlite.h"
#include "runtime/state/store.h"
#include "tests/unit/runtime/state/state_support.h"
#include "tests/unit/runtime/support.h"

namespace ordain::state {
namespace {

using ordain::testing::TemporaryDirectory;

const std::vector<StateDecl>& shared_states() {
  static const std::vector<StateDecl> states = {budget_of("spend", BudgetPeriod::none), sum_within("sends", 86'400),
                                                budget_of("once", BudgetPeriod::at_once)};
  return states;
}

StoreOptions shared_options() {
  StoreOptions options;
  options.full_sync = false;  // nobody cuts the power
  options.compact_after = 64;
  options.busy_wait = std::chrono::seconds(60);
  return options;
}

/// Opens the store and defines its states. @returns nullptr if that fails; for child processes too
std::unique_ptr<Store> open_shared(const std::string& directory, const StoreOptions& options = shared_options()) {
  auto store = Store::open(directory, options);
  if (!store.ok()) return nullptr;
  auto numbers = (*store)->define(shared_states());
  const bool expected = numbers.ok() && *numbers == std::vector<uint32_t>{0, 1, 2};
  return expected ? std::move(*store) : nullptr;
}

std::string plain_key(const char* text) {
  std::string out;
  (void)append_key_part(out, Value::string(text));
  return out;
}

CallStart spend_one(const std::string& key) {
  CallStart start{Id128::random(), true, {{0, key, 1}, {1, key, 1}, {2, key, 1}}, {}, {}};
  start.questions = {{0, key, {false, false, 1}}};
  return start;
}

/// Spends one until `limit` is reached, `times` times. @returns how many calls were allowed, -1 on an error
int spend_in_child(const std::string& directory, int times, Amount limit) {
  auto store = open_shared(directory);
  if (store == nullptr) return -1;
  int allowed = 0;
  for (int i = 0; i < times; ++i) {
    const CallStart start = spend_one(plain_key("ann"));
    auto begun = store->begin(start, [&](std::span<const Reading> readings, const Moment&) {
      return readings[0].used <= limit ? Verdict::proceed : Verdict::deny;
    });
    if (!begun.ok()) return -1;
    if (begun->verdict != Verdict::proceed) continue;
    ++allowed;
    if (!store->finish(start.call, {}, {}).ok()) return -1;
  }
  return allowed;
}

TEST(StateShared, ProcessesReserveExactly) {
  constexpr int kProcesses = 4, kTimes = 200, kLimit = 601;
  TemporaryDirectory directory;
  ASSERT_NE(open_shared(directory.path()), nullptr);
  int results[2];
  ASSERT_EQ(pipe(results), 0);
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const int allowed = spend_in_child(directory.path(), kTimes, kLimit);
      const bool written = write(results[1], &allowed, sizeof(allowed)) == static_cast<ssize_t>(sizeof(allowed));
      _exit(written && allowed >= 0 ? 0 : 1);
    }
    children.push_back(child);
  }
  close(results[1]);
  int total = 0, allowed = 0;
  while (read(results[0], &allowed, sizeof(allowed)) == static_cast<ssize_t>(sizeof(allowed))) total += allowed;
  close(results[0]);
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(total, kLimit) << "neither more nor fewer than the limit";
  auto store = open_shared(directory.path());
  ASSERT_NE(store, nullptr);
  EXPECT_TRUE(read_one(*store, 0, key_of("ann")).used == kLimit);
  EXPECT_EQ(read_one(*store, 1, key_of("ann")).count, static_cast<uint64_t>(kLimit));
  EXPECT_TRUE(read_one(*store, 2, key_of("ann")).used == 0);
}

/// Reports one byte for each call that has begun, until it is killed.
[[noreturn]] void spend_until_killed(const std::string& directory, int out) {
  auto store = open_shared(directory);
  if (store == nullptr) _exit(1);
  for (;;) {
    const CallStart start = spend_one(plain_key("ann"));
    auto begun = store->begin(start, always_proceed);
    if (!begun.ok() || write(out, "a", 1) != 1) _exit(1);
    if (!store->finish(start.call, {}, {}).ok()) _exit(1);
  }
}

size_t count_until_end(int in) {
  size_t total = 0;
  char buffer[4096];
  for (ssize_t got; (got = read(in, buffer, sizeof(buffer))) > 0;) total += static_cast<size_t>(got);
  return total;
}

TEST(StateShared, AKilledProcessLosesNothing) {
  const char* set = std::getenv("ORDAIN_CRASH_ROUNDS");
  const int rounds = set != nullptr ? std::atoi(set) : 20;
  TemporaryDirectory directory;
  std::mt19937 random(3);
  size_t acknowledged = 0;
  for (int round = 1; round <= rounds; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      spend_until_killed(directory.path(), ends[1]);
    }
    close(ends[1]);
    char first = 0;
    // Half of them are killed while they open the store, if the machine is slow.
    if (round % 2 == 0 && read(ends[0], &first, 1) == 1) ++acknowledged;
    usleep(20'000 + random() % 60'000);
    kill(child, SIGKILL);
    acknowledged += count_until_end(ends[0]);
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "round " << round << ": the child ended by itself: " << status;
    auto store = open_shared(directory.path());
    ASSERT_NE(store, nullptr) << "round " << round;
    const Reading spent = read_one(*store, 0, key_of("ann")), sent = read_one(*store, 1, key_of("ann"));
    const Reading once = read_one(*store, 2, key_of("ann"));
    ASSERT_TRUE(spent.used == static_cast<Amount>(sent.count)) << "all of a call or nothing of it";
    ASSERT_TRUE(sent.sum == spent.used);
    ASSERT_GE(sent.count, acknowledged) << "round " << round;
    // Each killed process may have begun one call whose report it did not write.
    ASSERT_LE(sent.count, acknowledged + static_cast<size_t>(round));
    ASSERT_TRUE(once.used == static_cast<Amount>(sent.running)) << "open calls hold what they took";
    ASSERT_LE(sent.running, static_cast<uint64_t>(round));
  }
  EXPECT_GT(acknowledged, 0u);
}

TEST(StateShared, StoresOfOneDirectoryHoldOneLedger) {
  TemporaryDirectory directory;
  SetClock clock;
  StoreOptions options = shared_options();
  options.clock = clock.reader();
  auto first = open_shared(directory.path(), options), second = open_shared(directory.path(), options);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  std::mt19937 random(9);
  for (int i = 0; i < 300; ++i) {
    Store& store = random() % 3 == 0 ? *second : *first;
    const Id128 call = begin_one(store, random() % 3, key_of(random() % 2 == 0 ? "ann" : "bob"), 1);
    // The other one ends it.
    Store& other = &store == first.get() ? *second : *first;
    if (random() % 4 != 0) {
      ASSERT_TRUE(other.finish(call, {}, {}).ok());
    }
    clock.pass(kSecondNs);
  }
  ASSERT_TRUE(first->raise("s", 3, {1, 2}).ok());
  EXPECT_EQ(*second->labels("s"), 3);
  auto one = first->save(), two = second->save();
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(*one, *two);
  auto third = open_shared(directory.path(), options);
  ASSERT_NE(third, nullptr);
  EXPECT_EQ(*third->save(), *one);
}

TEST(StateShared, AForkedChildMustNotUseAnOpenStore) {
  TemporaryDirectory directory;
  auto store = open_shared(directory.path());
  ASSERT_NE(store, nullptr);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto refused = store->labels("s");
    _exit(!refused.ok() && refused.error().code == "database_error" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void change_file(const std::string& directory, const std::string& sql) {
  auto database =
      sqlite::Database::open(directory + "/state.db", sqlite::Database::Open::read_write, std::chrono::seconds(2));
  ASSERT_TRUE(database.ok());
  auto changed = database->execute(sql);
  ASSERT_TRUE(changed.ok()) << changed.error().message;
}

TEST(StateShared, AFileThatLostOpsIsRefusedForGood) {
  TemporaryDirectory directory;
  StoreOptions options = shared_options();
  options.compact_after = 1000;
  auto store = open_shared(directory.path(), options);
  ASSERT_NE(store, nullptr);
  for (int i = 0; i < 5; ++i) (void)begin_one(*store, 0, key_of("ann"), 1);
  change_file(directory.path(), "DELETE FROM ops WHERE sequence = (SELECT max(sequence) FROM ops)");
  for (int i = 0; i < 3; ++i) {
    auto refused = store->begin(spend_one(key_of("ann")), always_proceed);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, "bad_state") << refused.error().message;
  }
}

TEST(StateShared, AFileThatMakesNoSenseIsRefused) {
  for (const char* sql :
       {"UPDATE ops SET body = x'00' WHERE sequence = 3", "DELETE FROM ops WHERE sequence = 2",
        "UPDATE ops SET sequence = 1000 WHERE sequence = 4", "UPDATE ops SET body = 'text' WHERE sequence = 3",
        "DELETE FROM head", "UPDATE head SET base = -1", "UPDATE head SET base = 5", "UPDATE head SET base = 'x'",
        "UPDATE ops SET body = (SELECT body FROM ops WHERE sequence = 5) WHERE sequence = 3"}) {
    TemporaryDirectory directory;
    StoreOptions options = shared_options();
    options.compact_after = 1000;
    {
      auto store = open_shared(directory.path(), options);
      ASSERT_NE(store, nullptr);
      for (int i = 0; i < 5; ++i) (void)begin_one(*store, 0, key_of("ann"), 1);
    }
    change_file(directory.path(), sql);
    auto opened = Store::open(directory.path(), options);
    ASSERT_FALSE(opened.ok()) << sql;
    EXPECT_EQ(opened.error().code, "bad_state") << sql << ": " << opened.error().message;
  }
}

TEST(StateShared, ADamagedSnapshotIsRefused) {
  for (const char* sql : {"UPDATE snapshot SET body = substr(body, 2)", "DELETE FROM snapshot",
                          "UPDATE snapshot SET part = 2", "UPDATE head SET base = base + 1"}) {
    TemporaryDirectory directory;
    StoreOptions options = shared_options();
    options.compact_after = 4;
    {
      auto store = open_shared(directory.path(), options);
      ASSERT_NE(store, nullptr);
      for (int i = 0; i < 8; ++i) (void)begin_one(*store, 0, key_of("ann"), 1);
    }
    change_file(directory.path(), sql);
    auto opened = Store::open(directory.path(), options);
    ASSERT_FALSE(opened.ok()) << sql;
    EXPECT_EQ(opened.error().code, "bad_state") << sql << ": " << opened.error().message;
  }
}

TEST(StateShared, NothingPlantedIsOpened) {
  for (const char* sql : {"CREATE TRIGGER planted BEFORE INSERT ON ops BEGIN SELECT RAISE(IGNORE); END",
                          "CREATE TABLE planted (a)", "CREATE INDEX planted ON ops (body)"}) {
    TemporaryDirectory directory;
    ASSERT_NE(open_shared(directory.path()), nullptr);
    change_file(directory.path(), sql);
    auto opened = Store::open(directory.path(), shared_options());
    ASSERT_FALSE(opened.ok()) << sql;
    EXPECT_EQ(opened.error().code, "database_corrupt") << opened.error().message;
  }
}

}  // namespace
}  // namespace ordain::state
