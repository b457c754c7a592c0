// These tests cover what operators see of the state of a directory, and the reset of one key.
#include "runtime/state/inspect.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "ordain/audit.h"
#include "tests/unit/runtime/state/state_support.h"
#include "tests/unit/runtime/support.h"

namespace ordain::state {
namespace {

using ordain::testing::TemporaryDirectory;

/// A directory in which a call of ann runs that uses each kind of state.
struct InspectBench {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
  const Id128 call = Id128::random();

  explicit InspectBench(bool keyed_by_field = false) {
    StateDecl sends = sum_within("sends", 3600);
    if (keyed_by_field) sends.keys = {KeySource::path};
    auto opened = Store::open(directory.path(), StoreOptions());
    EXPECT_TRUE(opened.ok());
    store = std::move(*opened);
    const std::vector<StateDecl> states = {sends, rate_of("fetches", 1, 60, 1),
                                           budget_of("shells", BudgetPeriod::at_once)};
    EXPECT_TRUE(store->define(states).ok());
    const std::string key = key_of("ann");
    const CallStart start{call, true, {{0, key, 5}, {1, key, 0}, {2, key, 1}}, {}, {}};
    EXPECT_TRUE(store->begin(start, always_proceed).ok());
  }
  Inspection inspect() const {
    auto found = inspect_state(directory.path());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return std::move(*found);
  }
  Result<void> reset(const std::string& because = "a mistake", const std::string& by = "bob") const {
    const Inspection now = inspect();
    return reset_share(directory.path(), now, {0, key_of("ann"), because, by});
  }
  AuditRecord last_record() const {
    auto log = AuditLog::open(directory.path());
    EXPECT_TRUE(log.ok());
    auto records = log->tail(1);
    EXPECT_EQ(records->size(), 1U);
    return records->at(0);
  }
};

TEST(Inspect, SaysWhatIsHeldForEachKey) {
  const InspectBench bench;
  Inspection now = bench.inspect();
  ASSERT_EQ(now.ledger.states.size(), 3U);
  const auto sends = list_shares(now, 0), fetches = list_shares(now, 1), shells = list_shares(now, 2);
  ASSERT_EQ(sends.size(), 1U);
  EXPECT_EQ(describe_key(sends[0].key), "ann");
  EXPECT_EQ(sends[0].count, 1U);
  EXPECT_EQ(sends[0].running, 1U);
  EXPECT_TRUE(sends[0].amount == 5);
  ASSERT_TRUE(sends[0].last_ns && sends[0].frees_ns);
  EXPECT_EQ(*sends[0].frees_ns - *sends[0].last_ns, 3600 * kSecondNs);
  ASSERT_EQ(fetches.size(), 1U);
  ASSERT_TRUE(fetches[0].frees_ns);
  EXPECT_GT(*fetches[0].frees_ns, now.now.wall);
  EXPECT_LE(*fetches[0].frees_ns, now.now.wall + 60 * kSecondNs);
  ASSERT_EQ(shells.size(), 1U);
  EXPECT_EQ(shells[0].running, 1U);
  EXPECT_TRUE(shells[0].amount == 1);
}

TEST(Inspect, ChangesNothing) {
  const InspectBench bench;
  const uint64_t before = bench.inspect().ledger.sequence;
  EXPECT_EQ(bench.inspect().ledger.sequence, before);
  const TemporaryDirectory empty;
  EXPECT_EQ(inspect_state(empty.path()).error().code, "no_database");
  EXPECT_TRUE(std::filesystem::is_empty(empty.path()));
}

TEST(Inspect, AResetForgetsOneShareAndIsRecorded) {
  const InspectBench bench;
  ASSERT_TRUE(bench.reset().ok());
  Inspection now = bench.inspect();
  const auto sends = list_shares(now, 0);
  ASSERT_EQ(sends.size(), 1U) << "the call runs on";
  EXPECT_EQ(sends[0].count, 0U);
  EXPECT_EQ(sends[0].running, 1U);
  EXPECT_FALSE(sends[0].last_ns);
  EXPECT_EQ(list_shares(now, 2).size(), 1U) << "another state";
  const AuditRecord record = bench.last_record();
  EXPECT_EQ(record.kind, RecordKind::act);
  EXPECT_EQ(record.type, "reset");
  EXPECT_EQ(record.target, "sends");
  EXPECT_EQ(record.description, "ann");
  EXPECT_EQ(record.principal, "bob");
  EXPECT_EQ(record.reason, "a mistake");
  ASSERT_TRUE(bench.store->finish(bench.call, {}, {}).ok());
  Inspection later = bench.inspect();
  EXPECT_TRUE(list_shares(later, 0).empty());
}

TEST(Inspect, AFieldOfACallIsRecordedAsADigest) {
  const InspectBench bench(true);
  ASSERT_TRUE(bench.reset().ok());
  const AuditRecord record = bench.last_record();
  EXPECT_TRUE(record.description.starts_with("secret:")) << record.description;
  EXPECT_EQ(to_json(record).find("ann"), std::string::npos);
}

TEST(Inspect, AResetNeedsAReasonAndAName) {
  const InspectBench bench;
  EXPECT_EQ(bench.reset("", "bob").error().code, "invalid_reset");
  EXPECT_EQ(bench.reset("why", "").error().code, "invalid_reset");
  EXPECT_EQ(bench.reset("\xff", "bob").error().code, "invalid_reset");
  const Inspection now = bench.inspect();
  EXPECT_EQ(reset_share(bench.directory.path(), now, {9, key_of("ann"), "why", "bob"}).error().code, "bad_state");
  EXPECT_FALSE(std::filesystem::exists(bench.directory.path() + "/audit.db"));
}

}  // namespace
}  // namespace ordain::state
