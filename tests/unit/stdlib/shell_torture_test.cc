// shell_torture_test.cc compares the reading of shell lines with bash and dash: whatever program
// one of them runs for a random line must be among the commands, or the function must fault.
// `scripts/torture shell MINUTES` makes it run for long, with a random seed.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <iostream>

#include "tests/support/torture.h"
#include "tests/unit/stdlib/call.h"
#include "tests/unit/stdlib/shell_lines.h"
#include "tests/unit/stdlib/shell_runner.h"

namespace ordain::testing {
namespace {

constexpr size_t kBatch = 100;
constexpr size_t kShortRun = 5'000;

// What `shell.commands` and its like say about one line.
struct Reading {
  bool faults = false;
  std::vector<std::pair<std::string, std::vector<std::string>>> commands;  // each with its words
  bool programs_fault = false;
  std::vector<std::string> programs;
};

// @returns false if the function faults
bool texts(std::string_view function, std::string_view line, std::vector<std::string>* out) {
  Arena arena;
  Eval eval;
  eval.arena = &arena;
  eval.cost_left = eval.memory_left = 10'000'000;
  const Value argument = Value::string(line);
  Value result;
  if (!call_dynamic(eval, *standard_library().find(function), &argument, 1, &result)) return false;
  for (const Value& each : result.as_list()) out->emplace_back(each.as_text());
  return true;
}

Reading read_line(const std::string& line) {
  Reading out;
  std::vector<std::string> commands;
  out.faults = !texts("shell.commands", line, &commands);
  for (const std::string& command : commands) {
    std::vector<std::string> words;
    if (!texts("shell.split", command, &words)) words = {"?"};
    out.commands.emplace_back(command, words);
  }
  out.programs_fault = !texts("shell.programs", line, &out.programs);
  return out;
}

// Whether the shell may change the words before the program gets them.
bool has_expansions(const std::string& command) { return command.find_first_of("$`*?[~{<>") != std::string::npos; }

// Assignments and redirections follow the words, so a call's words are where the list begins.
bool is_call_of(const std::pair<std::string, std::vector<std::string>>& command, const ShellCall& call) {
  const std::vector<std::string>& words = command.second;
  if (words == std::vector<std::string>{"?"}) return command.first.find_first_of("{[") != std::string::npos;
  // Prefixes within the shell itself.
  size_t at = 0;
  while (at < words.size() && (words[at] == "command" || words[at] == "builtin" || words[at] == "exec" ||
                               words[at] == "--" || words[at] == "-p"))
    ++at;
  if (at >= words.size() || words[at] != call[0]) return false;
  if (has_expansions(command.first)) return true;
  if (words.size() - at < call.size()) return false;
  for (size_t i = call.size() + at; i < words.size(); ++i) {
    if (words[i].find('=') == std::string::npos) return false;
  }
  return std::equal(call.begin(), call.end(), words.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string shown(const std::string& text) {
  std::string out;
  for (char c : text)
    out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : c == '\v' ? "\\v" : std::string(1, c);
  return out;
}
std::string shown(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += " <" + shown(word) + ">";
  return out;
}

// Lines that define functions may call themselves without end; the generator makes the ones that
// do not.
bool is_safe(const std::string& line) {
  std::string bare;
  for (char c : line) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\\' && c != '\r' && c != '\v') bare += c;
  }
  for (size_t at = bare.find("fn(){"); at != std::string::npos; at = bare.find("fn(){")) bare.erase(at, 5);
  return line.find('/') == std::string::npos && bare.find("()") == std::string::npos &&
         bare.find("function") == std::string::npos;
}

struct Totals {
  size_t lines = 0, faults = 0, calls = 0, simple = 0;
};

void check_batch(ShellRunner& runner, ShellLines& lines, Totals& totals) {
  std::vector<std::string> batch;
  std::vector<Reading> readings;
  while (batch.size() < kBatch) {
    const bool simple = batch.size() % 4 == 0;
    const std::string line = simple ? lines.simple_line() : lines.any_line();
    if (!is_safe(line)) continue;
    Reading reading = read_line(line);
    ++totals.lines;
    totals.simple += simple ? 1 : 0;
    if (reading.faults) {
      ++totals.faults;
      EXPECT_FALSE(simple) << shown(line) << ": " << message("shell.commands", {S(line)});
      continue;  // whatever a shell does, no rule relies on the reading
    }
    batch.push_back(line);
    readings.push_back(std::move(reading));
  }
  for (const char* shell : {"/bin/bash", "/bin/dash"}) {
    if (!std::filesystem::exists(shell)) continue;
    const auto calls = runner.run(shell, batch);
    for (size_t i = 0; i < batch.size(); ++i) {
      const Reading& reading = readings[i];
      for (const ShellCall& call : calls[i]) {
        ++totals.calls;
        const bool found = std::any_of(reading.commands.begin(), reading.commands.end(),
                                       [&](const auto& each) { return is_call_of(each, call); });
        EXPECT_TRUE(found) << shell << " runs" << shown(call) << " in: " << shown(batch[i]);
        EXPECT_TRUE(reading.programs_fault || std::count(reading.programs.begin(), reading.programs.end(), call[0]) > 0)
            << shell << " runs" << shown(call) << ", which is not among the programs, in: " << shown(batch[i]);
      }
    }
  }
}

TEST(ShellTorture, WhatAShellRunsIsAmongTheCommands) {
  if (!std::filesystem::exists("/bin/bash") && !std::filesystem::exists("/bin/dash"))
    GTEST_SKIP() << "needs bash or dash";
  const auto time = test::torture_time();
  const uint64_t seed = test::torture_seed(1);
  ShellRunner runner(ORDAIN_SHELL_STUB);
  ShellLines lines(seed);
  Totals totals;
  const auto begin = std::chrono::steady_clock::now();
  while (time ? std::chrono::steady_clock::now() - begin < *time : totals.lines < kShortRun) {
    check_batch(runner, lines, totals);
  }
  std::cout << "seed " << seed << ": " << totals.lines << " lines, of which " << totals.faults << " fault; "
            << totals.simple << " everyday lines; " << totals.calls << " programs run, " << runner.cut_off()
            << " lines cut off\n";
  EXPECT_GT(totals.calls, totals.lines / 2);
  EXPECT_LT(runner.cut_off(), 2 + totals.lines / 100);
}

}  // namespace
}  // namespace ordain::testing
