// What the record costs: the caller's thread at a fixed rate of calls, records a second to disk, syncs a record.
//   build/release/bin/audit_bench [CALLS_PER_SECOND]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "bench/rule_sets.h"
#include "ordain/ordain.h"
#include "runtime/audit_chain.h"
#include "runtime/sqlite_faults.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain {
namespace {

using Clock = std::chrono::steady_clock;

// A database directory that goes away with the bench.
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
  auto compilation = compile({std::make_shared<Source>(Source{"bench.policy", bench::kTenRules})}, standard_library());
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

/// Calls begin at fixed times whatever the ones before took; what is measured is each call alone.
void open_loop(const char* name, const std::shared_ptr<const Program>& program, bool recorded, double rate) {
  Bench bench;
  Runtime runtime = bench.open(program, recorded, Durability::group);
  for (int i = 0; i < 20'000; ++i) bench.call(runtime);
  if (!runtime.flush()) fail("the record could not be written");
  constexpr int kCalls = 100'000;
  std::vector<int64_t> nanos;
  nanos.reserve(kCalls);
  auto period = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1.0 / rate));
  auto next = Clock::now();
  int late = 0;
  for (int i = 0; i < kCalls; ++i, next += period) {
    auto start = Clock::now();
    if (start > next + period) ++late;
    while (start < next) start = Clock::now();
    bench.call(runtime);
    nanos.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
  }
  std::sort(nanos.begin(), nanos.end());
  auto quantile = [&](double q) { return nanos[static_cast<size_t>(q * (kCalls - 1))]; };
  fmt::print("{:<34} p50 {:>6} ns   p90 {:>6} ns   p99 {:>6} ns   p99.9 {:>8} ns   {:.1f} % began late\n", name,
             quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999), 100.0 * late / kCalls);
}

/// A body of the size that the calls above leave.
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

void durable(const char* name, bool keyed) {
  Bench bench;
  AuditOptions options;
  if (keyed) options.key = *PrivateKey::generate("bench");
  auto chain = detail::AuditChain::open(bench.state.directory.string(), options);
  if (!chain) fail(chain.error().message);
  const std::string body = sample_body(bench);
  constexpr int kBatches = 100, kBatch = 4096;
  detail::RecordBatch batch;
  for (int i = 0; i < kBatch; ++i) batch.add(body, Id128::random());
  auto start = Clock::now();
  for (int i = 0; i < kBatches; ++i) {
    if (auto done = chain->append(batch); !done) fail(done.error().message);
  }
  double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  fmt::print("{:<34} {:>9.0f} records/s, {} bytes each, batches of {}, each committed with a sync\n", name,
             kBatches * kBatch / seconds, body.size(), kBatch);
}

void syncs(const std::shared_ptr<const Program>& program) {
  sqlite::Faults& layer = sqlite::install_faults();
  Bench bench;
  Runtime runtime = bench.open(program, true, Durability::sync);
  bench.call(runtime);
  constexpr int kCalls = 2000;
  uint64_t before = layer.syncs;
  auto start = Clock::now();
  for (int i = 0; i < kCalls; ++i) bench.call(runtime);
  double micros = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  fmt::print("{:<34} {:.3f} syncs a record, {:.0f} us a call of two records\n", "sync",
             static_cast<double>(layer.syncs - before) / (2.0 * kCalls), micros / kCalls);
}

}  // namespace
}  // namespace ordain

int main(int argc, char** argv) {
  double rate = argc > 1 ? std::atof(argv[1]) : 50'000;
  if (rate <= 0) ordain::fail("calls per second: a positive number");
  auto program = ordain::ten_rules();
  fmt::print("before + after, ten rules, caller's thread, open loop at {:.0f} calls/s\n", rate);
  ordain::open_loop("unrecorded", program, false, rate);
  ordain::open_loop("group", program, true, rate);
  ordain::durable("durable, chained", false);
  ordain::durable("durable, chained, checkpoints", true);
  ordain::syncs(program);
}
