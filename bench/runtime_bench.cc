// runtime_bench measures what a governed, recorded call costs the caller's thread, by durability.
// The tool does nothing.
//   build/release/bin/runtime_bench
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "bench/rule_sets.h"
#include "ordain/ordain.h"

namespace ordain {
namespace {

// A database directory that is removed after the bench.
struct State {
  std::filesystem::path directory;
  State() {
    std::string name = (std::filesystem::temp_directory_path() / "ordain-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::exit(1);
    directory = name;
  }
  ~State() { std::filesystem::remove_all(directory); }
};

void audited_call(benchmark::State& state, bool recorded, Durability durability) {
  State files;
  auto compilation = compile({std::make_shared<Source>(Source{"bench.policy", bench::kTenRules})}, standard_library());
  RuntimeOptions options;
  options.agent = "bench";
  if (recorded) options.database = files.directory.string();
  options.audit.durability = durability;
  options.attributes = *Document::parse(R"({"agent": {"roles": ["banker"]}})");
  auto runtime = Runtime::open(compilation.program, options);
  if (!runtime) {
    state.SkipWithError(runtime.error().message.c_str());
    return;
  }
  auto input = Document::parse(
      R"({"amount": 20.0, "count": 1, "recipient": "bob", "currency": "EUR", "urgent": false, "recurring": false, "day": 1})");
  auto output = Document::parse(R"({"message": "done"})");
  for (auto _ : state) {
    auto outcome = runtime->call("pay", *input, [&](const Value&) { return Result<Document>(*output); });
    if (!outcome) state.SkipWithError(outcome.describe().c_str());
  }
  if (!runtime->flush()) state.SkipWithError("the record could not be written");
  state.counters["records"] = static_cast<double>(runtime->health().records_written);
}
BENCHMARK_CAPTURE(audited_call, unrecorded, false, Durability::async)->UseRealTime();
BENCHMARK_CAPTURE(audited_call, async, true, Durability::async)->UseRealTime();
BENCHMARK_CAPTURE(audited_call, group, true, Durability::group)->UseRealTime();
BENCHMARK_CAPTURE(audited_call, sync, true, Durability::sync)->UseRealTime();

}  // namespace
}  // namespace ordain

BENCHMARK_MAIN();
