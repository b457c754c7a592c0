// These tests cover an approvals.db of an earlier version: all its rows are kept, none can be approved or used, and new
// requests work.
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "runtime/sqlite/sqlite.h"
#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;

using testing::Bench;
using testing::kNoon;

constexpr const char* kFixtureId = "37df38ee7c177072e5b2f0e4dc716f17";  // the open request of the fixture

/// A directory with the file of the earlier version.
struct EarlierBench : Bench {
  EarlierBench() {
    fs::create_directories(options.database);
    fs::copy(fs::path(ORDAIN_SOURCE_DIR) / "tests/versions/fixtures/approvals-2/approvals.db", file());
    fs::permissions(file(), fs::perms::owner_read | fs::perms::owner_write);
  }
  std::string file() const { return options.database + "/approvals.db"; }

  void sql(const std::string& text) const {
    auto database = sqlite::Database::open(file(), sqlite::Database::Open::read_write, std::chrono::seconds(5));
    ASSERT_TRUE(database.ok()) << database.error().message;
    auto done = database->execute(text);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  /// Adds a request in this state, with an id that ends in its number.
  void add_request(int state) const {
    sql("INSERT INTO approvals (id, binding, state, capability, input, resource, agent, principal, tenant, "
        "environment, "
        "session, rule, reason, rules, groups, action, created, expires) SELECT printf('%032x', " +
        std::to_string(state) + "), randomblob(32), " + std::to_string(state) +
        ", capability, input, resource, agent, principal, tenant, environment, session, rule, reason, rules, groups, "
        "action, created + 1, expires FROM approvals WHERE id = '" +
        kFixtureId + "'");
  }
  std::string bytes() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

std::map<std::string, ApprovalState> states_in(const ApprovalStore& store) {
  std::map<std::string, ApprovalState> out;
  auto all = store.list(std::nullopt, kNoon);
  EXPECT_TRUE(all.ok()) << all.error().message;
  if (!all.ok()) return out;
  for (const Approval& approval : *all) {
    EXPECT_FALSE(approval.altered) << approval.id;
    out.emplace(approval.id.substr(28), approval.state);
  }
  return out;
}

TEST(EarlierApprovals, KeepTheirHistoryAndOpenOnesAreOver) {
  EarlierBench bench;
  for (int state = 1; state <= 4; ++state) bench.add_request(state);
  bench.sql(std::string("INSERT INTO votes (approval, approves, grp, approver, note, time, key, signature) VALUES ('") +
            kFixtureId + "', 1, 'team-lead', 'ann', 'fine', 7, 0, x'')");
  const std::map<std::string, ApprovalState> expected = {
      {"6f17", ApprovalState::earlier}, {"0001", ApprovalState::earlier},  {"0002", ApprovalState::rejected},
      {"0003", ApprovalState::expired}, {"0004", ApprovalState::consumed},
  };
  const std::string before = bench.bytes();
  {
    auto reader = ApprovalStore::open(bench.options.database, OpenMode::read_only);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    EXPECT_EQ(states_in(*reader), expected);
    EXPECT_FALSE(reader->create_grant({.capability = "pay", .until_ns = kNoon + 1, .granted_by = "ann"}, kNoon).ok())
        << "nothing may be lost in a copy";
  }
  EXPECT_EQ(bench.bytes(), before);
  for (int opened = 0; opened < 2; ++opened) {
    auto runtime = bench.open();
    EXPECT_EQ(states_in(runtime.approvals()), expected) << opened;
    auto shown = runtime.approvals().show(kFixtureId, kNoon);
    ASSERT_TRUE(shown.ok()) << shown.error().message;
    EXPECT_EQ(shown->input, R"({"amount_usd":250.0,"customer_id":"c-17"})");
    ASSERT_EQ(shown->votes.size(), 1u);
    EXPECT_EQ(shown->votes[0].approver, "ann");
    EXPECT_NE(describe(*shown).find("it cannot be approved"), std::string::npos) << describe(*shown);
    for (const char* id : {kFixtureId, "00000000000000000000000000000001"}) {
      for (const bool approves : {true, false}) {
        auto voted = approves ? runtime.approvals().approve(id, "ann", "team-lead", "", kNoon)
                              : runtime.approvals().reject(id, "ann", "team-lead", "", kNoon);
        ASSERT_FALSE(voted.ok()) << id;
        EXPECT_EQ(voted.error().code, "not_pending");
        EXPECT_NE(voted.error().message.find("from an earlier version"), std::string::npos) << voted.error().message;
      }
    }
  }
}

TEST(EarlierApprovals, EveryStateHasANameThatIsReadAgain) {
  for (int number = 0; number <= static_cast<int>(ApprovalState::earlier); ++number) {
    const auto state = static_cast<ApprovalState>(number);
    EXPECT_EQ(parse_approval_state(to_string(state)), state);
  }
  EXPECT_EQ(parse_approval_state("earlier"), ApprovalState::earlier);
  EXPECT_EQ(parse_approval_state("later"), std::nullopt);
}

TEST(EarlierApprovals, NewRequestsWorkAndGrantsHold) {
  EarlierBench bench;
  {
    auto runtime = bench.open();
    auto waits = bench.pay(runtime, 600);
    ASSERT_NE(waits.pending(), nullptr) << waits.describe();
    ASSERT_TRUE(runtime.approvals().approve(waits.pending()->approval_id, "ann", "finance", "", kNoon).ok());
    EXPECT_TRUE(bench.pay(runtime, 600).has_value());
    EXPECT_EQ(*bench.runs, 1);
  }
  EarlierBench granted;
  granted.sql(
      "INSERT INTO grants (id, capability, scope, agent, principal, tenant, environment, session, granted_by, note, "
      "starts, ends, created, key, signature) VALUES ('00112233445566778899aabbccddeeff', 'pay', '', 'teller', '', '', "
      "'', '', 'ann', '', 0, 9000000000000000000, 0, 0, x'')");
  auto runtime = granted.open();
  EXPECT_EQ(runtime.approvals().grants(kNoon)->size(), 1u);
  EXPECT_TRUE(granted.pay(runtime, 600).has_value());
}

TEST(EarlierApprovals, ProcessesMayUpgradeAtOnce) {
  EarlierBench bench;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&bench] {
      auto store = ApprovalStore::open(bench.options.database, OpenMode::existing);
      ASSERT_TRUE(store.ok()) << store.error().message;
      EXPECT_EQ(states_in(*store).size(), 1u);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(EarlierApprovals, AFileWithForeignTablesIsLeftAlone) {
  EarlierBench bench;
  bench.sql("CREATE TABLE planted (x)");
  const std::string before = bench.bytes();
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::read_write, OpenMode::existing}) {
    auto store = ApprovalStore::open(bench.options.database, mode);
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(store.error().code, "database_corrupt") << store.error().message;
    EXPECT_EQ(bench.bytes(), before);
  }
}

}  // namespace
}  // namespace ordain
