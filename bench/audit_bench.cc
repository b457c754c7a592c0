// audit_bench measures the cost of recording: on the caller's thread at a fixed rate of calls, in
// records per second to disk, and in syncs per record.
//   build/release/bin/audit_bench [--quick] [--json]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "bench/report.h"
#include "bench/rule_sets.h"
#include "ordain/ordain.h"
#include "runtime/audit/chain.h"
#include "runtime/sqlite/sqlite_faults.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::bench {
namespace {

using Clock = std::chrono::steady_clock;

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

[[noreturn]] void fail(const std::string& message) {
  fmt::print(stderr, "audit_bench: {}\n", message);
  std::exit(1);
}

std::shared_ptr<const Program> ten_rules() {
  auto compilation = compile({std::make_shared<Source>(Source{"bench.policy", kTenRules})}, standard_library());
  if (compilation.program == nullptr) fail(render(compilation.diagnostics));
#ifdef ORDAIN_HAS_JIT
  if (auto native = compile_native(*compilation.program); !native) fail(native.error().message);
#endif
  return compilation.program;
}

struct Bench {
  State state;
  Document input = *Document::parse(
      R"({"amount": 20.0, "count": 1, "recipient": "bob", "currency": "EUR", "urgent": false, "recurring": false, "day": 1})");
  Document output = *Document::parse(R"({"message": "done"})");

  Runtime open(const std::shared_ptr<const Program>& program, bool recorded, Durability durability) const {
    RuntimeOptions options;
    options.agent = "bench";
    if (recorded) options.database = state.directory.string();
    options.audit.durability = durability;
    options.attributes = *Document::parse(R"({"agent": {"roles": ["banker"]}})");
    auto runtime = Runtime::open(program, options);
    if (!runtime) fail(runtime.error().message);
    return *runtime;
  }
  void call(const Runtime& runtime) const {
    auto outcome = runtime.call("pay", input, [&](const Value&) { return Result<Document>(output); });
    if (!outcome) fail(outcome.describe());
  }
};

constexpr double kRate = 50'000;  // calls per second

/// One kind of runtime, called at fixed times.
struct Caller {
  std::string name;
  Bench bench;
  Runtime runtime;
  std::vector<int64_t> nanos = {};  // of each call
  size_t late = 0;                  // began when the next one was due

  Caller(std::string called, const std::shared_ptr<const Program>& program, bool recorded)
      : name(std::move(called)), runtime(bench.open(program, recorded, Durability::group)) {
    for (int i = 0; i < 20'000; ++i) bench.call(runtime);
    if (!runtime.flush()) fail("the record could not be written");
  }
  double quantile(double q) {
    std::sort(nanos.begin(), nanos.end());
    return static_cast<double>(nanos[static_cast<size_t>(q * static_cast<double>(nanos.size() - 1))]);
  }
};

/// Begins calls at fixed times, however long the earlier ones took; measures only each call itself.
void open_loop(Caller& caller, size_t calls) {
  const auto period = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1.0 / kRate));
  auto next = Clock::now();
  for (size_t i = 0; i < calls; ++i, next += period) {
    auto start = Clock::now();
    if (start > next + period) ++caller.late;
    while (start < next) start = Clock::now();
    caller.bench.call(caller.runtime);
    caller.nanos.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
  }
  if (!caller.runtime.flush()) fail("the record could not be written");
}

void measure_caller(const Options& options, const std::shared_ptr<const Program>& program) {
  const char* const section = "caller's thread";
  constexpr size_t kTurns = 10;  // they alternate, so that both have the same neighbours
  const size_t calls = options.quick ? 2'000 : 10'000;
  Caller unrecorded("unrecorded", program, false), group("group", program, true);
  for (Caller* caller : {&unrecorded, &group}) caller->nanos.reserve(kTurns * calls);
  for (size_t turn = 0; turn < kTurns; ++turn) {
    for (Caller* caller : {&unrecorded, &group}) open_loop(*caller, calls);
  }
  for (Caller* caller : {&unrecorded, &group}) {
    for (auto [name, q] : {std::pair{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}}) {
      Line& line = add(section, caller->name + ", " + name, caller->quantile(q), "ns");
      if (caller == &group) compare(line, unrecorded.quantile(q), "unrecorded");
      if (caller == &group && q == 0.5) budget(line, 1000);
      if (caller == &group && q == 0.99) budget(line, 5000);
    }
    add(section, caller->name + ", began late",
        100.0 * static_cast<double>(caller->late) / static_cast<double>(caller->nanos.size()), "%");
  }
}

/// @returns a body of the size that the calls above record
std::string sample_body(const Bench& bench) {
  detail::RecordDraft draft;
  Digest digest{};
  draft.kind = RecordKind::intent;
  draft.time_ns = 1;
  draft.trace = draft.session = "00112233445566778899aabbccddeeff";
  draft.capability = "pay";
  draft.agent = "bench";
  draft.decided = true;
  draft.effect = Effect::allow;
  draft.rule = draft.reason = "pay_rules.bankers";
  draft.program = &digest;
  draft.input = &bench.input.root();
  std::string buffer;
  return std::string(detail::encode_record(draft, buffer));
}

/// Measures the batches that the writer's thread commits, without the callers.
void measure_batches(const Options& options, const std::string& name, bool keyed) {
  Bench bench;
  AuditOptions audit;
  if (keyed) audit.key = *PrivateKey::generate("bench");
  auto chain = detail::AuditChain::open(bench.state.directory.string(), audit);
  if (!chain) fail(chain.error().message);
  const std::string body = sample_body(bench);
  const int batches = options.quick ? 10 : 100;
  constexpr int kBatch = 4096;
  detail::RecordBatch batch;
  for (int i = 0; i < kBatch; ++i) batch.add(body, Id128::random());
  const auto start = Clock::now();
  for (int i = 0; i < batches; ++i) {
    if (auto done = chain->append(batch); !done) fail(done.error().message);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  Line& line = add(
      "to disk", fmt::format("{}, {} bytes each, batches of {}, a sync each", name, body.size(), group_digits(kBatch)),
      batches * kBatch / seconds, "records/s");
  budget_at_least(line, 150'000);
}

void measure_sync(const Options& options, const std::shared_ptr<const Program>& program) {
  sqlite::Faults& layer = sqlite::install_faults();
  Bench bench;
  Runtime runtime = bench.open(program, true, Durability::sync);
  bench.call(runtime);
  const int calls = options.quick ? 200 : 2000;
  const uint64_t before = layer.syncs;
  const auto start = Clock::now();
  for (int i = 0; i < calls; ++i) bench.call(runtime);
  const double nanos = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  budget(add("sync", "syncs a record, one caller", static_cast<double>(layer.syncs - before) / (2.0 * calls), ""), 1.5);
  add("sync", "a call of two records", nanos / calls, "ns");
}

}  // namespace
}  // namespace ordain::bench

int main(int argc, char** argv) {
  using namespace ordain::bench;  // NOLINT(google-build-using-namespace)
  const Options options = parse_options(argc, argv, "audit_bench", "What the record costs");
  const auto program = ten_rules();
  measure_caller(options, program);
  measure_batches(options, "chained", false);
  measure_batches(options, "chained, signed checkpoints", true);
  measure_sync(options, program);
  print_report(options);
}
