// These tests cover secret fields: the tool and the rules get their values, and nothing that is stored or shown does.
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;

using testing::Bench;
using testing::compile_text;
using testing::edited;
using testing::json;

constexpr const char* kVault = R"(
capability open_vault {
  type "tool";
  input {
    name: string, token: secret string, keys: optional(list(secret string)), headers: secret map(string, string),
    note: secret optional(string)
  }
  output { message: string, session: secret string }
}
policy vault on before open_vault {
  deny weak              when input.token == "weak" because "a weak token";
  deny lookup            when input.name == "lookup" && {"a": 1}[input.token] == 1;
  require_approval big   when input.name == "big" from "ops" because "the big vault";
  redact note input.note when has(input.note) with "***";
  allow;
}
policy released on after open_vault { deny leak when output.session == "bad" because "a bad session"; }
)";

constexpr const char* kOpen = R"({"name": "a", "token": "hunter2", "keys": ["hunter2", "key-two"],
  "headers": {"x": "hunter2", "y": "header-two"}})";
const std::vector<std::string> kValues = {"hunter2", "key-two", "header-two", "session-one"};

struct VaultBench : Bench {
  std::string seen;  ///< the input of the tool

  Outcome<Document> call(const Runtime& runtime, const std::string& input) {
    const Document output = json(R"({"message": "open", "session": "session-one"})");
    return runtime.call("open_vault", json(input), [&](const Value& given) -> Result<Document> {
      ++*runs;
      seen = to_json(given);
      return output;
    });
  }
};

std::string text_of(const Document& document, const std::string& name) {
  const Value* found = map_find(*document.root().map, name);
  return found != nullptr && found->is(Kind::string) ? std::string(found->as_text()) : "";
}

/// Searches all files of the directory for the values.
void expect_no_value(const std::string& directory) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    for (const std::string& value : kValues) EXPECT_EQ(bytes.find(value), std::string::npos) << entry.path() << value;
  }
}

TEST(Secrets, ReachTheToolAndNotTheRecord) {
  VaultBench bench;
  auto memory = std::make_shared<MemorySink>();
  bench.options.sinks = {memory};
  const auto runtime = bench.open(compile_text(kVault));
  const auto outcome = bench.call(runtime, kOpen);
  ASSERT_TRUE(outcome.has_value()) << outcome.describe();
  for (const char* value : {"hunter2", "key-two", "header-two"}) EXPECT_NE(bench.seen.find(value), std::string::npos);
  EXPECT_EQ(text_of(*outcome, "session"), "session-one");

  const auto records = bench.records(runtime);
  ASSERT_EQ(records.size(), 2u);
  const std::string digest = text_of(records[0].input, "token");
  EXPECT_EQ(digest.size(), std::string("secret:").size() + 16);
  EXPECT_TRUE(digest.starts_with("secret:")) << digest;
  EXPECT_EQ(digest.find_first_not_of("0123456789abcdef", 7), std::string::npos);
  EXPECT_EQ(text_of(records[0].input, "name"), "a");
  const Value* headers = map_find(*records[0].input.root().map, "headers");
  EXPECT_EQ(map_find(*headers->map, "x")->as_text(), digest) << "equal values have equal digests";
  EXPECT_NE(map_find(*headers->map, "y")->as_text(), digest);
  EXPECT_EQ(map_find(*records[0].input.root().map, "keys")->as_list()[0].as_text(), digest);
  EXPECT_EQ(records[0].redacted.size(), 5u) << "token, two keys, two headers";
  EXPECT_TRUE(text_of(records[1].output, "session").starts_with("secret:"));
  EXPECT_EQ(text_of(records[1].output, "message"), "open");
  for (const AuditRecord& record : memory->records()) {
    for (const std::string& value : kValues) EXPECT_EQ(to_json(record).find(value), std::string::npos) << value;
  }
  expect_no_value(bench.options.database);
}

TEST(Secrets, RulesReadTheirValues) {
  VaultBench bench;
  const auto runtime = bench.open(compile_text(kVault));
  const auto denied = bench.call(runtime, edited(kOpen, "\"hunter2\", \"keys", "\"weak\", \"keys"));
  ASSERT_NE(denied.denied(), nullptr) << denied.describe();
  EXPECT_EQ(denied.denied()->rule, "vault.weak");
  EXPECT_EQ(*bench.runs, 0);
  EXPECT_TRUE(text_of(bench.records(runtime).at(0).input, "token").starts_with("secret:"));
}

TEST(Secrets, OneDirectoryHasOneKey) {
  VaultBench bench, other;
  const auto digest_of = [](VaultBench& in) {
    const auto runtime = in.open(compile_text(kVault));
    EXPECT_TRUE(in.call(runtime, kOpen).has_value());
    const auto records = in.records(runtime);  // the last two are of this call: intent, outcome
    return text_of(records.at(records.size() - 2).input, "token");
  };
  const std::string first = digest_of(bench);
  EXPECT_EQ(first, digest_of(bench)) << "another process finds the key";
  EXPECT_NE(first, digest_of(other));
  const std::string key = bench.options.database + "/secrets.key";
  struct stat status{};
  ASSERT_EQ(::stat(key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  ASSERT_EQ(::chmod(key.c_str(), 0644), 0);
  const auto exposed = Runtime::open(compile_text(kVault), bench.options);
  ASSERT_FALSE(exposed.ok());
  EXPECT_EQ(exposed.error().code, "key_exposed");
}

TEST(Secrets, AnApprovalShowsDigestsAndIsBoundToTheValues) {
  VaultBench bench;
  const auto runtime = bench.open(compile_text(kVault));
  const std::string big = edited(kOpen, "\"a\"", "\"big\"");
  const auto first = bench.call(runtime, big);
  ASSERT_NE(first.pending(), nullptr) << first.describe();
  const std::string id = first.pending()->approval_id;
  auto shown = runtime.approvals().show(id, *bench.now);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_NE(shown->input.find("secret:"), std::string::npos) << shown->input;
  for (const std::string& value : kValues) EXPECT_EQ(to_json(*shown).find(value), std::string::npos) << value;
  ASSERT_TRUE(runtime.approvals().approve(id, "ann", "", "", *bench.now).ok());
  const auto other = bench.call(runtime, edited(big, "\"hunter2\", \"keys", "\"another\", \"keys"));
  ASSERT_NE(other.pending(), nullptr) << other.describe();
  EXPECT_NE(other.pending()->approval_id, id);
  EXPECT_EQ(*bench.runs, 0);
  const auto again = bench.open(compile_text(kVault));  // another process
  EXPECT_TRUE(bench.call(again, big).has_value());
  EXPECT_EQ(*bench.runs, 1);
  EXPECT_NE(bench.seen.find("hunter2"), std::string::npos);
  expect_no_value(bench.options.database);
}

TEST(Secrets, AValueOfAnotherShapeIsReplacedAsAWhole) {
  VaultBench bench;
  const auto runtime = bench.open(compile_text(kVault));
  const std::vector<std::string> inputs = {
      R"({"name": "a", "token": {"deep": ["hunter2"]}, "headers": {}})",
      R"({"name": "a", "token": "x", "headers": "hunter2"})",
      R"({"name": "a", "token": "x", "headers": {"x": {"y": "hunter2"}}})",
      R"({"name": "a", "token": "x", "headers": {}, "keys": {"k": "hunter2"}})",
      R"({"name": "a", "token": "x", "headers": {}, "keys": ["hunter2", ["key-two"]]})",
      R"("hunter2")",
      R"(["hunter2"])",
  };
  for (const std::string& input : inputs) {
    const auto outcome = bench.call(runtime, input);
    ASSERT_NE(outcome.denied(), nullptr) << input;
    EXPECT_EQ(outcome.denied()->code, "invalid_input") << input;
  }
  for (const AuditRecord& record : bench.records(runtime)) {
    EXPECT_EQ(to_json(record).find("hunter2"), std::string::npos) << to_json(record);
    EXPECT_NE(to_json(record).find("secret:"), std::string::npos) << to_json(record);
  }
  expect_no_value(bench.options.database);
}

// A fault shows the value that it is about, unless the capability has secrets.
TEST(Secrets, AFaultDoesNotShowThem) {
  VaultBench bench;
  const auto runtime = bench.open(compile_text(kVault));
  const auto outcome = bench.call(runtime, edited(kOpen, "\"a\"", "\"lookup\""));
  ASSERT_NE(outcome.denied(), nullptr) << outcome.describe();
  EXPECT_EQ(outcome.denied()->rule, "vault.lookup");
  EXPECT_NE(outcome.denied()->fault.find("no such key"), std::string::npos) << outcome.describe();
  EXPECT_EQ(outcome.describe().find("hunter2"), std::string::npos) << outcome.describe();
  ASSERT_TRUE(runtime.flush().ok());
  expect_no_value(bench.options.database);
}

TEST(Secrets, RedactionsComeFirst) {
  VaultBench bench;
  const auto runtime = bench.open(compile_text(kVault));
  const std::string noted = edited(kOpen, "\"a\",", "\"a\", \"note\": \"hunter2\",");
  ASSERT_TRUE(bench.call(runtime, noted).has_value());
  EXPECT_NE(bench.seen.find("\"note\":\"***\""), std::string::npos) << bench.seen;
  const auto intent = bench.records(runtime).at(0);
  EXPECT_EQ(text_of(intent.input, "note"), "***");
  EXPECT_TRUE(text_of(intent.input, "token").starts_with("secret:"));
}

TEST(Secrets, ObserveDoesNotSpreadThem) {
  VaultBench bench;
  bench.options.mode = Mode::observe;
  const auto runtime = bench.open(compile_text(kVault));
  ASSERT_TRUE(bench.call(runtime, edited(kOpen, "\"a\"", "\"big\"")).has_value());
  ASSERT_TRUE(runtime.flush().ok());
  expect_no_value(bench.options.database);
}

}  // namespace
}  // namespace ordain
