// These tests run PolicyWatcher on real files that are written, renamed, linked and removed, and
// check which policies stay in force meanwhile.
#include "ordain/watch.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// The tests run with the system's file events and without them.
class WatchTest : public ::testing::TestWithParam<bool> {
 protected:
  std::string path(const std::string& name) const { return (fs::path(folder_.path()) / name).string(); }

  // Writes in place if the system reports that a file was closed. A watcher that polls may see a
  // half-written file, so in that mode the file is replaced.
  void write(const std::string& name, const std::string& text) const {
    if (GetParam()) return replace(name, text);
    std::ofstream(path(name)) << text;
  }
  // Replaces a file as careful editors do.
  void replace(const std::string& name, const std::string& text) const {
    std::ofstream(path(name + "~")) << text;
    fs::rename(path(name + "~"), path(name));
  }
  static std::string rule(const std::string& name) {
    return "policy " + name + " on before * { deny " + name + " when true; }\n";
  }

  void watch(std::vector<std::string> paths, bool first = false) {
    for (std::string& each : paths) each = each.empty() ? folder_.path() : path(each);
    auto start = first ? nullptr : load_policies(paths).program;
    WatchOptions options{.debounce = milliseconds(20), .poll = milliseconds(30), .always_poll = GetParam()};
    auto tell = [this](const PolicyChange& change) {
      std::lock_guard lock(mutex_);
      changes_.push_back(change);
      arrived_.notify_all();
    };
    watcher_ = std::make_unique<PolicyWatcher>(paths, start, tell, options);
  }

  // @returns the rules of the next program; or "! " and the messages of one that was refused; "" if
  // none came within `wait`
  std::string next(milliseconds wait = milliseconds(20000)) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, wait, [&] { return !changes_.empty(); })) return "";
    const PolicyChange change = changes_.front();
    changes_.pop_front();
    if (change.program == nullptr) return "! " + change.messages;
    std::string out;
    for (const RuleInfo& info : change.program->rules()) out += (out.empty() ? "" : " ") + info.name;
    return out;
  }
  std::string nothing_more() { return next(milliseconds(250)); }

  testing::TemporaryDirectory folder_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<PolicyChange> changes_;
  std::unique_ptr<PolicyWatcher> watcher_;  // last: it stops before the other members are destroyed
};

TEST_P(WatchTest, AFileIsWrittenReplacedAndBroken) {
  write("a.policy", rule("one"));
  watch({"a.policy"});
  EXPECT_EQ(nothing_more(), "") << "what is in force is not told again";
  write("a.policy", rule("two"));
  EXPECT_EQ(next(), "two.two");
  replace("a.policy", rule("three"));
  EXPECT_EQ(next(), "three.three");
  replace("a.policy", "policy broken on before * { deny when 1 +; }\n");
  const std::string refused = next();
  EXPECT_EQ(refused.substr(0, 2), "! ");
  EXPECT_NE(refused.find("a.policy:1:"), std::string::npos) << refused;
  EXPECT_EQ(nothing_more(), "");
  write("a.policy", rule("four"));
  EXPECT_EQ(next(), "four.four");
  EXPECT_EQ(watcher_->polls(), GetParam());
}

TEST_P(WatchTest, ADataFileIsReplacedAndBroken) {
  write("a.policy",
        "let known = data \"a.csv\" of string;\npolicy p on before * { deny r when !(agent.id in known); }\n");
  replace("a.csv", "x\n");
  watch({""});
  EXPECT_EQ(nothing_more(), "");
  replace("a.csv", "x\ny\n");
  EXPECT_EQ(next(), "p.r");
  replace("a.csv", "x\nx\n");
  EXPECT_NE(next().find("a.csv:2:"), std::string::npos);
  replace("a.csv", "z\n");
  EXPECT_EQ(next(), "p.r");
}

TEST_P(WatchTest, ADataFileThatIsMissingMayCome) {
  write("a.policy", rule("one"));
  watch({""});
  replace("a.policy",
          "let known = data \"a.csv\" of string;\npolicy p on before * { deny r when !(agent.id in known); }\n");
  EXPECT_EQ(next().substr(0, 2), "! ");
  replace("a.csv", "x\n");
  EXPECT_EQ(next(), "p.r");
}

TEST_P(WatchTest, AFileIsNotReadWhileItIsWritten) {
  if (GetParam()) GTEST_SKIP() << "who polls cannot tell";
  write("a.policy", rule("one"));
  watch({"a.policy"});
  {
    std::ofstream half(path("a.policy"));
    half << rule("two") << std::flush;
    EXPECT_EQ(next(milliseconds(300)), "") << "a whole policy, but there may be more";
    half << rule("three");
  }
  EXPECT_EQ(next(), "two.two three.three");
}

TEST_P(WatchTest, AFileThatIsEmptiedToBeWrittenIsNotReadInBetween) {
  write("a.policy", rule("one"));
  watch({"a.policy"});
  std::ofstream emptied(path("a.policy"));  // at once, while the watcher looks for the first time
  EXPECT_EQ(next(milliseconds(300)), "");
  emptied << rule("two") << std::flush;
  emptied.close();
  EXPECT_EQ(next(), "two.two");
}

TEST_P(WatchTest, NoRuleAtAllIsNotPutInForce) {
  write("a.policy", rule("one"));
  watch({"a.policy"});
  replace("a.policy", "// all gone\n");
  EXPECT_NE(next().find("no rule any more"), std::string::npos);
  replace("a.policy", rule("two"));
  EXPECT_EQ(next(), "two.two");
}

TEST_P(WatchTest, ADirectoryGainsAndLosesFiles) {
  write("a.policy", rule("a"));
  watch({""});
  write("b.policy", rule("b"));
  EXPECT_EQ(next(), "a.a b.b");
  fs::create_directories(path("deep/er"));
  write("deep/er/c.policy", rule("c"));
  EXPECT_EQ(next(), "a.a b.b c.c");
  replace("deep/er/c.policy", rule("d"));
  EXPECT_EQ(next(), "a.a b.b d.d");
  write("notes.txt", "nothing to do with it");
  EXPECT_EQ(nothing_more(), "");
  fs::remove(path("b.policy"));
  EXPECT_EQ(next(), "a.a d.d");
  fs::remove_all(path("deep"));
  EXPECT_EQ(next(), "a.a");
  fs::remove(path("a.policy"));
  EXPECT_EQ(next().substr(0, 2), "! ") << "no rules at all is never what was meant";
  write("a.policy", rule("e"));
  EXPECT_EQ(next(), "e.e");
}

TEST_P(WatchTest, ABrokenSetMendedToWhatItWasIsNotToldAndBreaksAnew) {
  write("a.policy", rule("one"));
  watch({"a.policy"});
  write("a.policy", "policy");
  EXPECT_EQ(next().substr(0, 2), "! ");
  write("a.policy", rule("one"));
  EXPECT_EQ(nothing_more(), "");
  write("a.policy", "policy");
  EXPECT_EQ(next().substr(0, 2), "! ");
}

TEST_P(WatchTest, LinksAndTheirTargets) {
  fs::create_directories(path("v1"));
  fs::create_directories(path("v2"));
  write("v1/x.policy", rule("first"));
  write("v2/x.policy", rule("second"));
  fs::create_directory_symlink("v1", path("current"));
  fs::create_directories(path("watched"));
  fs::create_symlink("../current/x.policy", path("watched/x.policy"));
  watch({"watched"});
  write("v1/x.policy", rule("changed"));
  EXPECT_EQ(next(), "changed.changed") << "the target was written";
  fs::create_directory_symlink("v2", path("next"));
  fs::rename(path("next"), path("current"));
  EXPECT_EQ(next(milliseconds(4000)), "second.second") << "a link on the way was replaced, as deployments do it";
  write("v1/x.policy", rule("third"));
  fs::remove(path("watched/x.policy"));
  fs::create_symlink("../v1/x.policy", path("watched/x.policy~"));
  fs::rename(path("watched/x.policy~"), path("watched/x.policy"));
  EXPECT_EQ(next(), "third.third") << "the link was replaced";
}

TEST_P(WatchTest, LinkedDirectoriesAreWatched) {
  fs::create_directories(path("v1/deep"));
  fs::create_directories(path("v2"));
  fs::create_directories(path("watched"));
  write("watched/a.policy", rule("a"));
  write("v1/deep/x.policy", rule("first"));
  write("v2/x.policy", rule("second"));
  fs::create_directory_symlink("../v1", path("watched/linked"));
  fs::create_directory_symlink("..", path("v1/deep/circle"));
  watch({"watched"});
  write("v1/deep/x.policy", rule("changed"));
  EXPECT_EQ(next(), "a.a changed.changed") << "a file behind the link was written";
  write("v1/y.policy", rule("more"));
  EXPECT_EQ(next(), "a.a changed.changed more.more");
  fs::create_directory_symlink("../v2", path("next"));  // leads to v2 from where it is moved
  fs::rename(path("next"), path("watched/linked"));
  EXPECT_EQ(next(milliseconds(4000)), "a.a second.second") << "the link was replaced";
}

TEST_P(WatchTest, ImportsAreWatchedToo) {
  write("shared.policy", "package shared;\nlet limit = 1;\n");
  write("main.policy",
        "package main;\nimport shared;\ncapability pay { input { n: int } }\n"
        "policy p on before pay { deny big when input.n > shared.limit; }\n");
  watch({"main.policy"});
  ASSERT_EQ(nothing_more(), "");
  write("shared.policy", "package shared;\nlet limit = 2;\n");
  EXPECT_EQ(next(), "p.big");
  write("shared.policy", "package shared;\nlet limit = ;\n");
  EXPECT_NE(next().find("shared.policy:2:"), std::string::npos);
  write("shared.policy", "package shared;\nlet limit = 3;\n");
  EXPECT_EQ(next(), "p.big");
}

TEST_P(WatchTest, TheFirstProgramIsToldWhereThereIsNone) {
  write("a.policy", "policy");
  watch({"a.policy"}, true);
  EXPECT_EQ(next().substr(0, 2), "! ");
  write("a.policy", rule("one"));
  EXPECT_EQ(next(), "one.one");
}

TEST_P(WatchTest, ReloadsARuntime) {
  write("a.policy", rule("one"));
  auto runtime = Runtime::open(load_policies(path("a.policy")).program, {.agent = "a-1"});
  ASSERT_TRUE(runtime.ok());
  PolicyWatcher watcher({path("a.policy")}, runtime->program(),
                        [&](const PolicyChange& change) {
                          if (change.program != nullptr) (void)runtime->reload(change.program);
                        },
                        {.debounce = milliseconds(5), .poll = milliseconds(20), .always_poll = GetParam()});
  const Document nothing = *Document::parse("{}");
  EXPECT_EQ(runtime->evaluate("x", nothing).rule, "one.one");
  replace("a.policy", rule("two"));
  for (int n = 0; n < 5000 && runtime->evaluate("x", nothing).rule != "two.two"; ++n) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_EQ(runtime->evaluate("x", nothing).rule, "two.two");
}

TEST_P(WatchTest, StopsAtOnce) {
  write("a.policy", rule("one"));
  watch({""});
  const auto start = std::chrono::steady_clock::now();
  watcher_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

INSTANTIATE_TEST_SUITE_P(Each, WatchTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Polling" : "Events"; });

}  // namespace
}  // namespace ordain
