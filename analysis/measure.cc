// Measures decisions. A latency is that of a short batch of successive calls, long enough that
// reading the clock does not matter. Throughput is measured separately, without reading the clock.
#include "ordain/measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <new>
#include <thread>
#include <vector>

#include "ordain/event.h"
#include "vm/value/start_thread.h"

namespace ordain {
namespace {

using Clock = std::chrono::steady_clock;

double nanos_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::nano>(to - from).count();
}

constexpr double kBatchNanos = 1000;  // reading the clock takes about 2 % of this, which is subtracted
constexpr uint32_t kMaxBatch = 64;

// What one thread needs to decide, and its place in the events.
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
  // The sum keeps the compiler from removing decisions.
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

// The time of reading the clock: the minimum of many readings.
double clock_nanos() {
  double least = 1e9;
  for (int i = 0; i < 1000; ++i) {
    const auto from = Clock::now();
    least = std::min(least, nanos_between(from, Clock::now()));
  }
  return least;
}

// The rough mean of one decision; this also warms up.
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

void report_progress(const MeasureOptions& options, double done) {
  if (options.progress) options.progress(done);
}

void measure_latency(Worker& worker, const MeasureOptions& options, DecisionCost* out) {
  const double mean = rough_nanos(worker, options.seconds / 5);
  out->batch = static_cast<uint32_t>(std::clamp(kBatchNanos / mean, 1.0, static_cast<double>(kMaxBatch)));
  const double clock = clock_nanos();
  const auto start = Clock::now();
  const double limit = options.seconds * 1e9;
  // Every event is decided at least once, unless that takes far longer than the time asked for.
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
    if (decided % 4096 < out->batch) report_progress(options, std::min(1.0, elapsed / limit) / 2);
  }
  const auto quantile = [&](double q) { return static_cast<double>(out->latency.quantile(q)) / 10; };
  out->p50 = quantile(0.5), out->p90 = quantile(0.9), out->p99 = quantile(0.99), out->p999 = quantile(0.999);
}

// Decisions per second with `threads` threads, which start at different places in the events; 0 if so many threads
// cannot be started, or have no memory.
double throughput(const PreparedEvents& prepared, const DecideOptions& options, double seconds, uint32_t threads) {
  std::atomic<bool> go = false, stop = false;
  std::atomic<uint64_t> total = 0;
  std::atomic<uint32_t> ready = 0;
  std::atomic<bool> failed = false;
  const auto decide_on = [&](uint32_t thread) {
    Worker worker(prepared, options);
    worker.next = prepared.calls().size() * thread / threads;
    sink += worker.decide_next(256);
    ++ready;
    while (!go.load()) std::this_thread::yield();
    uint64_t count = 0;
    for (; !stop.load(std::memory_order_relaxed); count += 64) sink += worker.decide_next(64);
    total += count;
  };
  std::vector<vm::JoinedThread> running(threads);
  for (uint32_t thread = 0; thread < threads && !failed; ++thread) {
    const bool started = running[thread].start([&, thread] {
      try {
        decide_on(thread);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    });
    if (!started) failed = true;
  }
  while (ready.load() != threads && !failed) std::this_thread::yield();
  const auto from = Clock::now();
  go = true;
  if (!failed) std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  running.clear();  // waits for them
  if (failed) return 0;
  return static_cast<double>(total.load()) / nanos_between(from, Clock::now()) * 1e9;
}

// The same on the calling thread.
double throughput_alone(Worker& worker, double seconds) {
  const auto from = Clock::now();
  uint64_t count = 0;
  double taken = 0;
  do {
    sink += worker.decide_next(64);
    count += 64;
    taken = nanos_between(from, Clock::now());
  } while (taken < seconds * 1e9);
  return static_cast<double>(count) / taken * 1e9;
}

std::vector<DecisionGroup> sorted_groups(const std::map<std::string, DecisionGroup>& groups) {
  std::vector<DecisionGroup> out;
  for (const auto& [name, group] : groups) {
    out.push_back({name, group.count, group.mean_nanos / static_cast<double>(group.count)});
  }
  std::sort(out.begin(), out.end(), [](const DecisionGroup& a, const DecisionGroup& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  });
  return out;
}

// How often to decide each call, so that all calls together take about `seconds`.
uint32_t repetitions(Worker& worker, double seconds) {
  const double each = rough_nanos(worker, seconds / 10);
  const double rounds = seconds * 1e9 / each / static_cast<double>(worker.prepared.calls().size());
  return static_cast<uint32_t>(std::clamp(rounds, 1.0, 64.0));
}

}  // namespace

DecisionCost measure_decisions(const PreparedEvents& events, const MeasureOptions& options) {
  DecisionCost out;
  Worker worker(events, options.decide);
  measure_latency(worker, options, &out);
  for (uint32_t threads = 1; threads <= options.threads; ++threads) {
    report_progress(options, 0.5 + 0.5 * (threads - 1) / options.threads);
    const double per_second = throughput(events, options.decide, options.seconds, threads);
    if (per_second == 0) break;
    out.per_second.push_back(per_second);
  }
  if (out.per_second.empty()) out.per_second.push_back(throughput_alone(worker, options.seconds));
  return out;
}

GroupedCosts measure_groups(const PreparedEvents& events, const MeasureOptions& options) {
  GroupedCosts out;
  Worker worker(events, options.decide);
  std::map<std::string, DecisionGroup> capabilities, rules;
  const Program& program = *events.program();
  const uint32_t repeat = repetitions(worker, options.seconds);
  for (const PreparedCall& call : events.calls()) {
    const auto from = Clock::now();
    for (uint32_t i = 1; i < repeat; ++i) sink += static_cast<uint32_t>(worker.decide_one(call).effect);
    const Decision decision = worker.decide_one(call);
    const double nanos = nanos_between(from, Clock::now()) / repeat;
    ++out.effects[static_cast<size_t>(decision.effect)];
    const std::string rule = decision.rule == kNone ? "(" + std::string(to_string(decision.code)) + ")"
                                                    : program.rules()[decision.rule].name;
    for (DecisionGroup* group : {&capabilities[std::string(call.capability.name)], &rules[rule]}) {
      ++group->count;
      group->mean_nanos += nanos;
    }
  }
  out.by_capability = sorted_groups(capabilities);
  out.by_rule = sorted_groups(rules);
  return out;
}

std::optional<size_t> find_disagreement(const PreparedEvents& events, const std::vector<std::string>& lines,
                                        const EventReaderOptions& reading) {
  EventReader reader(events.program(), reading);
  Call call(events.program());
  Scratch scratch, other_scratch;
  size_t next = 0;
  for (size_t line = 0; line < lines.size(); ++line) {
    if (!reader.read(lines[line])) continue;
    const Decision expected = decide(reader.call(), reader.context(), scratch, {.interpret_only = true});
    const PreparedCall& kept = events.calls()[next++];
    kept.fill(call);
    const Decision got = decide(call, *kept.context, other_scratch);
    if (got.effect != expected.effect || got.rule != expected.rule || got.code != expected.code ||
        got.reason != expected.reason) {
      return line;
    }
  }
  return std::nullopt;
}

std::vector<LatencyBar> latency_bars(const DecisionCost& cost, int count) {
  const double low = std::max(0.1, static_cast<double>(cost.latency.quantile(0)) / 10);
  const double high = std::max(cost.p99, low * 1.5);
  std::vector<LatencyBar> out;
  double before = 0;
  for (int i = 1; i < count; ++i) {
    const double upto = low * std::pow(high / low, static_cast<double>(i) / (count - 1));
    const double below = cost.latency.share_upto(static_cast<uint64_t>(upto * 10));
    out.push_back({upto, 100 * (below - before)});
    before = below;
  }
  out.push_back({cost.max, 100 * (1 - before)});
  return out;
}

}  // namespace ordain
