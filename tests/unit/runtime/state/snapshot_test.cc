// These tests cover the bytes of state: a snapshot comes back as it was, ops rebuild what they made,
// and hostile bytes are refused or harmless.
#include "runtime/state/snapshot.h"

#include <random>

#include "ordain/digest.h"
#include "tests/unit/runtime/state/state_support.h"

namespace ordain::state {
namespace {

struct Sample {
  SetClock clock;
  std::vector<std::string> ops;
  std::unique_ptr<Store> store;

  StoreOptions options(bool observed) {
    StoreOptions out;
    out.clock = clock.reader();
    if (observed) out.observe = [this](std::string_view op) { ops.emplace_back(op); };
    return out;
  }

  /// A store with a bit of everything.
  Sample() {
    store = local_store(options(true));
    const StateDecl states[] = {count_within("counts", 60, 2),
                                sum_within("sums", 60),
                                rate_of("rate", 3, 60, 2),
                                budget_of("once", BudgetPeriod::at_once),
                                budget_of("daily", BudgetPeriod::day),
                                declare("ever", StateKind::history)};
    EXPECT_TRUE(store->define(states).ok());
    for (const char* name : {"ann", "bob"}) {
      for (int i = 0; i < 4; ++i) {
        CallStart start{Id128::random(), i % 2 == 0, {}, {}, {}};
        for (uint32_t state = 0; state < 6; ++state) start.uses.push_back({state, key_of(name), Amount{i + 1}});
        EXPECT_TRUE(store->begin(start, always_proceed).ok());
        if (i == 1) {
          EXPECT_TRUE(store->finish(start.call, {{0, Settlement::actual, 9}}, {{0, key_of(name), 0}}).ok());
        }
        clock.pass(kSecondNs);
      }
    }
    const StateDecl filled = sum_within("filled", 60);
    const int64_t wall = clock.now->wall_ns;
    const StatePast past{&filled, wall - 30 * kSecondNs, {{key_of("ann"), wall - 5 * kSecondNs, 7}}};
    EXPECT_TRUE(store->fill({&past, 1}).ok());
    EXPECT_TRUE(store->start_session("child", "parent").ok());
    EXPECT_TRUE(store->raise("child", 3, {17, 4, 99}).ok());
    EXPECT_TRUE(store->clear("parent", 1).ok());
    EXPECT_TRUE(store->renew().ok());
    clock.reboot(5 * kSecondNs);
    EXPECT_TRUE(store->note({{1, key_of("cyd"), 5}}).ok());
  }

  std::string save() const {
    auto out = store->save();
    EXPECT_TRUE(out.ok());
    return *out;
  }
};

/// @returns `bytes` with the digest that they should end with
std::string sign(std::string bytes) {
  const Digest digest = sha256(std::string_view(bytes).substr(0, bytes.size() - sizeof(Digest)));
  bytes.replace(bytes.size() - digest.size(), digest.size(), reinterpret_cast<const char*>(digest.data()),
                digest.size());
  return bytes;
}

TEST(StateSnapshot, ComesBackAsItWas) {
  Sample sample;
  const std::string bytes = sample.save();
  auto ledger = load_ledger(bytes, Limits{});
  ASSERT_TRUE(ledger.ok()) << ledger.error().message;
  EXPECT_EQ(ledger->calls.size(), 6u);
  EXPECT_EQ(save_ledger(*ledger), bytes);
}

TEST(StateSnapshot, OpsRebuildWhatTheyMade) {
  Sample sample;
  auto again = local_store(sample.options(false));
  ASSERT_TRUE(again->replay(sample.ops).ok());
  auto rebuilt = again->save();
  ASSERT_TRUE(rebuilt.ok());
  EXPECT_EQ(*rebuilt, sample.save());
}

TEST(StateSnapshot, OpsComeBackFromTheirBytesAndOfNothingElse) {
  Sample sample;
  ASSERT_GT(sample.ops.size(), 15u);
  for (const std::string& bytes : sample.ops) {
    Op op;
    ASSERT_TRUE(decode_op(bytes, &op));
    EXPECT_EQ(encode_op(op), bytes);
    for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_op({bytes.data(), size}, &op));
    EXPECT_FALSE(decode_op(bytes + '\0', &op));
  }
}

TEST(StateSnapshot, DamageIsFound) {
  Sample sample;
  const std::string bytes = sample.save();
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    EXPECT_FALSE(load_ledger(damaged, Limits{}).ok()) << at;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(load_ledger({bytes.data(), size}, Limits{}).ok()) << size;
    if (size >= 64) {
      EXPECT_FALSE(load_ledger(sign(bytes.substr(0, size)), Limits{}).ok()) << size;
    }
  }
}

TEST(StateSnapshot, AnotherVersionIsNamed) {
  Sample sample;
  std::string bytes = sample.save();
  bytes[8] = 9;
  auto ledger = load_ledger(sign(bytes), Limits{});
  ASSERT_FALSE(ledger.ok());
  EXPECT_NE(ledger.error().message.find("version 9"), std::string::npos) << ledger.error().message;
}

/// A forged snapshot that is accepted must still be a ledger: everything can go on from it.
TEST(StateSnapshot, AcceptedForgeriesAreLedgers) {
  Sample sample;
  const std::string bytes = sample.save();
  std::mt19937 random(11);
  size_t accepted = 0;
  for (size_t at = 12; at + sizeof(Digest) < bytes.size(); ++at) {
    for (int change : {1, 0x80, static_cast<int>(1 + random() % 255)}) {
      std::string forged = bytes;
      forged[at] = static_cast<char>(forged[at] ^ change);
      auto ledger = load_ledger(sign(forged), Limits{});
      if (!ledger.ok()) continue;
      ++accepted;
      const std::string saved = save_ledger(*ledger);
      auto again = load_ledger(saved, Limits{});
      ASSERT_TRUE(again.ok()) << "byte " << at << ": " << again.error().message;
      EXPECT_EQ(save_ledger(*again), saved) << at;
      std::vector<Id128> open;
      for (const auto& [id, call] : again->calls) open.push_back(Id128{id});
      for (const Id128& call : open) {
        Op end;
        end.kind = OpKind::finish;
        end.call = call;
        end.sequence = again->sequence + 1;
        end.at = again->timeline.last;
        ASSERT_TRUE(apply_op(*again, end).ok()) << at;
      }
      for (const State& state : again->states) {
        for (const auto& [key, budget] : state.budgets) EXPECT_EQ(budget.open, 0u) << at;
        for (const auto& [key, history] : state.histories) EXPECT_EQ(history.running, 0u) << at;
      }
    }
  }
  EXPECT_GT(accepted, 100u) << "times and names can be changed";
}

/// Random bytes behind a true beginning, as ops of a file that somebody wrote.
TEST(StateSnapshot, ForgedOpsAreRefusedOrApplied) {
  Sample sample;
  auto start = load_ledger(sample.save(), Limits{});
  ASSERT_TRUE(start.ok());
  std::mt19937 random(5);
  for (const std::string& bytes : sample.ops) {
    for (int round = 0; round < 200; ++round) {
      Op op;
      ASSERT_TRUE(decode_op(bytes, &op));
      op.sequence = start->sequence + 1;
      op.at = start->timeline.last;
      std::string forged = encode_op(op);
      const size_t at = 25 + random() % (forged.size() - 25 + 1);
      if (at < forged.size()) forged[at] = static_cast<char>(random());
      if (!decode_op(forged, &op)) continue;
      auto ledger = load_ledger(save_ledger(*start), Limits{});
      ASSERT_TRUE(ledger.ok());
      if (!apply_op(*ledger, op).ok()) continue;
      auto saved = load_ledger(save_ledger(*ledger), Limits{});
      EXPECT_TRUE(saved.ok()) << saved.error().message;
    }
  }
}

}  // namespace
}  // namespace ordain::state
