// Holds docs/versioning.md: what an earlier build of the present formats wrote is still read. fixtures/ has programs
// of each version that must be readable, and so audit logs and approvals. With ORDAIN_UPDATE=1 those of
// the present version are written where there are none; existing ones are never replaced.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <ordain/approvals.h>
#include <ordain/audit.h>
#include <ordain/ordain.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "runtime/approvals/store.h"
#include "runtime/audit/fields.h"
#include "vm/program/format.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;

const fs::path kFixtures = fs::path(ORDAIN_SOURCE_DIR) / "tests/versions/fixtures";

/// Named from the root of the sources, because a program names its files as they were given.
Policies load_example() {
  fs::current_path(ORDAIN_SOURCE_DIR);
  return load_policies("examples/embed/policies");
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool may_write(const fs::path& path) { return std::getenv("ORDAIN_UPDATE") != nullptr && !fs::exists(path); }

Effect decide_refund(const std::shared_ptr<const Program>& program, double amount) {
  auto runtime = Runtime::open(program, {.agent = "support"});
  const std::string input = fmt::format(R"({{"customer_id": "c-17", "amount_usd": {}}})", amount);
  Arena arena;
  return runtime->evaluate("refund_customer", *parse_json(arena, input)).effect;
}

/// Writes a log and its approvals: an allowed call, a pending one and a denied one, signed at the end by a key that is
/// thrown away.
void write_database(const fs::path& directory) {
  fs::create_directories(directory);
  auto key = PrivateKey::generate("fixture.example");
  std::ofstream(directory / "audit.pub") << key->public_key().text() << "\n";
  auto policies = load_example();
  RuntimeOptions options{.agent = "support", .environment = "prod", .database = directory};
  options.audit.key = *key;
  auto runtime = Runtime::open(*policies, options);
  ASSERT_TRUE(runtime.ok());
  auto refund = runtime->wrap("refund_customer", {"customer_id", "amount_usd"},
                              [](const std::string& customer, double) { return "refunded " + customer; });
  for (double amount : {25.0, 250.0, 2500.0}) (void)refund("c-17", amount);
}

TEST(Versions, ProgramOfThePresentVersionLoads) {
  const fs::path file = kFixtures / fmt::format("program-{}.bin", format::kVersion);
  if (may_write(file)) std::ofstream(file, std::ios::binary) << load_example().program->serialise();
  const std::string bytes = read_file(file);
  ASSERT_FALSE(bytes.empty()) << file << " is missing: run this test with ORDAIN_UPDATE=1 and check the file in";
  auto program = Program::load(bytes, standard_library());
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_EQ((*program)->serialise(), bytes) << "a program has exactly one form; see docs/versioning.md";
  EXPECT_EQ(decide_refund(*program, 25), Effect::allow);
  EXPECT_EQ(decide_refund(*program, 250), Effect::require_approval);
  EXPECT_EQ(decide_refund(*program, 2500), Effect::deny);
}

TEST(Versions, ProgramOfAnotherVersionIsRefusedByName) {
  std::string bytes = read_file(kFixtures / fmt::format("program-{}.bin", format::kVersion));
  ASSERT_GT(bytes.size(), format::kMagic.size());
  bytes[format::kMagic.size()] = static_cast<char>(format::kVersion + 1);
  auto program = Program::load(bytes, standard_library());
  ASSERT_FALSE(program.ok());
  EXPECT_NE(program.error().message.find("version"), std::string::npos) << program.error().message;
}

/// The fixtures of released versions stay, so that their users are told what to do with theirs.
TEST(Versions, ProgramsOfEarlierVersionsAreRefusedByName) {
  for (uint32_t version = 3; version < format::kVersion; ++version) {
    const std::string bytes = read_file(kFixtures / fmt::format("program-{}.bin", version));
    ASSERT_FALSE(bytes.empty()) << version;
    auto program = Program::load(bytes, standard_library());
    ASSERT_FALSE(program.ok()) << version;
    EXPECT_EQ(program.error().code, "bad_program");
    for (uint32_t named : {version, format::kVersion}) {
      EXPECT_NE(program.error().message.find(fmt::format("{}", named)), std::string::npos) << program.error().message;
    }
  }
}

TEST(Versions, DatabaseOfThePresentVersionIsRead) {
  const fs::path directory = kFixtures / fmt::format("database-{}", int{detail::kRecordVersion});
  const fs::path approvals_of = kFixtures / fmt::format("approvals-{}", int{detail::kApprovalsVersion});
  if (may_write(directory)) {
    write_database(directory);
    for (const char* other : {"approvals.db", "secrets.key"}) fs::remove(directory / other);
  }
  if (may_write(approvals_of)) {
    write_database(approvals_of);
    for (const char* other : {"audit.db", "audit.pub", "secrets.key"}) fs::remove(approvals_of / other);
  }
  for (const fs::path& file : {directory / "audit.db", approvals_of / "approvals.db"}) {
    ASSERT_TRUE(fs::exists(file)) << file << " is missing: run this test with ORDAIN_UPDATE=1 and check the files in";
  }
  // SQLite writes beside the file that it reads, so a copy is read.
  const fs::path copy = fs::path(::testing::TempDir()) / fmt::format("ordain-database-{}", ::getpid());
  fs::create_directories(copy);
  for (const fs::path& from : {directory, approvals_of}) {
    fs::copy(from, copy, fs::copy_options::overwrite_existing | fs::copy_options::recursive);
  }
  {
    auto log = AuditLog::open(copy);
    ASSERT_TRUE(log.ok()) << log.error().message;
    auto key = PublicKey::load(copy / "audit.pub");
    ASSERT_TRUE(key.ok()) << key.error().message;
    auto verified = log->verify({.keys = {*key}});
    ASSERT_TRUE(verified.ok()) << verified.error().message;
    EXPECT_TRUE(verified->ok) << verified->problem;
    auto records = log->tail(10);
    ASSERT_TRUE(records.ok()) << records.error().message;
    std::string kinds;
    for (const AuditRecord& record : *records) kinds += fmt::format("{} {}; ", to_string(record.kind), record.rule);
    EXPECT_EQ(kinds, "intent refunds.small; outcome ; pending refunds.large; denied refunds.over_limit; ");
    auto store = ApprovalStore::open(copy, OpenMode::read_only);
    ASSERT_TRUE(store.ok()) << store.error().message;
    auto approvals = store->list(std::nullopt, 0);
    ASSERT_TRUE(approvals.ok()) << approvals.error().message;
    ASSERT_EQ(approvals->size(), 1u);
    EXPECT_EQ(approvals->front().capability, "refund_customer");
    EXPECT_EQ(approvals->front().state, ApprovalState::pending);
    EXPECT_FALSE(approvals->front().altered);
  }
  fs::remove_all(copy);
}

/// A directory of its own with copies of fixtures, because SQLite writes beside what it reads.
struct FixtureCopy {
  fs::path path;
  FixtureCopy(const std::string& name, const fs::path& from)
      : path(fs::path(::testing::TempDir()) / fmt::format("ordain-{}-{}", name, ::getpid())) {
    fs::create_directories(path);
    fs::copy(from, path, fs::copy_options::overwrite_existing | fs::copy_options::recursive);
  }
  ~FixtureCopy() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

TEST(Versions, ALogOfThePresentVersionGoesOn) {
  const FixtureCopy copy("log", kFixtures / fmt::format("database-{}", int{detail::kRecordVersion}));
  {
    auto policies = load_example();
    auto runtime = Runtime::open(*policies, {.agent = "support", .environment = "prod", .database = copy.path});
    ASSERT_TRUE(runtime.ok()) << runtime.error().message;
    auto refund = runtime->wrap("refund_customer", {"customer_id", "amount_usd"},
                                [](const std::string& customer, double) { return "refunded " + customer; });
    EXPECT_TRUE(refund("c-17", 25.0).has_value());
  }
  auto log = AuditLog::open(copy.path);
  ASSERT_TRUE(log.ok()) << log.error().message;
  auto verified = log->verify();
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_TRUE(verified->ok) << verified->problem;
  EXPECT_EQ(log->tail(100)->size(), 6u) << "four of the fixture, an intent and an outcome";
}

TEST(Versions, ApprovalsOfTheEarlierVersionAreShownAndNotUsed) {
  const FixtureCopy copy("approvals", kFixtures / "approvals-2");
  const std::string bytes = read_file(copy.path / "approvals.db");
  std::string id;
  {
    auto store = ApprovalStore::open(copy.path, OpenMode::read_only);
    ASSERT_TRUE(store.ok()) << store.error().message;
    auto approvals = store->list(std::nullopt, 0);
    ASSERT_TRUE(approvals.ok()) << approvals.error().message;
    ASSERT_EQ(approvals->size(), 1u);
    EXPECT_EQ(approvals->front().capability, "refund_customer");
    EXPECT_EQ(approvals->front().groups(), (std::vector<std::string>{"team-lead"}));
    EXPECT_EQ(to_string(approvals->front().state), "from an earlier version");
    EXPECT_FALSE(approvals->front().altered);
    id = approvals->front().id;
  }
  EXPECT_EQ(read_file(copy.path / "approvals.db"), bytes) << "reading changes nothing";
  auto policies = load_example();
  auto runtime = Runtime::open(*policies, {.agent = "support", .environment = "prod", .database = copy.path});
  ASSERT_TRUE(runtime.ok()) << runtime.error().message;
  auto refund = runtime->wrap("refund_customer", {"customer_id", "amount_usd"},
                              [](const std::string& customer, double) { return "refunded " + customer; });
  auto used = runtime->approvals().approve(id, "ann", "team-lead", "", runtime->now_ns());
  ASSERT_FALSE(used.ok());
  EXPECT_NE(used.error().message.find("from an earlier version"), std::string::npos) << used.error().message;
  auto waits = refund("c-17", 250.0);
  ASSERT_NE(waits.pending(), nullptr) << waits.describe();
  EXPECT_NE(waits.pending()->approval_id, id);
  auto approved = runtime->approvals().approve(waits.pending()->approval_id, "ann", "team-lead", "", runtime->now_ns());
  ASSERT_TRUE(approved.ok()) << approved.error().message;
  EXPECT_TRUE(refund("c-17", 250.0).has_value());
}

}  // namespace
}  // namespace ordain
