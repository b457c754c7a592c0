// state_bench measures what it costs to remember: a reservation, beside other ways to hold a limit; several processes
// on one directory; growth with keys, with the length of a history and with rules; whole calls; and replaying ops.
//   build/release/bin/state_bench [--quick] [--json] [--section NAME]
#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <random>

#include "bench/report.h"
#include "bench/state_peers.h"
#include "ordain/ordain.h"
#include "runtime/state/key.h"
#include "runtime/state/metering.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::bench {
namespace {

using Clock = std::chrono::steady_clock;
using state::CallStart;
using state::Store;
using state::Verdict;

constexpr uint64_t kHour = 3600;
constexpr size_t kBound = 50;  // the largest count that is told apart

[[noreturn]] void fail(const Error& error) {
  fmt::print(stderr, "state_bench: {}: {}\n", error.code, error.message);
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) fail(result.error());
  return std::move(*result);
}

struct Directory {
  std::filesystem::path path;
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "ordain-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::exit(1);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
};

std::string key_of(uint64_t number) {
  std::string out;
  const std::string name = "principal-" + std::to_string(number);
  (void)state::append_key_part(out, Value::string(name));
  return out;
}

StateDecl declare(const std::string& name, StateKind kind) {
  StateDecl out;
  out.name = name;
  out.kind = kind;
  out.keys = {KeySource::principal};
  out.key_kinds = {Kind::string};
  return out;
}

constexpr uint32_t bit(StateMember member) { return 1u << static_cast<unsigned>(member); }

StateDecl rate(const std::string& name) {
  StateDecl out = declare(name, StateKind::rate);
  out.limit = out.burst = 1'000'000'000;
  out.window_seconds = kHour;
  return out;
}
StateDecl count(const std::string& name) {
  StateDecl out = declare(name, StateKind::history);
  out.window_seconds = kHour;
  out.bound = kBound;
  out.members = bit(StateMember::count);
  return out;
}
StateDecl sum(const std::string& name) {
  StateDecl out = declare(name, StateKind::history);
  out.window_seconds = kHour;
  out.amount = Kind::integer;
  out.members = bit(StateMember::sum);
  return out;
}
StateDecl count_of_all(const std::string& name) {
  StateDecl out = declare(name, StateKind::history);
  out.members = bit(StateMember::count) | bit(StateMember::last);
  return out;
}
StateDecl budget_of_all(const std::string& name) {
  StateDecl out = declare(name, StateKind::budget);
  out.amount = Kind::integer;
  return out;
}

std::unique_ptr<Store> local_store(const std::vector<StateDecl>& states, state::StoreOptions options = {}) {
  auto store = must(Store::make_local(std::move(options)));
  (void)must(store->define(states));
  return store;
}

Verdict proceed(std::span<const state::Reading>, const state::Moment&) { return Verdict::proceed; }

/// A call that reads and uses the states from 0 to `states` - 1.
CallStart call_of(const std::string& key, uint32_t states) {
  CallStart out{Id128::random(), true, {}, {}, {}};
  for (uint32_t i = 0; i < states; ++i) {
    out.uses.push_back({i, key, 1});
    out.questions.push_back({i, key, {true, true, 1}});
  }
  return out;
}

/// Reserves, and settles if the call holds something meanwhile.
void reserve(Store& store, const std::string& key, uint32_t states, bool holds) {
  const CallStart start = call_of(key, states);
  (void)must(store.begin(start, proceed));
  if (holds) (void)must(store.finish(start.call, {}, {}));
}

struct Way {
  std::function<void()> once;
  double best_ns = 1e18;
};

/// Lets the ways take turns, so that they have the same neighbours, and keeps the best turn of each.
void take_turns(std::initializer_list<Way*> ways, size_t times, int turns = 7) {
  for (int turn = 0; turn < turns; ++turn) {
    for (Way* way : ways) {
      const auto start = Clock::now();
      for (size_t i = 0; i < times; ++i) way->once();
      const double each =
          std::chrono::duration<double, std::nano>(Clock::now() - start).count() / static_cast<double>(times);
      way->best_ns = std::min(way->best_ns, each);
    }
  }
}

double time_one(size_t times, std::function<void()> once) {
  Way way{std::move(once)};
  take_turns({&way}, times);
  return way.best_ns;
}

void measure_reservations(const Options& options) {
  const char* const section = "a reservation";
  const size_t times = options.quick ? 5'000 : 50'000;
  const std::string key = key_of(1);
  const auto rates = local_store({rate("r")}), counts = local_store({count("c")}),
             budgets = local_store({budget_of_all("b")});
  std::vector<StateDecl> eight;
  for (int i = 0; i < 8; ++i) eight.push_back(rate("r" + std::to_string(i)));
  const auto many = local_store(eight);
  RateByHand rate_by_hand(1, 1'000'000'000);
  CountByHand count_by_hand(kBound + 1, int64_t{3'600'000'000'000});
  BudgetByHand budget_by_hand(int64_t{1} << 60);

  Way a_rate{[&] { reserve(*rates, key, 1, false); }}, rate_hand{[&] { (void)rate_by_hand.take(key); }};
  Way a_count{[&] { reserve(*counts, key, 1, true); }}, count_hand{[&] { (void)count_by_hand.add(key); }};
  Way a_budget{[&] { reserve(*budgets, key, 1, true); }};
  Way budget_hand{[&] {
    if (budget_by_hand.hold(key, 1)) budget_by_hand.settle(key, 1, 1);
  }};
  Way of_eight{[&] { reserve(*many, key, 8, false); }};
  take_turns({&rate_hand, &a_rate, &count_hand, &a_count, &budget_hand, &a_budget, &of_eight}, times);

  add(section, "a rate, by hand under a mutex", rate_hand.best_ns, "ns");
  Line& rate_line = compare(add(section, "a rate", a_rate.best_ns, "ns"), rate_hand.best_ns, "by hand");
  budget(rate_line, 300);
  budget(add(section, "eight rates in one call, each", of_eight.best_ns / 8, "ns"), 300);
  add(section, "a count in a window, by hand: a ring under a mutex", count_hand.best_ns, "ns");
  compare(add(section, "a count in a window, begun and ended", a_count.best_ns, "ns"), count_hand.best_ns, "by hand");
  add(section, "a budget, by hand under a mutex", budget_hand.best_ns, "ns");
  compare(add(section, "a budget, held and settled", a_budget.best_ns, "ns"), budget_hand.best_ns, "by hand");

  Directory directory;
  const size_t fewer = times / 10;
  BudgetInSqlite in_sqlite(directory.path.string());
  const double sqlite_ns = time_one(fewer, [&] { in_sqlite.take(); });
  compare(add(section, "a budget in a transaction of SQLite", sqlite_ns, "ns"), a_budget.best_ns, "held and settled");
  if (const auto redis = RateInRedis::start(directory.path.string())) {
    const double redis_ns = time_one(fewer, [&] { (void)redis->take("principal-1"); });
    compare(add(section, "a rate by a script in Redis, over a socket", redis_ns, "ns"), a_rate.best_ns, "a rate");
  } else {
    add(section, "a rate in Redis: not measured, there is no redis-server", 0, "");
  }
}

std::unique_ptr<Store> shared_store(const std::string& directory) {
  state::StoreOptions options;
  options.full_sync = false;
  options.busy_wait = std::chrono::seconds(60);
  auto store = must(Store::open(directory, std::move(options)));
  (void)must(store->define(std::vector<StateDecl>{rate("r")}));
  return store;
}

/// @returns nanoseconds a reservation, as each of some processes sees it
double time_processes(int processes, size_t times) {
  Directory directory;
  (void)shared_store(directory.path.string());
  int results[2];
  if (pipe(results) != 0) std::exit(1);
  for (int i = 0; i < processes; ++i) {
    const pid_t child = fork();
    if (child < 0) std::exit(1);
    if (child != 0) continue;
    const auto store = shared_store(directory.path.string());
    const std::string key = key_of(1);
    const auto start = Clock::now();
    for (size_t n = 0; n < times; ++n) reserve(*store, key, 1, false);
    const double each =
        std::chrono::duration<double, std::nano>(Clock::now() - start).count() / static_cast<double>(times);
    _exit(write(results[1], &each, sizeof(each)) == static_cast<ssize_t>(sizeof(each)) ? 0 : 1);
  }
  close(results[1]);
  double total = 0, each = 0;
  int answers = 0;
  while (read(results[0], &each, sizeof(each)) == static_cast<ssize_t>(sizeof(each))) total += each, ++answers;
  close(results[0]);
  for (int i = 0; i < processes; ++i) wait(nullptr);
  if (answers != processes) fail({"bench", "a process failed"});
  return total / processes;
}

void measure_processes(const Options& options) {
  const char* const section = "processes";
  const size_t times = options.quick ? 500 : 10'000;
  Directory directory;
  BudgetInSqlite in_sqlite(directory.path.string());
  const double sqlite_ns = time_one(times / 5, [&] { in_sqlite.take(); });
  const double one = time_processes(1, times), two = time_processes(2, times);
  compare(add(section, "one process on a directory", one, "ns"), sqlite_ns, "a transaction");
  budget(compare(add(section, "two processes on it, a reservation in each", two, "ns"), one, "one process"), 600);
}

size_t allocated_bytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void measure_history_memory(size_t keys) {
  state::StoreOptions options;
  options.limits.keys = keys;
  const size_t before = allocated_bytes();
  const auto store = local_store({count_of_all("c")}, std::move(options));
  for (size_t done = 0; done < keys; done += 1'000) {
    std::vector<state::Stamp> stamps;
    for (size_t i = done; i < done + 1'000; ++i) stamps.push_back({0, key_of(i), 0});
    (void)must(store->note(std::move(stamps)));
  }
  const double bytes = static_cast<double>(allocated_bytes()) - static_cast<double>(before);
  Line& line = add("keys", fmt::format("{} keys of a count without a window", group_digits(keys)), bytes / 1e6, "MB");
  if (keys == 1'000'000) budget(line, 128);
}

void measure_keys(const Options& options) {
  const char* const section = "keys";
  std::mt19937_64 random(1);
  double first = 0;
  for (const size_t keys : {size_t{10}, size_t{1'000}, size_t{100'000}, size_t{1'000'000}}) {
    if (options.quick && keys > 100'000) break;
    std::vector<std::string> names;
    for (size_t i = 0; i < keys; ++i) names.push_back(key_of(i));
    state::StoreOptions limits;
    limits.limits.keys = keys + 1;
    const size_t before = allocated_bytes();
    const auto store = local_store({rate("r")}, std::move(limits));
    for (const std::string& name : names) reserve(*store, name, 1, false);
    const double bytes = static_cast<double>(allocated_bytes()) - static_cast<double>(before);
    const double each = time_one(20'000, [&] { reserve(*store, names[random() % keys], 1, false); });
    Line& line = add(section, fmt::format("a rate with {} keys, a random one", group_digits(keys)), each, "ns");
    if (first == 0) first = each;
    compare(line, first, "10 keys");
    if (keys == 1'000'000) budget(add(section, "1,000,000 keys of a rate", bytes / 1e6, "MB"), 128);
  }
  measure_history_memory(options.quick ? 100'000 : 1'000'000);
}

void measure_history(const Options& options) {
  const char* const section = "history";
  const struct {
    const char* name;
    StateDecl declared;
  } kinds[] = {{"a count without a window", count_of_all("c")},
               {"a count in a window", count("c")},
               {"a sum in a window", sum("c")}};
  for (const auto& [name, declared] : kinds) {
    double first = 0;
    for (const size_t events : {size_t{0}, size_t{1'000}, size_t{1'000'000}}) {
      if (options.quick && events > 1'000) break;
      state::StoreOptions limits;
      limits.limits.stamps = 4'000'000;
      const auto store = local_store({declared}, std::move(limits));
      const std::string key = key_of(1);
      for (size_t done = 0; done < events; done += 1'000)
        (void)must(store->note(std::vector<state::Stamp>(1'000, state::Stamp{0, key, 1})));
      const double each = time_one(20'000, [&] { reserve(*store, key, 1, true); });
      Line& line = add(section, fmt::format("{}, after {} events", name, group_digits(events)), each, "ns");
      if (first == 0) {
        first = each;
      } else {
        budget_of_ratio(compare(line, first, "0 events"), 1.5);
      }
    }
  }
}

std::shared_ptr<const Program> compile_text(const std::string& text) {
  auto compilation = compile({std::make_shared<Source>(Source{"bench.policy", text})}, standard_library());
  if (compilation.program == nullptr) fail({"compile", render(compilation.diagnostics)});
#ifdef ORDAIN_HAS_JIT
  if (auto native = compile_native(*compilation.program); !native.ok()) fail(native.error());
#endif
  return compilation.program;
}

constexpr size_t kStates = 100, kTouched = 4;

/// Makes `rules` rules over 100 histories. Each of 25 capabilities counts in four of them, and has its part of the
/// rules.
std::string temporal_rules(size_t rules) {
  constexpr size_t kCapabilities = kStates / kTouched;
  std::string out = "package bench;\n";
  for (size_t i = 0; i < kCapabilities; ++i) out += fmt::format("capability act{} {{ input {{ n: int }} }}\n", i);
  for (size_t i = 0; i < kStates; ++i)
    out += fmt::format("history past{} = begun act{} by principal within 1h;\n", i, i / kTouched);
  for (size_t i = 0; i < kCapabilities; ++i) {
    out += fmt::format("policy p{} on before act{} {{\n", i, i);
    for (size_t rule = i; rule < rules; rule += kCapabilities) {
      const size_t state = i * kTouched + rule / kCapabilities % kTouched;
      // Larger than any count here, so that every rule is tried.
      out += fmt::format("  deny r{} when past{}.count > {};\n", rule, state, 100'000 + rule);
    }
    out += "  allow rest;\n}\n";
  }
  return out;
}

/// @returns nanoseconds to read, decide and write, of calls that end untimed
double time_decisions(const std::shared_ptr<const Program>& program) {
  const auto store = must(Store::make_local({}));
  const auto meter = must(state::Meter::make(program, *store));
  Context context(program);
  context.set("principal.id", Value::string("ann"));
  const Document input = must(Document::parse(R"({"n": 1})"));
  Call call(program);
  call.begin(program->resolve("act3"), Stage::before);
  call.bind_input(input.root());
  Scratch scratch, deciding;
  const state::CallFacts facts{call, context, scratch, ""};
  double best = 1e18;
  for (int turn = 0; turn < 30; ++turn) {
    constexpr size_t kBatch = 200;
    std::deque<state::MeteredCall> calls;
    const auto start = Clock::now();
    for (size_t i = 0; i < kBatch; ++i) {
      auto started = calls.emplace_back(meter, *store, Id128::random()).start(facts, [&] {
        return decide(call, context, deciding).effect == Effect::allow ? Verdict::proceed : Verdict::deny;
      });
      if (must(std::move(started)) != Verdict::proceed) fail({"bench", "a call was denied"});
    }
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count() / kBatch);
    for (state::MeteredCall& each : calls) {
      if (auto ended = each.end(state::Ending::failed, nullptr); !ended.ok()) fail(ended.error());
    }
  }
  return best;
}

void measure_rules(const Options& options) {
  const char* const section = "rules";
  double first = 0;
  for (const size_t rules : {size_t{10}, size_t{100}, size_t{1'000}, size_t{10'000}}) {
    if (options.quick && rules > 1'000) break;
    const double each = time_decisions(compile_text(temporal_rules(rules)));
    Line& line =
        add(section, fmt::format("{} rules, a call that touches 4 of 100 states", group_digits(rules)), each, "ns");
    if (first == 0) first = each;
    compare(line, first, "10 rules");
    if (rules == 10'000) budget(line, 2'000);
  }
}

constexpr const char* kPlain = R"(package bench;
capability pay  { input { amount: int, to: string } output { message: string } }
capability look { input { amount: int, to: string } output { message: string } }
policy payments on before pay, look { deny much when input.amount > 1000; allow rest; }
policy answers on after pay, look { deny leak when output.message.contains("AKIA"); allow rest; }
)";

constexpr const char* kRemembered = R"(
history paid = begun pay by principal within 1h up to 50;
budget spend = 1000000000 by principal each month { take input.amount on pay; }
policy limits on before pay { warn often when paid.count > 50; deny over when spend.left < 0; }
)";

/// Governed calls of one runtime, with the time of each.
struct Caller {
  Directory directory;
  std::string capability;
  Runtime runtime;
  std::vector<double> nanos = {};

  static Runtime open(const std::shared_ptr<const Program>& program, const std::string& database) {
    RuntimeOptions options;
    options.agent = "bench";
    options.principal = "ann";
    options.database = database;
    options.audit.durability = Durability::group;
    return must(Runtime::open(program, options));
  }
  Caller(const std::shared_ptr<const Program>& program, std::string called, bool recorded)
      : capability(std::move(called)), runtime(open(program, recorded ? directory.path.string() : "")) {}

  void run(size_t calls) {
    static const Document input = must(Document::parse(R"({"amount": 1, "to": "bob"})"));
    static const Document output = must(Document::parse(R"({"message": "done"})"));
    for (size_t i = 0; i < calls; ++i) {
      const auto start = Clock::now();
      auto outcome = runtime.call(capability, input, [&](const Value&) { return Result<Document>(output); });
      nanos.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count());
      if (!outcome) fail({"call", outcome.describe()});
    }
    if (auto flushed = runtime.flush(); !flushed.ok()) fail(flushed.error());
  }
  double median() {
    std::nth_element(nanos.begin(), nanos.begin() + static_cast<ptrdiff_t>(nanos.size() / 2), nanos.end());
    return nanos[nanos.size() / 2];
  }
};

void measure_calls(const Options& options) {
  const char* const section = "a governed call";
  const auto plain = compile_text(kPlain), remembers = compile_text(std::string(kPlain) + kRemembered);
  Caller without(plain, "pay", true), with(remembers, "pay", true);
  Caller bare(plain, "look", false), beside(remembers, "look", false);
  const size_t calls = options.quick ? 500 : 5'000;
  for (int turn = 0; turn < 10; ++turn) {
    for (Caller* caller : {&without, &with, &bare, &beside}) caller->run(calls);
  }
  add(section, "group audit, without state, p50", without.median(), "ns");
  Line& line = add(section, "group audit, with a history and a budget, p50", with.median(), "ns");
  budget_of_ratio(compare(line, without.median(), "without state"), 1.5);
  add(section, "no audit, of a set without state, p50", bare.median(), "ns");
  Line& free = add(section, "no audit, of a set with state that the call does not touch, p50", beside.median(), "ns");
  budget_of_ratio(compare(free, bare.median(), "of a set without"), 1.1);
}

void measure_rebuild(const Options& options) {
  const size_t wanted = options.quick ? 50'000 : 1'000'000;
  std::vector<std::string> ops;
  ops.reserve(wanted + 2);
  state::StoreOptions recorded;
  recorded.limits.keys = 1'000'000;
  recorded.observe = [&](std::string_view op) { ops.emplace_back(op); };
  const auto store = local_store({rate("r"), count("c"), budget_of_all("b")}, recorded);
  std::mt19937_64 random(1);
  while (ops.size() < wanted) reserve(*store, key_of(random() % 10'000), 3, true);
  state::StoreOptions replayed;
  replayed.limits.keys = 1'000'000;
  const auto again = must(Store::make_local(std::move(replayed)));
  const auto start = Clock::now();
  if (auto done = again->replay(ops); !done.ok()) fail(done.error());
  const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  if (must(again->save()).size() != must(store->save()).size()) fail({"bench", "the ops rebuilt another state"});
  Line& line = add("rebuild", fmt::format("{} ops replayed", group_digits(ops.size())), ms, "ms");
  if (!options.quick) budget(line, 5'000);
}

struct Section {
  const char* name;
  void (*measure)(const Options&);
};
constexpr Section kSections[] = {{"reservations", measure_reservations},
                                 {"processes", measure_processes},
                                 {"keys", measure_keys},
                                 {"history", measure_history},
                                 {"rules", measure_rules},
                                 {"calls", measure_calls},
                                 {"rebuild", measure_rebuild}};

}  // namespace
}  // namespace ordain::bench

int main(int argc, char** argv) {
  using namespace ordain::bench;  // NOLINT(google-build-using-namespace)
  std::vector<std::string> names;
  for (const Section& section : kSections) names.emplace_back(section.name);
  const Options options = parse_options(argc, argv, "state_bench", "What it costs to remember", names);
  const auto& wanted = options.sections;
  for (const Section& section : kSections) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), section.name) != wanted.end())
      section.measure(options);
  }
  print_report(options);
}
