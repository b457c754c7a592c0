// The method, which docs/performance.md states. One decision is: begin the call, set its fields (strings are looked up,
// lists become bits), decide. The contexts of agents are made before. Latencies are of short batches of successive
// calls, long enough that reading the clock does not show; throughput is measured apart, without reading it.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include "cli/bench.h"

namespace ordain::cli {
namespace {

using Clock = std::chrono::steady_clock;

double nanos_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::nano>(to - from).count();
}

constexpr double kBatchNanos = 1000;  // a clock's reading is some 2 % of it, and is subtracted
constexpr uint32_t kMaxBatch = 64;

// What a thread needs to decide, and where it stands in the events.
struct Worker {
  const PreparedEvents& prepared;
  DecideOptions options;
  Call call;
  Scratch scratch;
  size_t next = 0;

  Worker(const PreparedEvents& of, const DecideOptions& how) : prepared(of), options(how), call(of.program()) {}

  Decision decide_one(const PreparedCall& from) {
    from.fill(call);
    return decide(call, *from.context, scratch, options);
  }
  // The sum keeps the compiler from leaving decisions out.
  uint32_t decide_next(uint32_t count) {
    const std::vector<PreparedCall>& calls = prepared.calls();
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; ++i) {
      sum += static_cast<uint32_t>(decide_one(calls[next]).effect);
      if (++next == calls.size()) next = 0;
    }
    return sum;
  }
};

std::atomic<uint32_t> sink = 0;

// What a reading of the clock takes: the least of many.
double clock_nanos() {
  double least = 1e9;
  for (int i = 0; i < 1000; ++i) {
    const auto from = Clock::now();
    least = std::min(least, nanos_between(from, Clock::now()));
  }
  return least;
}

// Mean of one decision, roughly; warms up.
double rough_nanos(Worker& worker, double seconds) {
  const auto from = Clock::now();
  uint64_t count = 0;
  double taken = 0;
  for (uint32_t step = 1; taken < seconds * 1e9; step = std::min(step * 2, 1024u)) {
    sink += worker.decide_next(step);
    count += step;
    taken = nanos_between(from, Clock::now());
  }
  return taken / static_cast<double>(count);
}

void measure_latency(Worker& worker, const BenchEffort& effort, EngineFigures* out, const Progress& progress) {
  const double mean = rough_nanos(worker, effort.seconds / 5);
  out->batch = static_cast<uint32_t>(std::clamp(kBatchNanos / mean, 1.0, static_cast<double>(kMaxBatch)));
  const double clock = clock_nanos();
  const auto start = Clock::now();
  const double limit = effort.seconds * 1e9;
  // Every event at least once, if that is not forever.
  const uint64_t wanted = worker.prepared.calls().size();
  double elapsed = 0;
  for (uint64_t decided = 0; elapsed < limit || (decided < wanted && elapsed < 8 * limit); decided += out->batch) {
    const auto from = Clock::now();
    sink += worker.decide_next(out->batch);
    const auto to = Clock::now();
    const double nanos = std::max(0.0, nanos_between(from, to) - clock) / out->batch;
    out->latency.add(static_cast<uint64_t>(nanos * 10));
    out->max = std::max(out->max, nanos);
    elapsed = nanos_between(start, to);
    if (decided % 4096 < out->batch) progress(out->name.c_str(), std::min(1.0, elapsed / limit) / 2);
  }
  const auto quantile = [&](double q) { return static_cast<double>(out->latency.quantile(q)) / 10; };
  out->p50 = quantile(0.5), out->p90 = quantile(0.9), out->p99 = quantile(0.99), out->p999 = quantile(0.999);
}

// Decisions per second of `threads` threads, each at another place of the events.
double throughput(const PreparedEvents& prepared, const DecideOptions& options, double seconds, uint32_t threads) {
  std::atomic<bool> go = false, stop = false;
  std::atomic<uint64_t> total = 0;
  std::atomic<uint32_t> ready = 0;
  std::vector<std::thread> running;
  for (uint32_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      Worker worker(prepared, options);
      worker.next = prepared.calls().size() * thread / threads;
      sink += worker.decide_next(256);
      ++ready;
      while (!go.load()) std::this_thread::yield();
      uint64_t count = 0;
      for (; !stop.load(std::memory_order_relaxed); count += 64) sink += worker.decide_next(64);
      total += count;
    });
  }
  while (ready.load() != threads) std::this_thread::yield();
  const auto from = Clock::now();
  go = true;
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& thread : running) thread.join();
  return static_cast<double>(total.load()) / nanos_between(from, Clock::now()) * 1e9;
}

std::vector<Group> sorted_groups(const std::map<std::string, Group>& groups) {
  std::vector<Group> out;
  for (const auto& [name, group] : groups) {
    out.push_back(group);
    out.back().name = name;
    out.back().nanos /= static_cast<double>(group.count);
  }
  std::sort(out.begin(), out.end(),
            [](const Group& a, const Group& b) { return a.count != b.count ? a.count > b.count : a.name < b.name; });
  return out;
}

}  // namespace

EngineFigures measure_engine(const PreparedEvents& prepared, bool interpret_only, const DecideOptions& options,
                             const BenchEffort& effort, const Progress& progress) {
  EngineFigures out;
  out.name = interpret_only ? "interpreter" : "jit";
  DecideOptions how = options;
  how.interpret_only = interpret_only;
  Worker worker(prepared, how);
  measure_latency(worker, effort, &out, progress);
  for (uint32_t threads = 1; threads <= effort.threads; ++threads) {
    progress(out.name.c_str(), 0.5 + 0.5 * (threads - 1) / effort.threads);
    out.per_second.push_back(throughput(prepared, how, effort.seconds, threads));
  }
  return out;
}

void measure_groups(const PreparedEvents& prepared, const DecideOptions& options, const BenchEffort& effort,
                    BenchReport* report) {
  Worker worker(prepared, options);
  std::map<std::string, Group> capabilities, rules;
  uint64_t effects[3] = {0, 0, 0};
  const Program& program = *prepared.program();
  const double each = rough_nanos(worker, effort.seconds / 10);
  const double rounds = effort.seconds * 1e9 / each / static_cast<double>(prepared.calls().size());
  const auto repeat = static_cast<uint32_t>(std::clamp(rounds, 1.0, 64.0));
  for (const PreparedCall& call : prepared.calls()) {
    const auto from = Clock::now();
    for (uint32_t i = 1; i < repeat; ++i) sink += static_cast<uint32_t>(worker.decide_one(call).effect);
    const Decision decision = worker.decide_one(call);
    const double nanos = nanos_between(from, Clock::now()) / repeat;
    ++effects[static_cast<size_t>(decision.effect)];
    const std::string rule = decision.rule == kNone ? "(" + std::string(to_string(decision.code)) + ")"
                                                    : program.rules()[decision.rule].name;
    for (Group* group : {&capabilities[std::string(call.capability.name)], &rules[rule]}) {
      ++group->count;
      group->nanos += nanos;
    }
  }
  report->by_capability = sorted_groups(capabilities);
  report->by_rule = sorted_groups(rules);
  for (const Effect effect : {Effect::allow, Effect::require_approval, Effect::deny}) {
    const uint64_t count = effects[static_cast<size_t>(effect)];
    if (count == 0) continue;
    report->effects += fmt::format("{}{} {} ({:.0f} %)", report->effects.empty() ? "" : ", ", count, to_string(effect),
                                   100.0 * static_cast<double>(count) / static_cast<double>(prepared.calls().size()));
  }
}

}  // namespace ordain::cli
