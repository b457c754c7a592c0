// These tests kill processes (kill -9) that share a state, at random moments: while they reserve, settle, write a
// snapshot, or rebuild the state from the file. Afterwards the state is exactly what they reported, and what their
// audit records say. ORDAIN_CRASH_ROUNDS sets how many are killed; the default is 50, and scripts/torture kills at
// least 500.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "runtime/state/inspect.h"
#include "tests/support/torture.h"
#include "tests/unit/runtime/state/state_support.h"
#include "tests/unit/runtime/support.h"

namespace ordain::state {
namespace {

using ordain::testing::TemporaryDirectory;

constexpr uint64_t kKillsOfOneState = 10;
constexpr uint64_t kKillsUnderTorture = 500;

/// Goes on as long as a Torture does, and under scripts/torture until enough processes were killed.
bool goes_on_killing(test::Torture& torture) {
  if (torture.goes_on()) return true;
  const bool more = test::torture_time() && torture.counted("kills") < kKillsUnderTorture;
  return more && !::testing::Test::HasFailure();
}

uint64_t kill_rounds() {
  const char* kills = std::getenv("ORDAIN_CRASH_ROUNDS");
  const uint64_t wanted = kills != nullptr ? std::strtoull(kills, nullptr, 10) : 50;
  return (wanted + kKillsOfOneState - 1) / kKillsOfOneState;
}

/// What a process reports, in two bytes: what it does next, or that this is done.
enum : char { kOpens = 'o', kBegins = 'b', kBegun = 'B', kEnds = 'e', kEnded = 'E' };
struct Report {
  char what = 0;
  unsigned char number = 0;  ///< kBegins: the amount; kEnds: 4 times what was spent, and how it is settled
};

void send_report(int out, char what, unsigned number = 0) {
  const Report report{what, static_cast<unsigned char>(number)};
  if (write(out, &report, sizeof(report)) != static_cast<ssize_t>(sizeof(report))) _exit(1);
}

enum : uint32_t { kSpend, kSends, kOnce, kDone };

std::vector<StateDecl> crash_states() {
  std::vector<StateDecl> out = {budget_of("spend", BudgetPeriod::none), sum_within("sends", 86'400),
                                budget_of("once", BudgetPeriod::at_once), declare("done", StateKind::history)};
  out[kDone].verb = StateVerb::done;
  out[kDone].members = member_bit(StateMember::count);
  return out;
}

/// Opens the store and defines its states. @returns nullptr if that fails; for child processes too
std::unique_ptr<Store> open_crash_store(const std::string& directory, uint64_t compact_after) {
  StoreOptions options;
  options.full_sync = false;  // nobody cuts the power
  options.compact_after = compact_after;
  options.busy_wait = std::chrono::seconds(60);
  auto store = Store::open(directory, options);
  if (!store.ok()) return nullptr;
  return (*store)->define(crash_states()).ok() ? std::move(*store) : nullptr;
}

std::string worker_key(size_t worker) {
  std::string out;
  const std::string name = "worker " + std::to_string(worker);
  (void)append_key_part(out, Value::string(name));
  return out;
}

std::string common_key() {
  std::string out;
  (void)append_key_part(out, Value::string("all"));
  return out;
}

/// Begins and ends calls until it is killed. Each call counts for the worker, and for all of them.
[[noreturn]] void call_until_killed(const std::string& directory, size_t worker, uint64_t seed, int out) {
  std::mt19937_64 random(seed);
  const std::string keys[] = {worker_key(worker), common_key()};
  // Some write a snapshot in each turn.
  const uint64_t compact_after = random() % 2 == 0 ? 1 : 24;
  for (;;) {
    send_report(out, kOpens);
    const auto store = open_crash_store(directory, compact_after);
    if (store == nullptr) _exit(1);
    for (int i = 0; i < 8; ++i) {
      const unsigned amount = 1 + random() % 40;
      CallStart start{Id128::random(), false, {}, {}, {}};  // without a lease, which would end in a long test
      for (const std::string& key : keys) {
        start.uses.push_back({kSpend, key, amount});
        start.uses.push_back({kSends, key, amount});
        start.uses.push_back({kOnce, key, 1});
        start.uses.push_back({kDone, key, 0, false});
      }
      auto begun = store->begin(start, [&](auto, const Moment&) {
        send_report(out, kBegins, amount);
        return Verdict::proceed;
      });
      if (!begun.ok()) _exit(1);
      send_report(out, kBegun);
      const auto how = static_cast<Settlement::How>(random() % 3);
      const unsigned spent = random() % 60;
      send_report(out, kEnds, 4 * spent + how);
      std::vector<Settlement> settlements;
      for (uint32_t hold = 0; hold < 4; hold += 2)
        settlements.push_back({hold, how, how == Settlement::actual ? spent : 0});
      if (!store->finish(start.call, settlements, {{kDone, keys[0], 0}, {kDone, keys[1], 0}}).ok()) _exit(1);
      send_report(out, kEnded);
    }
  }
}

/// What one key's share is, by the reports.
struct Share {
  uint64_t begun = 0, done = 0, open = 0;
  Amount sum = 0, used = 0;
  bool operator==(const Share&) const = default;
};

Share operator+(const Share& a, const Share& b) {
  return {a.begun + b.begun, a.done + b.done, a.open + b.open, a.sum + b.sum, a.used + b.used};
}

Share begin_in(Share share, Amount amount) {
  ++share.begun, ++share.open;
  share.sum += amount, share.used += amount;
  return share;
}

Share end_in(Share share, Amount amount, unsigned how, unsigned spent) {
  ++share.done, --share.open;
  if (how == Settlement::release) share.used -= amount;
  if (how == Settlement::actual) share.used += static_cast<Amount>(spent) - amount;
  return share;
}

/// A process, and what it has said.
struct Worker {
  pid_t process = -1;
  int in = -1;
  std::chrono::steady_clock::time_point dies;
  bool killed = false;
  std::string said;
};

/// What a killed process has certainly done, and what it may have done in its last turn.
struct Traces {
  Share certain, possible;
  char last = 0;
};

Traces read_traces(const std::string& said, const Share& before) {
  Traces out{before, before, 0};
  Amount amount = 0;
  // A pipe takes two bytes at once or not at all.
  for (size_t at = 0; at + 1 < said.size(); at += 2) {
    const auto number = static_cast<unsigned char>(said[at + 1]);
    out.last = said[at];
    if (out.last == kBegins) {
      amount = number;
      out.possible = begin_in(out.certain, amount);
    }
    if (out.last == kEnds) out.possible = end_in(out.certain, amount, number % 4, number / 4);
    if (out.last == kBegun || out.last == kEnded) out.certain = out.possible;
  }
  return out;
}

Share read_share(Store& store, const std::string& key) {
  const Reading sends = read_one(store, kSends, key), done = read_one(store, kDone, key);
  const Reading once = read_one(store, kOnce, key);
  EXPECT_TRUE(once.used == static_cast<Amount>(sends.running)) << "open calls hold what they took";
  EXPECT_EQ(done.running, sends.running);
  return {sends.count, done.count, sends.running, sends.sum, read_one(store, kSpend, key).used};
}

/// One directory, and the processes that are killed while they use it.
class CrashTrial {
 public:
  explicit CrashTrial(test::Torture& torture) : torture_(torture) {
    EXPECT_NE(open_crash_store(directory_.path(), 64), nullptr);
  }

  /// Two processes run at once, and each is killed at a moment of its own.
  void round() {
    std::array<Worker, 2> workers;
    for (Worker& worker : workers)
      ASSERT_NO_FATAL_FAILURE(start(worker, static_cast<size_t>(&worker - workers.data())));
    listen_and_kill(workers);
    const auto store = open_crash_store(directory_.path(), 64);
    ASSERT_NE(store, nullptr);
    Share all;
    for (size_t i = 0; i < workers.size(); ++i) {
      SCOPED_TRACE("worker " + std::to_string(i));
      const Traces traces = read_traces(workers[i].said, shares_[i]);
      const Share is = read_share(*store, worker_key(i));
      EXPECT_TRUE(is == traces.certain || is == traces.possible)
          << is.begun << " begun and " << is.done << " done, but " << traces.certain.begun << " and "
          << traces.certain.done << " were reported; the last report is " << traces.last;
      shares_[i] = is;
      all = all + is;
      torture_.count("kills");
      if (traces.last == kOpens) torture_.count("kills while rebuilding");
      if (traces.last == kBegins) torture_.count("kills while reserving");
      if (traces.last == kEnds) torture_.count("kills while settling");
    }
    EXPECT_TRUE(read_share(*store, common_key()) == all) << "all of a turn is in force or nothing of it";
  }

 private:
  void start(Worker& worker, size_t number) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const uint64_t seed = torture_.below(1u << 30);
    worker.process = fork();
    ASSERT_GE(worker.process, 0);
    if (worker.process == 0) {
      close(ends[0]);
      call_until_killed(directory_.path(), number, seed, ends[1]);
    }
    close(ends[1]);
    worker.in = ends[0];
    worker.dies = std::chrono::steady_clock::now() + std::chrono::microseconds(1000 + torture_.below(60'000));
  }

  /// Reads all the time, because a full pipe would stop a process between two turns.
  static void listen_and_kill(std::array<Worker, 2>& workers) {
    for (size_t ended = 0; ended < workers.size();) {
      for (Worker& worker : workers) {
        if (worker.in < 0) continue;
        if (!worker.killed && std::chrono::steady_clock::now() >= worker.dies) {
          kill(worker.process, SIGKILL);
          worker.killed = true;
        }
        pollfd ready{worker.in, POLLIN, 0};
        if (poll(&ready, 1, 1) <= 0) continue;
        char buffer[4096];
        const ssize_t got = read(worker.in, buffer, sizeof(buffer));
        if (got > 0) {
          worker.said.append(buffer, static_cast<size_t>(got));
          continue;
        }
        close(worker.in);
        worker.in = -1;
        ++ended;
        int status = 0;
        EXPECT_EQ(waitpid(worker.process, &status, 0), worker.process);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended by itself: " << status;
      }
    }
  }

  test::Torture& torture_;
  TemporaryDirectory directory_;
  std::array<Share, 2> shares_;  // by worker
};

TEST(StateCrash, KilledProcessesLeaveWhatTheyReported) {
  test::Torture torture(kill_rounds(), std::random_device{}());
  while (goes_on_killing(torture)) {
    SCOPED_TRACE(torture.where());
    CrashTrial trial(torture);
    for (uint64_t i = 0; i < kKillsOfOneState / 2 && !::testing::Test::HasFailure(); ++i) trial.round();
  }
  EXPECT_GT(torture.counted("kills"), 0u);
}

// Each call takes 1 and spends 2.
constexpr const char* kPayments = R"(
capability pay { effect irreversible; input { n: int } output { spent: int } }
history paid    = begun pay sum input.n by tenant within 24h;
history settled = done  pay sum output.spent by tenant within 24h;
budget spend = 1000000 by tenant each month { take input.n on pay; settle output.spent; }
budget slots = 1000 by tenant at once { take 1 on pay; }
policy payments on before pay {
  deny many when paid.sum > 1000000 || settled.sum > 1000000;
  deny over when spend.left < 0 || slots.left < 0;
  allow rest;
}
)";

constexpr uint64_t kCallers = 3;

[[noreturn]] void pay_until_killed(const std::shared_ptr<const Program>& program, const RuntimeOptions& options) {
  auto runtime = Runtime::open(program, options);
  if (!runtime.ok()) _exit(1);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kCallers; ++i) {
    threads.emplace_back([&] {
      const Document input = *Document::parse(R"({"n": 1})"), output = *Document::parse(R"({"spent": 2})");
      for (;;) {
        auto outcome = runtime->call("pay", input, [&](const Value&) -> Result<Document> { return output; });
        if (!outcome.has_value()) _exit(2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  _exit(3);
}

/// What the records of all processes say together.
struct Recorded {
  uint64_t intents = 0, outcomes = 0;
  std::set<int64_t> sequences;  ///< of the changes
  std::set<int64_t> counts;     ///< that calls read of `paid`, each with itself
};

const Value* field_of(const Value& map, std::string_view name) {
  return map.is(Kind::map) ? map_find(*map.map, name) : nullptr;
}

Recorded read_recorded(const std::vector<AuditRecord>& records) {
  Recorded out;
  for (const AuditRecord& record : records) {
    if (record.kind != RecordKind::intent && record.kind != RecordKind::outcome) continue;
    const Value* sequence = field_of(record.state.root(), "sequence");
    if (sequence == nullptr) {
      ADD_FAILURE() << "a record without the number of its change: " << to_json(record);
      continue;
    }
    EXPECT_TRUE(out.sequences.insert(sequence->i).second) << "two records of one change: " << sequence->i;
    if (record.kind == RecordKind::outcome) {
      ++out.outcomes;
      continue;
    }
    ++out.intents;
    const Value* reads = field_of(record.state.root(), "reads");
    for (const Value& read : reads != nullptr ? reads->as_list() : std::span<const Value>()) {
      const Value* state = field_of(read, "state");
      const Value* count = field_of(read, "count");
      if (state == nullptr || count == nullptr || state->as_text() != "paid") continue;
      EXPECT_TRUE(out.counts.insert(count->i).second) << "two calls read the same: " << count->i;
    }
  }
  return out;
}

/// Compares the file with the records after some processes were killed, each with up to kCallers calls on its way.
void expect_recorded(const testing::Bench& bench, uint64_t kills, bool waits_for_outcomes) {
  auto inspection = inspect_state(bench.options.database);
  ASSERT_TRUE(inspection.ok()) << inspection.error().message;
  Ledger& ledger = inspection->ledger;
  const std::string key = key_of("acme");
  const auto read = [&](const char* name) {
    for (uint32_t i = 0; i < ledger.states.size(); ++i) {
      if (ledger.states[i].definition.name == name) return read_state(ledger, i, key, {}, ledger.timeline.last, 0);
    }
    ADD_FAILURE() << "there is no " << name;
    return Reading{};
  };
  const Reading paid = read("paid"), settled = read("settled"), spend = read("spend"), slots = read("slots");
  EXPECT_EQ(paid.running, paid.count - settled.count) << "what has begun has ended or is open";
  EXPECT_TRUE(slots.used == static_cast<Amount>(paid.running));
  EXPECT_TRUE(paid.sum == static_cast<Amount>(paid.count));
  EXPECT_TRUE(settled.sum == static_cast<Amount>(2 * settled.count));
  EXPECT_TRUE(spend.used == static_cast<Amount>(paid.running + 2 * settled.count));

  const Recorded recorded = read_recorded(bench.read_records());
  const uint64_t on_their_way = kCallers * kills;
  EXPECT_GE(paid.count, recorded.intents) << "no record says more than the state";
  EXPECT_LE(paid.count, recorded.intents + on_their_way);
  EXPECT_GE(settled.count, recorded.outcomes);
  if (waits_for_outcomes) {
    EXPECT_LE(settled.count, recorded.outcomes + on_their_way);
  }
  if (recorded.intents == 0) return;
  EXPECT_LE(*recorded.sequences.rbegin(), static_cast<int64_t>(ledger.sequence));
  EXPECT_EQ(recorded.counts.size(), recorded.intents);
  EXPECT_LE(*recorded.counts.rbegin(), static_cast<int64_t>(paid.count));
}

TEST(StateCrash, StateIsWhatTheRecordsOfKilledProcessesSay) {
  const auto program = testing::compile_text(kPayments);
  test::Torture torture(kill_rounds(), std::random_device{}());
  while (goes_on_killing(torture)) {
    SCOPED_TRACE(torture.where());
    testing::Bench bench;
    bench.options.tenant = "acme";
    const bool waits = torture.rounds() % 2 == 0;
    bench.options.audit.durability = waits ? Durability::sync : Durability::group;
    // The file exists before anything is killed.
    ASSERT_EQ(bench.open(program).call("pay", testing::json(R"({"n": 1})"), bench.tool(R"({"spent": 2})")).has_value(),
              true);
    for (uint64_t kills = 1; kills <= kKillsOfOneState && !::testing::Test::HasFailure(); ++kills) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) pay_until_killed(program, bench.options);
      usleep(static_cast<useconds_t>(5'000 + torture.below(80'000)));
      kill(child, SIGKILL);
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended by itself: " << status;
      expect_recorded(bench, kills, waits);
      torture.count("kills");
    }
  }
  EXPECT_GT(torture.counted("kills"), 0u);
}

}  // namespace
}  // namespace ordain::state
