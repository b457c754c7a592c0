// These tests compare oracle, interpreter and native code on every policy of tests/policies and of
// the examples, and with what the files themselves expect.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "ordain/json.h"
#include "tests/support/annotations.h"
#include "tests/support/evaluators.h"

namespace ordain {
namespace {

const std::string kRoot = ORDAIN_SOURCE_DIR;

class PolicyFile : public testing::TestWithParam<std::string> {};

TEST_P(PolicyFile, SaysWhatItExpects) {
  const AnnotatedFile file = read_annotated(GetParam());
  auto source = std::make_shared<Source>(Source{std::filesystem::path(file.path).filename().string(), file.text()});
  auto compiled = compile_everywhere({source});
  const std::vector<std::string> diagnostics = codes(compiled->diagnostics);
  std::vector<std::string> verdicts;
  for (const Expectation& expectation : file.expectations) {
    verdicts.push_back(compiled->interpreted == nullptr ? "no program"
                                                        : decide_everywhere(*compiled, expectation.event));
  }
  if (std::getenv("ORDAIN_UPDATE") != nullptr) {
    update(file, verdicts, diagnostics);
    return;
  }
  EXPECT_EQ(diagnostics, file.diagnostics) << render(compiled->diagnostics);
  for (size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_EQ(verdicts[i], file.expectations[i].verdict)
        << file.path << ":" << file.expectations[i].event_line + 1 << ": " << file.expectations[i].event;
  }
  EXPECT_FALSE(file.expectations.empty() && file.diagnostics.empty()) << "the file expects nothing";
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::relative(info.param, kRoot + "/tests/policies").string();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Policies, PolicyFile, testing::ValuesIn(policy_files(kRoot + "/tests/policies")), test_name);

TEST(Examples, EvaluatorsAgreeOnTheBankingEvents) {
  auto compiled = compile_directory_everywhere(kRoot + "/examples/banking");
  ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
  std::ifstream events(kRoot + "/examples/banking/events.jsonl");
  std::string line;
  size_t count = 0;
  for (; std::getline(events, line); ++count) decide_everywhere(*compiled, line);
  EXPECT_GE(count, 15u);
}

// Real tool calls of agents: some that the user asked for, and some that injected instructions
// asked for.
struct Suite {
  const char* name;
  const char* policies;
  std::set<std::string> read_only;
};

class AgentDojo : public testing::TestWithParam<Suite> {};

TEST_P(AgentDojo, InjectionsAreStoppedAndUsersServed) {
  const std::string path = kRoot + "/../shared/data/agentdojo/events-" + GetParam().name + ".jsonl";
  std::ifstream events(path);
  if (!events) GTEST_SKIP() << "no events at " << path;
  auto compiled = compile_directory_everywhere(kRoot + "/examples/" + GetParam().policies);
  ASSERT_NE(compiled->interpreted, nullptr) << render(compiled->diagnostics);
  int injections = 0, user_changes = 0, user_approvals = 0;
  std::string line;
  while (std::getline(events, line)) {
    Arena arena;
    auto event = parse_json(arena, line);
    ASSERT_TRUE(event.ok()) << line;
    const auto text = [&](const char* key) { return std::string(map_find(*event->map, key)->as_text()); };
    const bool reads = GetParam().read_only.count(text("capability")) != 0;
    const std::string verdict = decide_everywhere(*compiled, line);
    const bool allowed = verdict.rfind("allow", 0) == 0;
    const bool asked = verdict.rfind("require_approval", 0) == 0;
    if (text("kind") == "injection") {
      if (reads) continue;
      ++injections;
      EXPECT_FALSE(allowed) << line << "\n" << verdict;
    } else {
      EXPECT_TRUE(allowed || (asked && !reads)) << line << "\n" << verdict;
      user_changes += reads ? 0 : 1;
      user_approvals += asked ? 1 : 0;
    }
  }
  EXPECT_GT(injections, 0);
  EXPECT_GT(user_changes, 0);
  EXPECT_LE(user_approvals * 3, user_changes);
}

INSTANTIATE_TEST_SUITE_P(Suites, AgentDojo,
                         testing::Values(Suite{"banking",
                                               "banking",
                                               {"get_iban", "get_balance", "get_most_recent_transactions",
                                                "get_scheduled_transactions", "read_file", "get_user_info"}},
                                         Suite{"slack",
                                               "workspace",
                                               {"get_channels", "read_channel_messages", "read_inbox",
                                                "get_users_in_channel", "get_webpage"}}),
                         [](const testing::TestParamInfo<Suite>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace ordain
