// Torture says how long a randomised test goes on and from which seed: a few rounds from a fixed seed among the tests,
// and under scripts/torture for a given time from a random seed. It prints the seed and what was counted.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace ordain::test {

/// The time that scripts/torture gives each test.
inline std::optional<std::chrono::seconds> torture_time() {
  const char* seconds = std::getenv("ORDAIN_TORTURE_SECONDS");
  if (seconds == nullptr) return std::nullopt;
  return std::chrono::seconds(std::strtoul(seconds, nullptr, 10));
}

/// The seed in ORDAIN_TORTURE_SEED, else a random one under scripts/torture, else `fixed`.
inline uint64_t torture_seed(uint64_t fixed) {
  if (const char* seed = std::getenv("ORDAIN_TORTURE_SEED"); seed != nullptr) return std::strtoull(seed, nullptr, 10);
  return torture_time() ? std::random_device()() : fixed;
}

class Torture {
 public:
  /// @param rounds how many there are without scripts/torture.
  explicit Torture(uint64_t rounds, uint64_t fixed_seed = 1)
      : seed_(torture_seed(fixed_seed)), random_(seed_), wanted_(rounds), time_(torture_time()) {}
  ~Torture() {
    std::cout << where();
    for (const auto& [what, count] : counts_) std::cout << ", " << count << " " << what;
    std::cout << "\n";
  }
  Torture(const Torture&) = delete;
  Torture& operator=(const Torture&) = delete;

  /// Begins the next round. @returns false at the end, which is the first failure at the latest
  bool goes_on() {
    if (::testing::Test::HasFailure()) return false;
    if (time_ ? std::chrono::steady_clock::now() - begin_ >= *time_ : rounds_ >= wanted_) return false;
    ++rounds_;
    return true;
  }
  uint64_t rounds() const { return rounds_; }
  uint64_t below(uint64_t n) { return random_() % n; }
  void count(const std::string& what) { ++counts_[what]; }
  uint64_t counted(const std::string& what) const {
    const auto found = counts_.find(what);
    return found != counts_.end() ? found->second : 0;
  }
  /// For messages: the seed, and the number of the round, from 1.
  std::string where() const { return "seed " + std::to_string(seed_) + ", round " + std::to_string(rounds_); }

 private:
  const uint64_t seed_;
  std::mt19937_64 random_;
  const uint64_t wanted_;
  const std::optional<std::chrono::seconds> time_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  uint64_t rounds_ = 0;
  std::map<std::string, uint64_t> counts_;
};

}  // namespace ordain::test
