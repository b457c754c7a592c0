// compile_bench measures the way from text to a program that can decide: each pass on 10 to 10,000
// rules, and native code at each level.
//   build/release/bin/compile_bench
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>

#include "bench/rule_sets.h"
#include "compiler/parse/parse.h"
#include "ordain/compile.h"
#include "ordain/stdlib.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain {
namespace {

std::shared_ptr<const Source> source_of(int rules) {
  return std::make_shared<Source>(Source{"bench.policy", bench::role_rules(rules)});
}

void count_rules(benchmark::State& state) {
  state.counters["rules/s"] =
      benchmark::Counter(static_cast<double>(state.range(0)), benchmark::Counter::kIsIterationInvariantRate);
}

void parse_text(benchmark::State& state) {
  const auto source = source_of(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    Arena arena(1 << 20);
    Diagnostics diagnostics;
    diagnostics.sources.push_back(source);
    benchmark::DoNotOptimize(parse(arena, diagnostics, 0));
    if (diagnostics.has_errors()) state.SkipWithError("the rules have errors");
  }
  count_rules(state);
}
BENCHMARK(parse_text)->Arg(10)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

void compile_text(benchmark::State& state) {
  const auto source = source_of(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    Compilation compilation = compile({source}, standard_library());
    if (compilation.program == nullptr) state.SkipWithError("the rules have errors");
  }
  count_rules(state);
}
BENCHMARK(compile_text)->Arg(10)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

void load_serialised(benchmark::State& state) {
  const std::string bytes =
      compile({source_of(static_cast<int>(state.range(0)))}, standard_library()).program->serialise();
  for (auto _ : state) {
    auto program = Program::load(bytes, standard_library());
    if (!program) state.SkipWithError("the program does not load");
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
  count_rules(state);
}
BENCHMARK(load_serialised)->Arg(10)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

#ifdef ORDAIN_HAS_JIT
void make_native(benchmark::State& state) {
  const std::string bytes =
      compile({source_of(static_cast<int>(state.range(0)))}, standard_library()).program->serialise();
  for (auto _ : state) {
    state.PauseTiming();
    auto program = *Program::load(bytes, standard_library());
    state.ResumeTiming();
    NativeOptions options;
    options.optimisation = static_cast<int>(state.range(1));
    options.threads = static_cast<uint32_t>(state.range(2));
    auto report = compile_native(*program, options);
    if (!report) state.SkipWithError("no native code");
    state.counters["code_bytes"] = static_cast<double>(report->code_bytes);
  }
  count_rules(state);
}
// Rules, level, threads.
BENCHMARK(make_native)->ArgsProduct({{10, 1000}, {0, 1, 2}, {1}})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(make_native)
    ->ArgsProduct({{10000}, {0, 1}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(1);

/// Gets native code from the object cache: links and publishes it.
void native_from_cache(benchmark::State& state) {
  std::string directory = (std::filesystem::temp_directory_path() / "ordain-bench-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return state.SkipWithError("no directory for a cache");
  const std::string bytes =
      compile({source_of(static_cast<int>(state.range(0)))}, standard_library()).program->serialise();
  NativeOptions options;
  options.cache_directory = directory;
  options.threads = static_cast<uint32_t>(state.range(1));
  if (!compile_native(**Program::load(bytes, standard_library()), options)) state.SkipWithError("no native code");
  for (auto _ : state) {
    state.PauseTiming();
    auto program = *Program::load(bytes, standard_library());
    state.ResumeTiming();
    const auto report = compile_native(*program, options);
    if (!report || !report->from_cache) state.SkipWithError("the cache has no code");
    state.PauseTiming();
    program.reset();
    state.ResumeTiming();
  }
  std::filesystem::remove_all(directory);
  count_rules(state);
}
// Rules, threads.
BENCHMARK(native_from_cache)->ArgsProduct({{10, 1000, 10000}, {1}})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(native_from_cache)->Args({10000, 2})->Unit(benchmark::kMillisecond)->UseRealTime();
#endif

}  // namespace
}  // namespace ordain

BENCHMARK_MAIN();
