// reload_bench measures how long deciding threads pause while programs are replaced. Eight threads
// decide without a break, first undisturbed, then while a thousand programs are published one after
// another. Each decision is timed on its own, from asking for the current program to the answer, so
// it includes the thread's cost of a change (new Call, new Context). If there are more threads than
// cores, they interrupt each other for milliseconds, so the changes are also reported in processor
// time.
//   build/release/bin/reload_bench [--quick] [--json]
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <thread>

#include "bench/report.h"
#include "bench/rule_sets.h"
#include "ordain/latency.h"
#include "ordain/live_program.h"
#include "ordain/ordain.h"

namespace ordain::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kBudget = 100'000;  // ns, at p99.9
const char* const kSection = "eight threads decide by 300 rules";

uint64_t nanos_since(Clock::time_point start) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

// @returns the time for which the calling thread had a processor
uint64_t thread_nanos() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

std::shared_ptr<const Program> program_of(size_t rules, uint64_t seed) {
  auto text = std::make_shared<Source>(Source{"bench.policy", role_rules(static_cast<int>(rules), seed)});
  Compilation compilation = compile({text}, standard_library());
  if (compilation.program == nullptr) {
    std::cerr << render(compilation.diagnostics);
    std::exit(1);
  }
  return compilation.program;
}

void fill(Context& context) {
  const Value roles[] = {Value::string("role1"), Value::string("role7")};
  context.set("agent.roles", Value::list(roles));
  context.set("agent.department", Value::string("department3"));
}

struct Pauses {
  LatencyHistogram all, changing, changing_cpu;  // apart: with a change of program
  uint64_t longest = 0, changes = 0;
};

// Decides on one thread until `stop` is set.
void decide_on(const LiveProgram& live, const LiveContext& who, const std::atomic<bool>& stop, Pauses& out) {
  const Document input = *Document::parse(R"({"action": "read", "size": 3})");
  LiveCall seat(live, who);
  Scratch scratch;
  uint64_t version = live.version();
  while (!stop.load(std::memory_order_relaxed)) {
    const auto start = Clock::now();
    const bool may_change = live.version() != version;
    const uint64_t spent = may_change ? thread_nanos() : 0;
    const bool changed = seat.refresh();
    seat.call().begin(seat.program().resolve("access"), Stage::before);
    seat.call().bind_input(input.root());
    const Decision decision = decide(seat.call(), seat.context(), scratch);
    const uint64_t took = nanos_since(start);
    if (decision.code == DecisionCode::invalid_input) std::exit(1);
    out.all.add(took);
    out.longest = std::max(out.longest, took);
    if (!may_change || !changed) continue;
    version = live.version();
    out.changing.add(took), out.changing_cpu.add(thread_nanos() - spent), ++out.changes;
  }
}

struct Phase {
  std::string name;
  std::vector<Pauses> threads;
};

template <typename Meanwhile>
Phase measure(std::string name, size_t threads, const LiveProgram& live, const LiveContext& who, Meanwhile meanwhile) {
  Phase out{std::move(name), std::vector<Pauses>(threads)};
  std::atomic<bool> stop{false};
  std::vector<std::thread> running;
  for (Pauses& each : out.threads) running.emplace_back([&] { decide_on(live, who, stop, each); });
  meanwhile();
  stop = true;
  for (auto& thread : running) thread.join();
  return out;
}

// Reports the quantiles of the worst thread, because the budget applies to each thread.
void report_pauses(const Phase& phase, bool judged) {
  uint64_t p50 = 0, p99 = 0, p999 = 0, longest = 0;
  for (const Pauses& each : phase.threads) {
    p50 = std::max(p50, each.all.quantile(0.5)), p99 = std::max(p99, each.all.quantile(0.99));
    p999 = std::max(p999, each.all.quantile(0.999)), longest = std::max(longest, each.longest);
  }
  const auto line = [&](const char* name, uint64_t ns) -> Line& {
    return add(kSection, phase.name + ", " + name, static_cast<double>(ns), "ns");
  };
  line("p50", p50), line("p99", p99);
  Line& tail = line("p99.9", p999);
  if (judged) budget(tail, kBudget);
  line("longest", longest);
}

int run(const Options& options) {
  const size_t reloads = options.quick ? 100 : 1000;
  constexpr size_t threads = 8, rules = 300;
  std::vector<std::string> variants;
  for (uint64_t seed = 1; seed <= 4; ++seed) variants.push_back(program_of(rules, seed)->serialise());
  std::vector<std::weak_ptr<const Program>> made;
  const auto load = [&](size_t n) {
    auto program = *Program::load(variants[n % variants.size()], standard_library());
    made.push_back(program);
    return program;
  };
  LiveProgram live(load(0));
  LiveContext who(fill);
  auto start = Clock::now();
  std::chrono::nanoseconds publishing{0};
  const Phase reloading = measure("during the reloads", threads, live, who, [&] {
    for (size_t n = 1; n <= reloads; ++n) {
      auto next = load(n);
      const auto before = Clock::now();
      live.publish(std::move(next));
      publishing += Clock::now() - before;
    }
  });
  const auto took = Clock::now() - start;
  // Measure as long as before, with a thread that works as hard as the loading thread did; the
  // difference is due to the reloads.
  const Phase alone = measure("loading, no reload", threads, live, who, [&] {
    std::shared_ptr<const Program> unused;
    for (start = Clock::now(); Clock::now() - start < took;) unused = *Program::load(variants[0], standard_library());
  });
  report_pauses(alone, false);
  report_pauses(reloading, true);
  LatencyHistogram changing, cpu;
  for (const Pauses& each : reloading.threads) changing.add(each.changing), cpu.add(each.changing_cpu);
  const auto tail = [](const char* name, const LatencyHistogram& of) {
    add(kSection, fmt::format("the {} changes of program alone, p99.9{}", group_digits(of.count()), name),
        static_cast<double>(of.quantile(0.999)), "ns");
  };
  tail("", changing);
  tail(", in processor time", cpu);
  size_t alive = 0;
  for (int n = 0; n < 2500 && (alive = static_cast<size_t>(std::count_if(
                                   made.begin(), made.end(), [](const auto& p) { return !p.expired(); }))) != 1;
       ++n) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  add(kSection, "publishing a program", static_cast<double>(publishing.count()) / static_cast<double>(reloads), "ns");
  budget(add(kSection, fmt::format("of {} programs, alive at the end", group_digits(made.size())),
             static_cast<double>(alive), ""),
         1);
  print_report(options);
  return 0;
}

}  // namespace
}  // namespace ordain::bench

int main(int argc, char** argv) {
  return ordain::bench::run(ordain::bench::parse_options(argc, argv, "reload_bench",
                                                         "How long deciding threads pause while programs change"));
}
