// cel_bench times typed CEL conditions in the interpreter and in native code, beside the same
// condition written in C++ by hand.
//   build/release/bin/cel_bench
// It times one condition by itself: a fresh budget, then the code, over a call that is already
// bound. The hand-written code reads the same slots and symbols through a pointer to it, checks
// what the language checks (absent fields, overflow, the budget of loops and of work that grows
// with its input), and returns false, true or fault.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>

#include "bench/program.h"
#include "ordain/compile.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "vm/decide/decide_run.h"
#include "vm/program/linked_program.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain {
namespace {

constexpr Truth truth(bool value) { return value ? Truth::yes : Truth::no; }

// The facts that a hand-written condition reads.
struct Facts {
  const Value* values;
  const SymbolId* symbols;
  uint64_t cost_left;
  // The positions of slots and constants, found once.
  uint32_t a, b, c, d, s, path, xs, thousand, m, one, two, deep;
  SymbolId wanted[128];
  uint32_t wanted_count;
  const RE2* regex;

  /// @returns the slot's value, or nullptr if it is absent: then the condition faults
  const Value* present(uint32_t slot) const { return values[slot].present() ? &values[slot] : nullptr; }

  bool charge(uint64_t steps) {
    if (steps > cost_left) return false;
    cost_left -= steps;
    return true;
  }
};

using ByHand = Truth (*)(Facts& facts);

Truth arithmetic(Facts& f) {
  const Value *va = f.present(f.a), *vb = f.present(f.b), *vc = f.present(f.c), *vd = f.present(f.d);
  if (va == nullptr || vb == nullptr || vc == nullptr || vd == nullptr) return Truth::fault;
  const int64_t a = va->i, b = vb->i, c = vc->i, d = vd->i;
  int64_t sum, product, difference;
  if (__builtin_add_overflow(a, b, &sum) || __builtin_mul_overflow(sum, c, &product)) return Truth::fault;
  if (b == 0 || (a == INT64_MIN && b == -1)) return Truth::fault;
  if (__builtin_sub_overflow(product, a % b, &difference)) return Truth::fault;
  return truth(difference > d);
}
Truth doubles(Facts& f) {
  const Value *va = f.present(f.a), *vb = f.present(f.b);
  if (va == nullptr || vb == nullptr) return Truth::fault;
  const double a = static_cast<double>(va->i), b = static_cast<double>(vb->i);
  return truth(a * 1.5 + b / 2.0 > 100.0 && b < 1e6);
}
Truth equal_text(Facts& f) {
  if (f.present(f.s) == nullptr) return Truth::fault;
  return truth(f.symbols[f.s] == f.wanted[0]);
}
Truth starts_with(Facts& f) {
  const Value* path = f.present(f.path);
  if (path == nullptr || !f.charge(1)) return Truth::fault;
  return truth(path->as_text().starts_with("/srv/data/"));
}
Truth ends_with(Facts& f) {
  const Value* path = f.present(f.path);
  if (path == nullptr) return Truth::fault;
  return truth(path->as_text().ends_with(".json"));
}
Truth contains(Facts& f) {
  const Value* path = f.present(f.path);
  if (path == nullptr || !f.charge(contains_cost(path->aux, 6))) return Truth::fault;
  return truth(path->as_text().find("secret") != std::string_view::npos);
}
Truth matches(Facts& f) {
  const Value* path = f.present(f.path);
  if (path == nullptr) return Truth::fault;
  const std::string_view text = path->as_text();
  if (!f.charge((text.size() + 1) * 20)) return Truth::fault;
  return truth(f.regex->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED, nullptr, 0));
}
Truth in_symbols(Facts& f) {
  if (f.present(f.s) == nullptr) return Truth::fault;
  const SymbolId symbol = f.symbols[f.s];
  for (uint32_t i = 0; i < f.wanted_count; ++i) {
    if (f.wanted[i] == symbol) return Truth::yes;
  }
  return Truth::no;
}
Truth in_sorted_symbols(Facts& f) {
  if (f.present(f.s) == nullptr) return Truth::fault;
  return truth(std::binary_search(f.wanted, f.wanted + f.wanted_count, f.symbols[f.s]));
}
Truth in_three_ints(Facts& f) {
  const Value* a = f.present(f.a);
  if (a == nullptr || !f.charge(3)) return Truth::fault;
  return truth(a->i == 1 || a->i == 5 || a->i == 9);
}
Truth in_hundred_ints(Facts& f) {
  const Value* a = f.present(f.a);
  if (a == nullptr || !f.charge(100)) return Truth::fault;
  static const auto numbers = [] {
    std::array<int64_t, 100> out{};
    for (int64_t i = 0; i < 100; ++i) out[static_cast<size_t>(i)] = i * 7 + 1000;
    return out;
  }();
  return truth(std::binary_search(numbers.begin(), numbers.end(), a->i));
}
template <uint32_t Facts::* list>
Truth exists(Facts& f) {
  const Value* elements = f.present(f.*list);
  if (elements == nullptr) return Truth::fault;
  for (const Value& x : elements->as_list()) {
    if (!f.charge(4)) return Truth::fault;
    if (x.i > 1000) return Truth::yes;
  }
  return Truth::no;
}
Truth map_lookup(Facts& f) {
  const Value* map = f.present(f.m);
  if (map == nullptr) return Truth::fault;
  const Value* found = map_find(*map->map, "k5");
  if (found == nullptr) return Truth::fault;
  return truth(found->i == 5);
}
Truth has_chain(Facts& f) {
  return truth(f.values[f.one].present() && f.values[f.two].present() && f.values[f.deep].present() &&
               f.values[f.deep].i > 3);
}

struct Case {
  const char* name;
  std::string text;
  ByHand by_hand;
  std::vector<std::string> wanted = {};
};

std::vector<Case> cases() {
  std::vector<std::string> names;
  std::string hundred_strings, hundred_ints;
  for (int i = 0; i < 100; ++i) {
    names.push_back(fmt::format("environment-{}", i));
    hundred_strings += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", names.back());
    hundred_ints += fmt::format("{}{}", i == 0 ? "" : ", ", i * 7 + 1000);
  }
  return {
      {"arithmetic", "(input.a + input.b) * input.c - input.a % input.b > input.d", arithmetic},
      {"doubles", "double(input.a) * 1.5 + double(input.b) / 2.0 > 100.0 && double(input.b) < 1e6", doubles},
      {"string_equal", "input.s == \"production\"", equal_text, {"production"}},
      {"string_starts_with", "input.path.startsWith(\"/srv/data/\")", starts_with},
      {"string_ends_with", "input.path.endsWith(\".json\")", ends_with},
      {"string_contains", "input.path.contains(\"secret\")", contains},
      {"string_matches", "input.path.matches(\"^/srv/[a-z]+/file[0-9]+\")", matches},
      {"in_3_strings",
       "input.s in [\"staging\", \"canary\", \"production\"]",
       in_symbols,
       {"staging", "canary", "production"}},
      {"in_100_strings", "input.s in [" + hundred_strings + "]", in_sorted_symbols, names},
      {"in_3_ints", "input.a in [1, 5, 9]", in_three_ints},
      {"in_100_ints", "input.a in [" + hundred_ints + "]", in_hundred_ints},
      {"exists_10", "input.xs.exists(x, x > 1000)", exists<&Facts::xs>},
      {"exists_1000", "input.thousand.exists(x, x > 1000)", exists<&Facts::thousand>},
      {"map_lookup", "input.m[\"k5\"] == 5", map_lookup},
      {"has_chain", "has(input.r.one) && has(input.r.two) && has(input.r.inner.deep) && input.r.inner.deep > 3",
       has_chain},
  };
}

// A condition with its facts, ready to be evaluated in all three ways.
struct Prepared {
  std::shared_ptr<const Program> program;
  std::unique_ptr<Context> context;
  std::unique_ptr<Call> call;
  Scratch scratch;
  Facts facts{};
};

constexpr const char* kSchema = R"(package bench;
capability act {
  input {
    a: int, b: int, c: int, d: int, s: string, path: string, xs: list(int), thousand: list(int), m: map(string, int),
    r: { one: optional(int), two: optional(string), inner: { deep: optional(int) } }
  }
}
policy touched on after act { deny every when input.a + input.b + input.c + input.d + input.xs[0] + input.thousand[0] +
    input.m["k0"] > 0 && input.s + input.path != "" && has(input.r.one) && has(input.r.two) && has(input.r.inner.deep); }
policy p on before act { deny r when )";

std::string input_text() {
  std::string ten, thousand, map;
  for (int i = 0; i < 10; ++i) {
    ten += fmt::format("{}{}", i == 0 ? "" : ", ", i);
    map += fmt::format("{}\"k{}\": {}", i == 0 ? "" : ", ", i, i);
  }
  for (int i = 0; i < 1000; ++i) thousand += fmt::format("{}{}", i == 0 ? "" : ", ", i);
  return fmt::format(
      R"({{"a": 41, "b": 7, "c": 3, "d": 100, "s": "production", "path": "/srv/data/file0123456789/report.json",)"
      R"( "xs": [{}], "thousand": [{}], "m": {{{}}}, "r": {{"one": 1, "two": "x", "inner": {{"deep": 4}}}}}})",
      ten, thousand, map);
}

std::unique_ptr<Prepared> prepare(const Case& test) {
  auto out = std::make_unique<Prepared>();
  out->program = bench::make_program(kSchema + test.text + "; }");
  out->context = std::make_unique<Context>(out->program);
  out->call = std::make_unique<Call>(out->program);
  out->call->begin(out->program->resolve("act"), Stage::before);
  out->call->bind_input(*parse_json(out->call->arena(), input_text()));
  if (out->call->error().failed) {
    std::cerr << out->call->error().message << "\n";
    std::exit(1);
  }
  const Schema& schema = out->program->schema();
  const Capability* act = schema.find_capability("act");
  const auto index = [&](const char* path) { return schema.slots[out->program->slot(act, path).id].index; };
  Facts& f = out->facts;
  f.values = out->call->slots().values.data();
  f.symbols = out->call->slots().symbols.data();
  f.a = index("input.a"), f.b = index("input.b"), f.c = index("input.c"), f.d = index("input.d");
  f.s = index("input.s"), f.path = index("input.path"), f.xs = index("input.xs");
  f.thousand = index("input.thousand"), f.m = index("input.m"), f.one = index("input.r.one");
  f.two = index("input.r.two"), f.deep = index("input.r.inner.deep");
  for (const std::string& name : test.wanted) f.wanted[f.wanted_count++] = out->program->symbol(name);
  std::sort(f.wanted, f.wanted + f.wanted_count);
  static const RE2 regex("^/srv/[a-z]+/file[0-9]+");
  f.regex = &regex;
  return out;
}

uint32_t condition_of(const Program& program) {
  const auto& rules = program.rules();
  for (RuleId rule = 0; rule < rules.size(); ++rule) {
    if (rules[rule].name == "bench.p.r" || rules[rule].name == "p.r") {
      for (const RuleCode& code : data_of(program).rule_codes) {
        if (code.rule == rule) return code.condition;
      }
    }
  }
  std::cerr << "no such rule\n";
  std::exit(1);
}

Truth by_hand_once(Prepared& prepared, ByHand function) {
  prepared.facts.cost_left = Budget().cost;
  return function(prepared.facts);
}

// Runs the code alone, over a frame prepared once and with a fresh budget. The work that a decision
// adds to a condition (resetting its fault, returning memory) is the same for all; decide_bench
// measures it.
Truth run_once(Run& run, uint32_t condition, NativePredicate native) {
  run.frame.eval.cost_left = Budget().cost;
  run.frame.eval.memory_left = Budget().memory;
  return static_cast<Truth>(native != nullptr ? native(&run.frame) : interpret(run.frame, condition));
}

void add(const Case& test) {
  std::shared_ptr<Prepared> prepared = prepare(test);
  const uint32_t condition = condition_of(*prepared->program);
  const std::string name = std::string("cel/") + test.name;
  const Truth expected = by_hand_once(*prepared, test.by_hand);
  const auto add_engine = [&](const char* engine, bool interpret) {
    const DecideOptions options{.interpret_only = interpret};
    const NativePredicate native = interpret ? nullptr : native_code_of(*prepared->program).predicate(condition);
    if (!interpret && native == nullptr) std::exit(1);
    Run check(*prepared->call, *prepared->context, prepared->scratch, options);
    if (!check.prepare() || run_once(check, condition, native) != expected || expected == Truth::fault) {
      std::cerr << "the evaluators disagree about " << name << "\n";
      std::exit(1);
    }
    benchmark::RegisterBenchmark((name + "/" + engine).c_str(), [=](benchmark::State& state) {
      Run run(*prepared->call, *prepared->context, prepared->scratch, options);
      if (!run.prepare()) state.SkipWithError("no memory");
      for (auto _ : state) benchmark::DoNotOptimize(run_once(run, condition, native));
    });
  };
  benchmark::RegisterBenchmark((name + "/by_hand").c_str(),
                               [prepared, function = test.by_hand](benchmark::State& state) {
                                 ByHand opaque = function;
                                 benchmark::DoNotOptimize(opaque);
                                 for (auto _ : state) benchmark::DoNotOptimize(by_hand_once(*prepared, opaque));
                               });
  add_engine("interpreter", true);
#ifdef ORDAIN_HAS_JIT
  add_engine("native", false);
#endif
}

}  // namespace
}  // namespace ordain

int main(int argc, char** argv) {
  for (const auto& test : ordain::cases()) ordain::add(test);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
