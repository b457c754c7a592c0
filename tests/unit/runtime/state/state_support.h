// state_support helps the tests of state: declarations in a line, keys, and a clock that is set.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/state/key.h"
#include "runtime/state/store.h"

namespace ordain::state {

inline constexpr int64_t kSecondNs = 1'000'000'000;

/// A clock that stands still. Copies of what `reader` returns share it.
struct SetClock {
  std::shared_ptr<ClockReading> now =
      std::make_shared<ClockReading>(ClockReading{{1}, 100 * kSecondNs, 1'767'268'800 * kSecondNs});

  std::function<ClockReading()> reader() const {
    return [now = now] { return *now; };
  }
  /// Time passes.
  void pass(int64_t ns) const {
    now->boot_ns += ns;
    now->wall_ns += ns;
  }
  /// Somebody sets the wall clock.
  void set_wall(int64_t by_ns) const { now->wall_ns += by_ns; }
  void reboot(int64_t down_ns) const {
    ++now->boot[0];
    now->boot_ns = kSecondNs;
    now->wall_ns += down_ns;
  }
};

inline uint32_t member_bit(StateMember member) { return 1u << static_cast<unsigned>(member); }

/// A state by principal. The first letter of its name makes its digest.
inline StateDecl declare(const std::string& name, StateKind kind) {
  StateDecl out;
  out.name = name;
  out.digest[0] = static_cast<uint8_t>(name.front());
  out.kind = kind;
  out.keys = {KeySource::principal};
  out.key_kinds = {Kind::string};
  return out;
}

inline StateDecl count_within(const std::string& name, uint64_t seconds, uint64_t bound) {
  StateDecl out = declare(name, StateKind::history);
  out.window_seconds = seconds;
  out.bound = bound;
  out.members = member_bit(StateMember::count);
  return out;
}

inline StateDecl sum_within(const std::string& name, uint64_t seconds) {
  StateDecl out = declare(name, StateKind::history);
  out.window_seconds = seconds;
  out.amount = Kind::integer;
  out.members = member_bit(StateMember::sum) | member_bit(StateMember::count) | member_bit(StateMember::first);
  return out;
}

inline StateDecl budget_of(const std::string& name, BudgetPeriod period) {
  StateDecl out = declare(name, StateKind::budget);
  out.amount = Kind::integer;
  out.period = period;
  return out;
}

inline StateDecl rate_of(const std::string& name, uint64_t limit, uint64_t seconds, uint64_t burst) {
  StateDecl out = declare(name, StateKind::rate);
  out.limit = limit;
  out.window_seconds = seconds;
  out.burst = burst;
  return out;
}

inline std::string key_of(const std::string& text) {
  std::string out;
  EXPECT_TRUE(append_key_part(out, Value::string(text)));
  return out;
}

inline Verdict always_proceed(std::span<const Reading>, const Moment&) { return Verdict::proceed; }

inline std::unique_ptr<Store> local_store(StoreOptions options, std::string_view snapshot = {}) {
  auto store = Store::make_local(std::move(options), snapshot);
  EXPECT_TRUE(store.ok()) << store.error().message;
  return store.ok() ? std::move(*store) : nullptr;
}

/// Reads one state for one key. The call that reads adds nothing.
inline Reading read_one(Store& store, uint32_t state, const std::string& key, const Own& own = {}) {
  const Question question{state, key, own};
  auto read = store.read({&question, 1});
  EXPECT_TRUE(read.ok()) << read.error().message;
  return read.ok() ? read->front() : Reading{};
}

/// Begins a call that uses one state. @returns its id
inline Id128 begin_one(Store& store, uint32_t state, const std::string& key, Amount amount = 0, bool leased = true) {
  CallStart start{Id128::random(), leased, {{state, key, amount}}, {}, {}};
  auto begun = store.begin(start, always_proceed);
  EXPECT_TRUE(begun.ok()) << begun.error().message;
  return start.call;
}

}  // namespace ordain::state
