// These tests cover native code in a process: what it keeps on disk and which files it trusts,
// what it compiles first, and that it releases its memory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/digest.h"
#include "ordain/jit.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "tests/unit/vm/jit/expressions.h"
#include "vm/interpret/frame.h"
#include "vm/jit/object_cache.h"
#include "vm/jit/urgency.h"
#include "vm/program/linked_program.h"

#if defined(__SANITIZE_ADDRESS__)
#define ORDAIN_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ORDAIN_UNDER_ASAN 1
#endif
#endif

namespace ordain {
namespace {

namespace fs = std::filesystem;
using test::Bindings;
using test::expression;
using test::outcome;

std::shared_ptr<const Program> compiled(const std::string& text) {
  auto compilation = compile({std::make_shared<Source>(Source{"p.policy", text})}, standard_library());
  EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  return compilation.program;
}

/// Makes rules that an index leads to one at a time, with a part left to evaluate; `salt` makes it
/// a different program.
std::shared_ptr<const Program> payments(int rules, const std::string& salt = "") {
  std::string text = "capability pay { input { to: string, n: int } }\npolicy p on before pay {\n";
  for (int i = 0; i < rules; ++i) {
    text += "  deny r" + std::to_string(i) + " when input.to == \"user" + std::to_string(i) + "\" && input.n * 3 > " +
            std::to_string(i) + " because \"no " + salt + "\" + input.to;\n";
  }
  return compiled(text + "  allow;\n}\n");
}

std::string answer(const std::shared_ptr<const Program>& program, int user, bool interpret) {
  Call call(program);
  const Context context(program);
  Scratch scratch;
  const std::string to = "user" + std::to_string(user);
  call.begin(program->resolve("pay"), Stage::before);
  const MapEntry entries[] = {{Value::string("to"), Value::string(to)},
                              {Value::string("n"), Value::integer(user % 5 == 0 ? INT64_MAX : user)}};
  call.bind_input(Value::map_of(make_map(call.arena(), entries)));
  const Decision decision = decide_all(call, context, scratch, {.interpret_only = interpret});
  return std::string(to_string(decision.effect)) + " " + std::string(to_string(decision.code)) + " " +
         std::string(decision.reason);
}

void expect_right(const std::shared_ptr<const Program>& program, int users) {
  ASSERT_TRUE(program->fully_native());
  for (int user = 0; user < users; ++user) EXPECT_EQ(answer(program, user, false), answer(program, user, true)) << user;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class ObjectCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "ordain-cache-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    directory_ = root_ / "cache";
  }
  void TearDown() override { fs::remove_all(root_); }

  NativeOptions options() const {
    NativeOptions out;
    out.optimisation = 0;
    out.cache_directory = directory_.string();
    return out;
  }
  NativeReport make(const std::shared_ptr<const Program>& program, const NativeOptions& how) {
    auto report = compile_native(*program, how);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : NativeReport();
  }
  std::vector<fs::path> archives() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().extension() == ".native") out.push_back(entry.path());
    }
    return out;
  }
  /// @returns the error's message; "" if the directory is safe
  std::string refusal() const {
    auto checked = check_native_cache(directory_.string());
    if (checked) return "";
    EXPECT_EQ(checked.error().code, "unsafe_cache");
    auto program = payments(2);
    auto report = compile_native(*program, options());
    EXPECT_FALSE(report);
    EXPECT_FALSE(program->fully_native()) << "nothing is compiled";
    EXPECT_EQ(report ? "" : report.error().code, "unsafe_cache");
    return checked.error().message;
  }

  fs::path root_, directory_;
};

TEST_F(ObjectCacheTest, WhatIsFoundThereDecidesAsWhatWasCompiled) {
  for (const bool standalone : {false, true}) {
    NativeOptions how = options();
    how.standalone = standalone;
    how.predicates_per_module = 3;
    how.threads = 2;
    auto first = payments(40);
    const NativeReport made = make(first, how);
    EXPECT_FALSE(made.from_cache);
    auto second = payments(40);
    const NativeReport found = make(second, how);
    EXPECT_TRUE(found.from_cache);
    EXPECT_EQ(found.code_bytes, made.code_bytes);
    EXPECT_EQ(found.predicates, made.predicates);
    expect_right(first, 45);
    expect_right(second, 45);
  }
  EXPECT_EQ(archives().size(), 2u) << "standalone code is other code";
}

TEST_F(ObjectCacheTest, StandaloneCodeDoesNotKnowTheInterpreter) {
  for (const bool standalone : {false, true}) {
    fs::remove_all(directory_);
    NativeOptions how = options();
    how.standalone = standalone;
    make(payments(5), how);
    ASSERT_EQ(archives().size(), 1u);
    const bool refers = read_file(archives()[0]).find("ordain_interpret") != std::string::npos;
    EXPECT_NE(refers, standalone);
  }
}

TEST_F(ObjectCacheTest, CodeWithDataAndCallsIsFoundToo) {
  const Bindings bindings = {
      {"i", Value::integer(17)}, {"j", Value::integer(0)}, {"s", Value::string("two")}, {"x", Value::string("q")}};
  for (const char* text :
       {"i in [1, 17, 400, 90000, 5, 12345678]", "s in ['one', 'two', 'three'] && s.startsWith('tw')",
        "s == 'a text that is longer than what is compared in place' || i / j > 0", "s + string(i)",
        "s.matches('^t.o$') && [1, 2, 3].exists(q, q * i == 34)", "{'a': [i, j]}.a[0] + x", "double(i) / 2.0 > 3.25"}) {
    NativeOptions how = options();
    for (const int level : {0, 1}) {
      how.optimisation = level;
      for (const bool from_cache : {false, true}) {
        auto program = expression(text);
        ASSERT_NE(program, nullptr);
        EXPECT_EQ(make(program, how).from_cache, from_cache) << text;
        EXPECT_EQ(outcome(program, bindings, false, {}), outcome(program, bindings, true, {})) << text;
      }
    }
  }
}

TEST_F(ObjectCacheTest, AFileThatWasAlteredAnywhereIsNoFile) {
  auto program = payments(2);
  ASSERT_FALSE(make(program, options()).from_cache);
  ASSERT_EQ(archives().size(), 1u);
  const fs::path path = archives()[0];
  const std::string good = read_file(path);
  auto cache = native::ObjectCache::open(directory_.string(), 1 << 30);
  ASSERT_TRUE(cache) << cache.error().message;
  // Any key shows that all bytes count, if the file has its name.
  const Digest key = sha256("a key");
  const std::vector<std::string> objects = {"first object", "", std::string(1000, 'x')};
  (*cache)->put(key, objects);
  const fs::path small = directory_ / (to_hex(key) + ".native");
  const std::string bytes = read_file(small);
  auto found = (*cache)->find(key);
  ASSERT_NE(found, nullptr);
  ASSERT_EQ(found->objects.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(found->objects[i], objects[i]);
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    write_file(small, bad);
    EXPECT_EQ((*cache)->find(key), nullptr) << "byte " << at;
    write_file(small, bytes.substr(0, at));
    EXPECT_EQ((*cache)->find(key), nullptr) << "cut at " << at;
  }
  write_file(small, bytes + "more");
  EXPECT_EQ((*cache)->find(key), nullptr);
  write_file(small, bytes);
  EXPECT_NE((*cache)->find(key), nullptr);

  for (const size_t at : {size_t{0}, size_t{9}, size_t{60}, good.size() / 2, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(~bad[at]);
    write_file(path, bad);
    auto again = payments(2);
    EXPECT_FALSE(make(again, options()).from_cache) << "byte " << at;
    expect_right(again, 4);
    EXPECT_EQ(read_file(path).size(), good.size()) << "and it is replaced";
    EXPECT_TRUE(make(payments(2), options()).from_cache);
  }
}

TEST_F(ObjectCacheTest, AFileOfAnotherProgramOrUnderAnotherSecretIsNotBelieved) {
  auto one = payments(2, "one "), other = payments(2, "other ");
  make(one, options());
  const fs::path first = archives().at(0);
  make(other, options());
  ASSERT_EQ(archives().size(), 2u);
  const fs::path second = archives()[0] == first ? archives()[1] : archives()[0];
  fs::copy_file(first, second, fs::copy_options::overwrite_existing);
  auto again = payments(2, "other ");
  EXPECT_FALSE(make(again, options()).from_cache);
  expect_right(again, 3);

  fs::remove(directory_ / "secret");
  EXPECT_FALSE(make(payments(2, "one "), options()).from_cache) << "its code was not made under the new secret";
  EXPECT_TRUE(make(payments(2, "one "), options()).from_cache);

  fs::remove(first);
  fs::create_symlink(second, first);
  EXPECT_FALSE(make(payments(2, "one "), options()).from_cache) << "links are not followed";
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(first)));
}

TEST_F(ObjectCacheTest, TheKeyIsAllThatCodeDependsOn) {
  auto program = payments(2);
  const NativeOptions how = options();
  const Digest key = native::object_key(*program, how, "LLVM 19 x86_64 cpu +a,+b");
  EXPECT_EQ(key, native::object_key(*payments(2), how, "LLVM 19 x86_64 cpu +a,+b"));
  EXPECT_NE(key, native::object_key(*program, how, "LLVM 18 x86_64 cpu +a,+b"));
  EXPECT_NE(key, native::object_key(*program, how, "LLVM 19 x86_64 other +a,+b"));
  EXPECT_NE(key, native::object_key(*program, how, "LLVM 19 x86_64 cpu +a,-b"));
  EXPECT_NE(key, native::object_key(*payments(3), how, "LLVM 19 x86_64 cpu +a,+b"));
  for (const auto change : std::initializer_list<void (*)(NativeOptions&)>{
           [](NativeOptions& o) { o.optimisation = 2; }, [](NativeOptions& o) { o.standalone = true; },
           [](NativeOptions& o) { o.predicates_per_module = 7; }, [](NativeOptions& o) { o.first = {"pay"}; }}) {
    NativeOptions changed = how;
    change(changed);
    EXPECT_NE(key, native::object_key(*program, changed, "LLVM 19 x86_64 cpu +a,+b"));
  }
}

TEST_F(ObjectCacheTest, ADirectoryThatOthersMayReachIsRefused) {
  EXPECT_EQ(refusal(), "") << "it is made";
  struct stat status;
  ASSERT_EQ(::stat(directory_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  ASSERT_EQ(::stat((directory_ / "secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(status.st_size, 32);
  for (const mode_t mode : {0755, 0710, 0701, 0777}) {
    ASSERT_EQ(::chmod(directory_.c_str(), mode), 0);
    EXPECT_NE(refusal().find("open to others"), std::string::npos) << mode;
  }
  ASSERT_EQ(::chmod(directory_.c_str(), 0700), 0);
  ASSERT_EQ(::chmod((directory_ / "secret").c_str(), 0644), 0);
  EXPECT_NE(refusal().find("secret is open to others"), std::string::npos);
  ASSERT_EQ(::chmod((directory_ / "secret").c_str(), 0600), 0);
  EXPECT_EQ(refusal(), "");
  write_file(directory_ / "secret", "short");
  EXPECT_NE(refusal().find("damaged"), std::string::npos);

  const fs::path real = directory_;
  directory_ = root_ / "link";
  fs::create_directory_symlink(real, directory_);
  EXPECT_NE(refusal().find("symbolic link"), std::string::npos);
  directory_ = root_ / "link/";
  EXPECT_NE(refusal().find("symbolic link"), std::string::npos);
  directory_ = root_ / "file";
  write_file(directory_, "");
  EXPECT_NE(refusal().find("no directory"), std::string::npos);
  directory_ = root_ / "none" / "deeper";
  EXPECT_NE(refusal().find("cannot be made"), std::string::npos);
}

TEST_F(ObjectCacheTest, ADirectoryOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  ASSERT_TRUE(fs::create_directory(directory_));
  ASSERT_EQ(::chmod(directory_.c_str(), 0700), 0);
  ASSERT_EQ(::chown(directory_.c_str(), 65534, 65534), 0);
  EXPECT_NE(refusal().find("belongs to user 65534"), std::string::npos);
}

TEST_F(ObjectCacheTest, InTheBackgroundAnUnfitDirectoryIsDoneWithout) {
  ASSERT_TRUE(fs::create_directory(directory_));
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  auto program = payments(3);
  compile_native_in_background(*program, options());
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!program->fully_native() && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  expect_right(program, 4);
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(ObjectCacheTest, WhatWasUsedLongestAgoGoesFirst) {
  NativeOptions how = options();
  make(payments(3, "a"), how);
  const fs::path oldest = archives().at(0);
  const uint64_t one = fs::file_size(oldest);
  how.cache_bytes = 2 * one + one / 2;
  make(payments(3, "b"), how);
  fs::last_write_time(oldest, fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_TRUE(make(payments(3, "a"), how).from_cache) << "which makes it the latest";
  for (const fs::path& path : archives()) {
    if (path != oldest) fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  make(payments(3, "c"), how);
  EXPECT_EQ(archives().size(), 2u);
  EXPECT_TRUE(make(payments(3, "a"), how).from_cache);
  EXPECT_TRUE(make(payments(3, "c"), how).from_cache);
  EXPECT_FALSE(make(payments(3, "b"), how).from_cache);

  how.cache_bytes = one / 2;
  EXPECT_FALSE(make(payments(3, "d"), how).from_cache);
  EXPECT_FALSE(make(payments(3, "d"), how).from_cache) << "what is too large is not kept";
  for (const auto& entry : fs::directory_iterator(directory_)) EXPECT_NE(entry.path().extension(), ".new");
}

TEST_F(ObjectCacheTest, SeveralMayMakeTheSameAtOnce) {
  std::vector<std::shared_ptr<const Program>> programs;
  for (int i = 0; i < 4; ++i) programs.push_back(payments(20));
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> threads;
    for (const auto& program : programs) {
      threads.emplace_back([&, how = options()] { failed += compile_native(*program, how) ? 0 : 1; });
    }
  }
  EXPECT_EQ(failed, 0);
  for (const auto& program : programs) expect_right(program, 22);
  EXPECT_TRUE(make(payments(20), options()).from_cache);
}

// --- what is compiled how, and when

/// Makes conditions over `fields` for one capability that an index cannot use.
std::string unindexed(const std::string& capability, int rules) {
  std::string text = "capability " + capability + " { input { a: int, b: int } }\npolicy p_" + capability +
                     " on before " + capability + " {\n";
  for (int i = 0; i < rules; ++i) {
    text += "  deny " + capability + std::to_string(i) + " when input.a * " + std::to_string(i + 2) +
            " + input.b > 100000" + std::to_string(i) + ";\n";
  }
  return text + "  allow;\n}\n";
}

TEST(Urgency, OnlyCodeThatTheTimeDependsOnIsOptimised) {
  auto few = payments(20);
  auto report = compile_native(*few);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->optimised, 20u) << "all conditions of a small program, and no clause";
  EXPECT_EQ(report->predicates, 40u);

  auto many = payments(600);
  const auto worth = native::worth_of_predicates(*many, {});
  EXPECT_EQ(std::ranges::count_if(worth, [](const native::Worth& w) { return w.optimised; }), 0)
      << "a decision tries one of them";

  auto crowd = compiled(unindexed("move", 600));
  const auto tried = native::worth_of_predicates(*crowd, {});
  EXPECT_EQ(std::ranges::count_if(tried, [](const native::Worth& w) { return w.optimised; }), 0)
      << "their runs are, which do the work";
}

TEST(Urgency, OfManyAnswersThoseAskedForAreMade) {
  const auto limits = [](int capabilities) {
    std::string text;
    for (int i = 0; i < capabilities; ++i) {
      const std::string name = "c" + std::to_string(i);
      text += "capability " + name + " { input { n: int, m: int } }\npolicy p_" + name + " on before " + name + " {\n";
      for (int rule = 0; rule < 7; ++rule) {
        text += "  deny d" + std::to_string(rule) + " when input.n * " + std::to_string(rule + 2) + " > input.m + " +
                std::to_string(i) + ";\n";
      }
      text += "}\n";
    }
    return compiled(text);
  };
  const auto few = limits(10);
  const native::Groups all = native::groups_of(*few, {});
  EXPECT_EQ(all.answers.size(), 10u);
  EXPECT_EQ(all.runs.size(), 10u);

  const auto many = limits(600);
  const std::vector<std::string> first = {"c599"};
  const native::Groups some = native::groups_of(*many, first);
  ASSERT_FALSE(some.answers.empty());
  EXPECT_EQ(some.answers.front().number, 2 * many->resolve("c599").id);
  EXPECT_LT(some.answers.size(), 600u);
  EXPECT_TRUE(some.runs.empty()) << "what has no answer is left to its predicates";

  const auto crowd = compiled(unindexed("move", 3000));
  EXPECT_EQ(native::groups_of(*crowd, {}).runs.size(), (3000u + kBatchRules - 1) / kBatchRules) << "however many";
}

TEST(Urgency, WhatIsAskedForFirstIsNativeFirst) {
  auto program = compiled(unindexed("cold", 300) + unindexed("hot", 300));
  ASSERT_NE(program, nullptr);
  const std::vector<std::string> first = {"hot", "nobody.knows"};
  const auto worth = native::worth_of_predicates(*program, first);
  std::vector<uint32_t> hot, cold;
  for (uint32_t i = 0; i < worth.size(); ++i) (worth[i].rank == 0 ? hot : cold).push_back(i);
  ASSERT_EQ(hot.size(), 300u);
  ASSERT_EQ(cold.size(), 300u);
  compile_native_in_background(*program, {.optimisation = 0, .predicates_per_module = 4, .first = first});
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  int wrong = 0, seen = 0;
  while (!program->fully_native() && std::chrono::steady_clock::now() < give_up) {
    bool any_cold = false;
    for (const uint32_t predicate : cold) any_cold |= native_code_of(*program).predicate(predicate) != nullptr;
    if (!any_cold) continue;
    ++seen;
    for (const uint32_t predicate : hot) wrong += native_code_of(*program).predicate(predicate) == nullptr ? 1 : 0;
  }
  EXPECT_TRUE(program->fully_native());
  EXPECT_GT(seen, 0);
  EXPECT_EQ(wrong, 0);
}

// --- memory

struct Mapping {
  size_t bytes = 0;
  std::string rights, name;
};

std::vector<Mapping> mappings() {
  std::vector<Mapping> out;
  std::ifstream in("/proc/self/maps");
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string range, offset, device, inode;
    Mapping mapping;
    fields >> range >> mapping.rights >> offset >> device >> inode >> mapping.name;
    const size_t dash = range.find('-');
    mapping.bytes = std::stoull(range.substr(dash + 1), nullptr, 16) - std::stoull(range.substr(0, dash), nullptr, 16);
    out.push_back(mapping);
  }
  return out;
}

/// @returns the size of executable memory that does not belong to a file: compiled code
size_t code_in_memory() {
  size_t out = 0;
  for (const Mapping& mapping : mappings()) {
    if (mapping.rights.find('x') != std::string::npos && mapping.name.empty()) out += mapping.bytes;
  }
  return out;
}

size_t resident() {
  size_t total = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total >> resident_pages;
  return resident_pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(NativeMemory, NothingIsWritableAndExecutable) {
  if (mappings().empty()) GTEST_SKIP() << "no /proc/self/maps here";
  const size_t before = code_in_memory();
  auto program = payments(100);
  ASSERT_TRUE(compile_native(*program, {.optimisation = 0, .predicates_per_module = 1}));
  EXPECT_GT(code_in_memory(), before);
  for (const Mapping& mapping : mappings()) {
    const bool both = mapping.rights.find('x') != std::string::npos && mapping.rights.find('w') != std::string::npos;
    EXPECT_FALSE(both) << mapping.rights << " " << mapping.name;
  }
}

TEST(NativeMemory, ARetiredProgramGivesBackItsCode) {
  if (mappings().empty()) GTEST_SKIP() << "no /proc/self/maps here";
  const auto once = [](int i) {
    auto program = payments(100, std::to_string(i));
    ASSERT_TRUE(compile_native(*program, {.optimisation = i % 2}));
    EXPECT_EQ(answer(program, 3, false), answer(program, 3, true));
  };
  const size_t before = code_in_memory();
  for (int i = 0; i < 6; ++i) once(i);
  EXPECT_EQ(code_in_memory(), before);
  [[maybe_unused]] const size_t level = resident();
  for (int i = 0; i < 50; ++i) once(i);
  EXPECT_EQ(code_in_memory(), before);
#ifdef ORDAIN_UNDER_ASAN
  std::cout << "AddressSanitizer keeps what was freed: resident memory is not compared\n";
#else
  EXPECT_LT(resident(), level + (size_t{12} << 20)) << "50 programs took memory and kept it";
#endif
}

}  // namespace
}  // namespace ordain
