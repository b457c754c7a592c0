// scale_bench measures how deciding, loading, native code and memory grow with the number of rules,
// beside their budgets.
//   build/release/bin/scale_bench [--quick] [--json]
// The answers of every rule set are checked against the oracle on the requests that are then timed.
// One decision means: begin the call, set its fields, decide; agents' contexts are made beforehand.
// Each figure is the best of several rounds.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>

#include "bench/access_by_hand.h"
#include "bench/prepared.h"
#include "bench/report.h"
#include "bench/rule_sets.h"
#include "ordain/stdlib.h"
#include "tests/support/allocations.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::bench {
namespace {

// --- role, type, action and department rules: is the time constant?

void measure_growth(const Options& options) {
  const char* const section = "access rules";
  const Family& access = *find_family("access");
  std::vector<size_t> sizes = {170, 1000, 10'000};
  if (!options.quick) sizes.push_back(100'000);
  const double seconds = options.quick ? 0.15 : 0.5;
  std::map<size_t, double> fixed;
  for (const size_t size : sizes) {
    Prepared prepared = prepare(access, size);
    const Requests requests = requests_for(prepared, access, 170, 500);
    const bool native = make_native(prepared, options.quick || size > 10'000);
    check_against_oracle(prepared, *requests);
    const AccessByHand by_hand(*prepared.program, size, 1);
    Call call(prepared.program);
    Scratch scratch;
    const double ns = fixed[size] = time_decisions(*requests, false, seconds);
    // Different keys are meant to empty the caches; where decisions are slow, they do not matter.
    const size_t different = ns > 20'000 ? 300 : options.quick ? 5000 : 50'000;
    const Requests everywhere = requests_for(prepared, access, size, different, 9);
    for (const PreparedEvents* of : {requests.get(), everywhere.get()}) {
      for (const PreparedCall& request : of->calls()) {
        request.fill(call);
        const Decision expected = by_hand.decide(call, *request.context), got = decide(call, *request.context, scratch);
        if (expected.effect == got.effect && expected.rule == got.rule) continue;
        fmt::print(stderr, "the baseline written by hand disagrees at {} rules\n", size);
        std::exit(1);
      }
    }
    const auto hand = [&](const Call& c, const Context& context) { return by_hand.decide(c, context); };
    const double hand_ns = time_requests(*requests, seconds, hand);
    const double fill_ns = time_requests(*requests, seconds, [](const Call&, const Context&) { return Decision(); });
    const std::string rules = group_digits(size) + " rules, ";
    Line& line = add(section, rules + "500 fixed requests", ns, "ns");
    if (size == 10'000) {
      compare(line, fixed[170], "170 rules");
      budget_of_ratio(line, 1.3);
      budget(add(section, rules + "the same, absolute", ns, "ns"), 150);
    } else if (size == 100'000) {
      compare(line, fixed[10'000], "10,000 rules");
      budget_of_ratio(line, 2);
    }
    compare(add(section, rules + "of it beginning the call and setting its fields", fill_ns, "ns"), ns, "all");
    Line& hand_line = add(section, rules + "by hand", hand_ns, "ns");
    hand_line.ratio = ns / hand_ns, hand_line.beside = "in Ordain";
    compare(add(section, rules + "uniform random keys", time_decisions(*everywhere, false, seconds), "ns"),
            time_requests(*everywhere, seconds, hand), "by hand");
    if (native && size == 10'000) {
      Line& both = add(section, rules + "interpreter", time_decisions(*requests, true, seconds), "ns");
      compare(both, ns, "native");
      budget_of_ratio(both, 6);
    }
  }
}

// --- every family at every size

void measure_families(const Options& options) {
  std::vector<size_t> sizes = {10, 100, 1000};
  if (!options.quick) sizes.push_back(10'000);
  const double seconds = options.quick ? 0.05 : 0.15;
  for (const Family& family : families()) {
    if (std::string_view(family.name).starts_with("mixed")) continue;
    const std::string section = fmt::format("family {}", family.name);
    double smallest = 0;
    for (const size_t size : sizes) {
      Prepared prepared = prepare(family, size);
      const Requests requests = requests_for(prepared, family, size, options.quick ? 100 : 300);
      const bool native = make_native(prepared, options.quick);
      check_against_oracle(prepared, *requests);
      const double ns = time_decisions(*requests, false, seconds);
      if (smallest == 0) smallest = ns;
      const std::string rules = group_digits(size) + " rules";
      compare(add(section, rules, ns, "ns"), smallest, "10 rules");
      if (native) {
        const double interpreted = time_decisions(*requests, true, seconds);
        compare(add(section, rules + ", interpreter", interpreted, "ns"), ns, "native");
      }
    }
  }
}

void measure_arithmetic(const Options& options) {
  const Family& family = *find_family("arithmetic");
  Prepared prepared = prepare(family, 1000);
  const Requests requests = requests_for(prepared, family, 1000, 200);
  const bool native = make_native(prepared, options.quick);
  check_against_oracle(prepared, *requests);
  const double seconds = options.quick ? 0.2 : 0.5;
  const double ns = time_decisions(*requests, false, seconds);
  budget(add("no index helps", "1,000 rules of arithmetic, a rule", ns / 1000, "ns"), 5);
  if (!native) return;
  Line& line = add("no index helps", "the same, interpreter", time_decisions(*requests, true, seconds) / 1000, "ns");
  compare(line, ns / 1000, "native");
  budget_of_ratio(line, 6);
}

void measure_patterns(const Options& options) {
  const size_t size = options.quick ? 1000 : 10'000;
  const Family &plain = *find_family("shell"), &fragments = *find_family("shell_fragments");
  Prepared prepared = prepare(plain, size);
  make_native(prepared, options.quick);
  const double seconds = options.quick ? 0.2 : 0.5;
  for (const Family* family : {&plain, &fragments}) {
    const Requests requests = requests_for(prepared, *family, size, 200);
    check_against_oracle(prepared, *requests);
    Line& line = add("patterns",
                     fmt::format("{} patterns on 200 bytes, {}", group_digits(size),
                                 family == &plain ? "plain text" : "text built from fragments"),
                     time_decisions(*requests, false, seconds), "ns");
    if (size == 10'000) budget(line, family == &plain ? 2000 : 20'000);
  }
}

// --- allocations

void count_allocations(const Options& options) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) return;
  uint64_t made = 0, decisions = 0;
  for (const Family& family : families()) {
    // RE2 may allocate while it matches.
    if (std::string_view(family.name).starts_with("shell") || std::string_view(family.name).starts_with("traffic") ||
        std::string_view(family.name).starts_with("mixed")) {
      continue;
    }
    Prepared prepared = prepare(family, 1000);
    make_native(prepared, options.quick);
    const Requests requests = requests_for(prepared, family, 1000, 200);
    Call call(prepared.program);
    Scratch scratch;
    for (const PreparedCall& request : requests->calls()) {
      request.fill(call);  // an arena may grow the first time
      request.fill(call);
      const uint64_t before = test::allocations_made;
      request.fill(call);
      (void)decide(call, *request.context, scratch);
      (void)decide(call, *request.context, scratch, {.interpret_only = true});
      made += test::allocations_made - before;
      ++decisions;
    }
  }
  budget(add("allocations", fmt::format("in {} decisions, fields set within", group_digits(decisions)),
             static_cast<double>(made), ""),
         0);
}

// --- loading, native code, memory

double first_decision(const std::shared_ptr<const Program>& program, const Family& family, size_t size) {
  const std::string event = event_json(draw_requests(family, size, 1, 1, 5).front());
  const double start = now_ms();
  PreparedEvents prepared(program);
  if (!prepared.add(event)) std::exit(1);
  Call call(program);
  Scratch scratch;
  prepared.calls().front().fill(call);
  (void)decide(call, *prepared.calls().front().context, scratch, {.interpret_only = true});
  return now_ms() - start;
}

// Compiles in the background while decisions are timed: after how long are they within 1.6 of their
// final time?
void measure_background(const Prepared& prepared, const Family& family, size_t size) {
#ifdef ORDAIN_HAS_JIT
  const Requests requests = requests_for(prepared, family, size, 100);
  struct Sample {
    double at, ns;
  };
  std::vector<Sample> samples;
  const double start = now_ms();
  compile_native_in_background(*prepared.program);
  while (!prepared.program->fully_native() && now_ms() - start < 60'000) {
    const double ns = time_decisions(*requests, false, 0.01);
    samples.push_back({now_ms() - start, ns});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const double done = now_ms() - start;
  const double final_ns = time_decisions(*requests, false, 0.2);
  double near = done;
  for (size_t i = samples.size(); i-- > 0 && samples[i].ns <= 1.6 * final_ns;) near = samples[i].at;
  const std::string rules = group_digits(size) + " rules, ";
  Line& within = add("native code", rules + "to within 1.6 of the final speed", near, "ms");
  Line& final = add("native code", rules + "to the final speed", done, "ms");
  if (size == 10'000) budget(within, 500), budget(final, 3000);
#else
  (void)prepared, (void)family, (void)size;
#endif
}

void measure_loading(const Options& options) {
  const Family& access = *find_family("access");
  const std::vector<size_t> sizes = options.quick ? std::vector<size_t>{1000} : std::vector<size_t>{1000, 10'000};
  for (const size_t size : sizes) {
    const std::string rules = group_digits(size) + " rules, ";
    const bool judged = size == 10'000;
    double text_ms = 1e300, load_ms = 1e300;
    Prepared prepared;
    for (int round = 0; round < 3; ++round) {
      const double start = now_ms();
      prepared = prepare(access, size);
      text_ms = std::min(text_ms, now_ms() - start + first_decision(prepared.program, access, size));
    }
    const std::string bytes = prepared.program->serialise();
    for (int round = 0; round < 5; ++round) {
      const double start = now_ms();
      auto loaded = Program::load(bytes, standard_library());
      if (!loaded) std::exit(1);
      load_ms = std::min(load_ms, now_ms() - start + first_decision(*loaded, access, size));
    }
    Line& text = add("loading", rules + "text to first decision", text_ms, "ms");
    Line& load = add("loading", rules + "serialised to first decision", load_ms, "ms");
    if (judged) budget(text, 600), budget(load, 20);
    measure_background(prepared, access, size);
    const size_t memory = prepared.program->memory();
    Prepared again = prepare(access, size);
    make_native(again, options.quick);
    Line& total = add("memory", rules + "a rule, native code included",
                      static_cast<double>(memory + again.code_bytes) / static_cast<double>(size), "bytes");
    if (judged) budget(total, 1024);
    add("memory", rules + "native code of it, a rule",
        static_cast<double>(again.code_bytes) / static_cast<double>(size), "bytes");
    add("memory", rules + "serialised, a rule", static_cast<double>(bytes.size()) / static_cast<double>(size), "bytes");
  }
}

// --- the report

int run(const Options& options) {
  const std::pair<const char*, void (*)(const Options&)> sections[] = {
      {"growth", measure_growth},         {"arithmetic", measure_arithmetic}, {"patterns", measure_patterns},
      {"allocations", count_allocations}, {"loading", measure_loading},       {"families", measure_families},
  };
  for (const auto& [name, measure] : sections) {
    const auto& chosen = options.sections;
    if (chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end()) measure(options);
  }
  print_report(options);
  return 0;
}

}  // namespace
}  // namespace ordain::bench

int main(int argc, char** argv) {
  return ordain::bench::run(ordain::bench::parse_options(
      argc, argv, "scale_bench", "How deciding, loading, native code and memory grow with rules",
      {"growth", "arithmetic", "patterns", "allocations", "loading", "families"}));
}
