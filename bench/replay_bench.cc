// replay_bench measures how fast recorded calls are decided again: in records per second, from an
// audit log and from a file of events.
//   build/release/bin/replay_bench [--quick] [--json]
#include "ordain/replay.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "bench/report.h"
#include "bench/rule_sets.h"
#include "ordain/ordain.h"

namespace ordain::bench {
namespace {

[[noreturn]] void fail(const std::string& message) {
  fmt::print(stderr, "replay_bench: {}\n", message);
  std::exit(1);
}

std::string input_of(int i) {
  return fmt::format(
      R"({{"amount": {}.0, "count": 1, "recipient": "bob", "currency": "EUR", "urgent": false, "recurring": false, "day": 1}})",
      20 + i % 1000);
}

void record(const std::shared_ptr<const Program>& program, const std::string& directory, int calls) {
  RuntimeOptions options;
  options.agent = "bench";
  options.database = directory;
  options.audit.queue_wait = std::chrono::seconds(60);
  options.attributes = *Document::parse(R"({"agent": {"roles": ["banker"]}})");
  auto runtime = Runtime::open(program, options);
  if (!runtime) fail(runtime.error().message);
  const Document output = *Document::parse(R"({"message": "done"})");
  for (int i = 0; i < calls; ++i) {
    (void)runtime->call("pay", *Document::parse(input_of(i)), [&](const Value&) { return Result<Document>(output); });
  }
  if (!runtime->flush()) fail("the records could not be written");
}

void show(const char* name, const Result<ReplayReport>& report) {
  if (!report) fail(report.error().message);
  const uint64_t records = report->decided + report->skipped;
  if (report->decided == 0 || report->malformed != 0 || report->changed() != 0) fail("not what was recorded");
  add("replay", fmt::format("{}, {} records", name, group_digits(records)),
      static_cast<double>(records) / report->seconds, "records/s");
}

void run(int calls) {
  auto compiled = compile({std::make_shared<Source>(Source{"bench.policy", kTenRules})}, standard_library());
  if (compiled.program == nullptr) fail(render(compiled.diagnostics));
  const auto program = compiled.program;
  std::string directory = (std::filesystem::temp_directory_path() / "ordain-bench-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) fail("no temporary directory");
  record(program, directory, calls);
  {
    auto log = AuditLog::open(directory);
    if (!log) fail(log.error().message);
    show("audit log, against what was recorded", replay(*log, program, nullptr));
    show("audit log, two sets of policies", replay(*log, program, program));
  }
  std::filesystem::remove_all(directory);

  std::string lines;
  for (int i = 0; i < 2 * calls; ++i) {
    lines += fmt::format(
        R"({{"capability": "pay", "now": "2026-01-01T12:00:00Z", "agent": {{"id": "a{}", "roles": ["banker"]}}, "input": {}}})",
        i % 100, input_of(i));
    lines += '\n';
  }
  std::istringstream in(lines);
  show("events, two sets of policies", replay(in, program, program));
}

}  // namespace
}  // namespace ordain::bench

int main(int argc, char** argv) {
  const auto options =
      ordain::bench::parse_options(argc, argv, "replay_bench", "How fast recorded calls are decided again");
  ordain::bench::run(options.quick ? 10'000 : 250'000);
  ordain::bench::print_report(options);
}
