// These tests cover stores that processes share: reservations are exact across processes, and a file
// that somebody changed is refused. crash_test.cc kills processes.
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "runtime/sqlite/sqlite.h"
#include "runtime/state/store.h"
#include "tests/support/torture.h"
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
  options.limits.stamps = 1 << 20;
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
  StoreOptions options = shared_options();
  options.compact_after = static_cast<uint64_t>(times);
  auto store = open_shared(directory, options);
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

constexpr int kProcesses = 8;

/// Lets processes spend at once. @returns how many calls were allowed in all
int spend_in_processes(const std::string& directory, int times, int limit) {
  int results[2];
  EXPECT_EQ(pipe(results), 0);
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    EXPECT_GE(child, 0);
    if (child == 0) {
      const int allowed = spend_in_child(directory, times, limit);
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
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  return total;
}

/// Under scripts/torture, 8 processes make 10,000 reservations each; among the other tests, 500.
TEST(StateShared, ProcessesReserveExactly) {
  const int times = test::torture_time() ? 10'000 : 500;
  test::Torture torture(2);
  while (torture.goes_on()) {
    SCOPED_TRACE(torture.where());
    const bool limited = torture.rounds() % 2 == 1;
    const int all = kProcesses * times;
    const int limit = limited ? 1 + static_cast<int>(torture.below(static_cast<uint64_t>(all))) : all;
    TemporaryDirectory directory;
    ASSERT_NE(open_shared(directory.path()), nullptr);
    EXPECT_EQ(spend_in_processes(directory.path(), times, limit), limit) << "neither more nor fewer than the limit";
    const auto store = open_shared(directory.path());
    ASSERT_NE(store, nullptr);
    const Reading spent = read_one(*store, 0, key_of("ann")), sent = read_one(*store, 1, key_of("ann"));
    EXPECT_TRUE(spent.used == limit);
    EXPECT_EQ(sent.count, static_cast<uint64_t>(limit));
    EXPECT_TRUE(sent.sum == limit);
    EXPECT_EQ(sent.running, 0u);
    EXPECT_TRUE(read_one(*store, 2, key_of("ann")).used == 0);
    torture.count(limited ? "limits that held" : "sums that were exact");
  }
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
