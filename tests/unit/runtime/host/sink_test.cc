// These tests cover sinks and telemetry: every record and every event arrives, failures fail
// closed, and the metrics text parses.
#include <cstdlib>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

using testing::Bench;
using testing::json;

struct Failing final : AuditSink {
  bool fails = true, throws = false;
  Result<void> write(const AuditRecord&) override {
    if (throws) throw std::runtime_error("gone");
    if (fails) return Error{"gone", "gone"};
    return {};
  }
};

TEST(Sinks, MemoryKeepsWhatTheLogKeepsAndIsQueried) {
  Bench bench;
  auto memory = std::make_shared<MemorySink>();
  bench.options.sinks = {memory};
  auto runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  EXPECT_FALSE(bench.pay(runtime, -1).has_value());
  auto logged = bench.records(runtime);
  auto kept = memory->records();
  ASSERT_EQ(kept.size(), logged.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    logged[i].id = logged[i].sequence = 0;
    logged[i].chain = logged[i].hash = "";
    EXPECT_EQ(to_json(kept[i]), to_json(logged[i]));
  }
  AuditFilter denied;
  denied.effect = Effect::deny;
  EXPECT_EQ(memory->count(denied), 1u);
  AuditFilter stranger;
  stranger.agent = "other";
  EXPECT_EQ(memory->count(stranger), 0u);
}

TEST(Sinks, WorkWithoutADatabaseAndForgetTheOldest) {
  Bench bench;
  bench.options.database = "";
  auto memory = std::make_shared<MemorySink>(3);
  bench.options.sinks = {memory};
  auto runtime = bench.open();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bench.pay(runtime, 20 + i).has_value());
  ASSERT_EQ(memory->count(), 3u);
  EXPECT_EQ(memory->records().front().kind, RecordKind::outcome);
}

TEST(Sinks, TheLogGetsOneLineOfJsonARecord) {
  Bench bench;
  std::ostringstream out;
  std::vector<std::string> lines;
  bench.options.sinks = {log_sink(out), log_sink([&](std::string_view line) { lines.emplace_back(line); })};
  auto runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(out.str(), lines[0] + "\n" + lines[1] + "\n");
  for (const std::string& line : lines) {
    auto parsed = Document::parse(line);
    ASSERT_TRUE(parsed.ok()) << line;
    EXPECT_NE(map_find(*parsed->root().map, "action"), nullptr);
  }
  out.setstate(std::ios::badbit);
  EXPECT_EQ(bench.pay(runtime, 20).denied()->code, "audit_unavailable") << "a stream that cannot be written";
}

TEST(Sinks, AFailureFailsClosedUnlessTheHostSaysOpen) {
  Bench bench;
  auto sink = std::make_shared<Failing>();
  bench.options.sinks = {sink};
  auto runtime = bench.open();
  EXPECT_EQ(bench.pay(runtime, 20).denied()->code, "audit_unavailable");
  sink->throws = true;
  EXPECT_EQ(bench.pay(runtime, 20).denied()->code, "audit_unavailable");
  EXPECT_EQ(*bench.runs, 0);
  sink->throws = sink->fails = false;
  auto outcome = runtime.call("pay", json(R"({"to": "bob", "amount": 20.0})"), [&](const Value&) -> Result<Document> {
    sink->fails = true;  // while the tool runs
    return json(R"({"message": "paid"})");
  });
  ASSERT_NE(outcome.withheld(), nullptr) << outcome.describe();
  EXPECT_EQ(bench.records(runtime).back().kind, RecordKind::outcome) << "the log has it all the same";
  bench.options.fail_mode = FailMode::open;
  EXPECT_TRUE(bench.pay(bench.open(), 20).has_value());
  bench.options.sinks = {nullptr};
  EXPECT_EQ(Runtime::open(testing::bank(), bench.options).error().code, "invalid_options");
}

/// @returns samples by name and labels; fails if the text is not valid OpenMetrics
std::map<std::string, double> parse_open_metrics(const std::string& text) {
  static const std::regex kMeta(R"re(# (TYPE|HELP|UNIT) ([a-z_]+) (.+))re");
  static const std::regex kSample(
      R"re(([a-z_]+?)((?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})?) ([0-9.e+-]+))re");
  std::map<std::string, std::string> types;
  std::map<std::string, double> samples;
  std::istringstream in(text);
  std::string line, family, last;
  while (std::getline(in, line)) {
    EXPECT_NE(last, "# EOF") << "nothing may follow";
    last = line;
    std::smatch match;
    if (line == "# EOF") continue;
    if (std::regex_match(line, match, kMeta)) {
      if (match[1] == "TYPE") {
        family = match[2];
        EXPECT_TRUE(types.emplace(family, match[3]).second) << "a family twice: " << line;
      }
      EXPECT_EQ(match[2], family);
      if (match[1] == "UNIT") {
        EXPECT_TRUE(family.ends_with("_" + match[3].str())) << line;
      }
      continue;
    }
    EXPECT_TRUE(std::regex_match(line, match, kSample)) << line;
    std::string name = match[1];
    const std::string& type = types[family];
    EXPECT_TRUE(name.starts_with(family)) << line;
    std::string suffix = name.substr(std::min(family.size(), name.size()));
    if (type == "counter") {
      EXPECT_EQ(suffix, "_total") << line;
    }
    if (type == "gauge") {
      EXPECT_EQ(suffix, "") << line;
    }
    if (type == "histogram") {
      EXPECT_TRUE(suffix == "_bucket" || suffix == "_sum" || suffix == "_count") << line;
    }
    EXPECT_TRUE(samples.emplace(name + match[2].str(), std::strtod(match[3].str().c_str(), nullptr)).second) << line;
  }
  EXPECT_EQ(last, "# EOF");
  EXPECT_TRUE(text.ends_with("# EOF\n"));
  return samples;
}

TEST(Telemetry, CountsInOpenMetricsText) {
  Bench bench;
  auto metrics = std::make_shared<Metrics>();
  auto sink = std::make_shared<Failing>();
  sink->fails = false;
  bench.options.telemetry = metrics;
  bench.options.sinks = {sink};
  auto runtime = bench.open();
  parse_open_metrics(metrics->text(runtime.health()));  // empty, and well-formed
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bench.pay(runtime, 20).has_value());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(bench.pay(runtime, -1).has_value());
  EXPECT_NE(bench.pay(runtime, 600).pending(), nullptr);
  ASSERT_TRUE(runtime.before("pay", "odd \"name\"\n", [](const HostCall&) { return HostVerdict::deny("no"); }).ok());
  EXPECT_FALSE(bench.pay(runtime, 20).has_value());
  sink->fails = true;
  EXPECT_FALSE(bench.pay(runtime, -1).has_value());
  EXPECT_TRUE(runtime.flush().ok());
  auto samples = parse_open_metrics(metrics->text(runtime.health()));
  auto decided = [&](const std::string& labels) { return samples["ordain_decisions_total{" + labels + "}"]; };
  EXPECT_EQ(decided(R"(stage="before",effect="allow",rule="payments.allow#1")"), 5);
  EXPECT_EQ(decided(R"(stage="before",effect="deny",rule="payments.negative")"), 4);
  EXPECT_EQ(decided(R"(stage="before",effect="require_approval",rule="payments.large")"), 1);
  EXPECT_EQ(decided(R"(stage="before",effect="deny",rule="odd \"name\"\n")"), 1);
  EXPECT_EQ(decided(R"(stage="after",effect="allow",rule="")"), 5);
  EXPECT_EQ(samples["ordain_decision_seconds_count"], 16);
  EXPECT_EQ(samples[R"(ordain_decision_seconds_bucket{le="+Inf"})"], 16);
  EXPECT_GT(samples["ordain_decision_seconds_sum"], 0);
  double before = 0;
  for (const char* le :
       {"1e-07", "2.5e-07", "5e-07", "1e-06", "2.5e-06", "5e-06", "1e-05", "0.0001", "0.001", "0.01"}) {
    auto found = samples.find("ordain_decision_seconds_bucket{le=\"" + std::string(le) + "\"}");
    ASSERT_NE(found, samples.end()) << le;
    EXPECT_GE(found->second, before);
    before = found->second;
  }
  EXPECT_EQ(samples[R"(ordain_executions_total{status="released"})"], 5);
  EXPECT_EQ(samples[R"(ordain_write_failures_total{where="sink"})"], 1);
  EXPECT_EQ(samples["ordain_audit_records_written_total"], 16);
  EXPECT_EQ(samples["ordain_audit_records_lost_total"], 0);
  EXPECT_EQ(samples["ordain_audit_queue_depth"], 0);
}

TEST(Telemetry, ObservedDecisionsAreCountedAsWhatTheyWouldBe) {
  Bench bench;
  auto metrics = std::make_shared<Metrics>();
  bench.options.telemetry = metrics;
  bench.options.mode = Mode::observe;
  auto runtime = bench.open();
  EXPECT_TRUE(bench.pay(runtime, -1).has_value());
  auto samples = parse_open_metrics(metrics->text(runtime.health()));
  EXPECT_EQ(samples[R"(ordain_decisions_total{stage="before",effect="would_deny",rule="payments.negative"})"], 1);
}

}  // namespace
}  // namespace ordain
