// The report of `ordain bench` as text for people and as JSON for scripts.
#include <fmt/format.h>

#include <algorithm>

#include "cli/bench.h"
#include "cli/terminal.h"
#include "ordain/json.h"

namespace ordain::cli {
namespace {

constexpr size_t kGroupsShown = 10;

std::string rounds_json(const std::vector<double>& rounds) {
  std::string out;
  for (const double nanos : rounds) out += fmt::format("{}{:.1f}", out.empty() ? "" : ", ", nanos);
  return "[" + out + "]";
}

std::string engine_json(const EngineReport& engine) {
  std::string threads;
  for (double rate : engine.cost.per_second) threads += fmt::format("{}{:.0f}", threads.empty() ? "" : ", ", rate);
  return fmt::format(R"({{"p50_ns": {:.1f}, "p90_ns": {:.1f}, "p99_ns": {:.1f}, "p999_ns": {:.1f}, "max_ns": {:.1f}, )"
                     R"("per_second": {:.0f}, "per_second_all": {:.0f}, "per_second_by_threads": [{}], "batch": {}, )"
                     R"("rounds_ns": {}}})",
                     engine.cost.p50, engine.cost.p90, engine.cost.p99, engine.cost.p999, engine.cost.max,
                     engine.cost.per_second.front(), engine.cost.per_second.back(), threads, engine.cost.batch,
                     rounds_json(engine.rounds));
}

/// @param counted what `count` is called
template <typename Item>
std::string means_json(const std::vector<Item>& items, const char* counted, uint64_t Item::* count) {
  constexpr size_t kMost = 100;
  std::string out = "[";
  for (size_t i = 0; i < std::min(kMost, items.size()); ++i) {
    std::string name;
    append_json_string(name, items[i].name);
    out += fmt::format(R"({}{{"name": {}, "{}": {}, "mean_ns": {:.1f}}})", i == 0 ? "" : ", ", name, counted,
                       items[i].*count, items[i].mean_nanos);
  }
  return out + "]";
}

std::string groups_json(const std::vector<DecisionGroup>& groups) {
  return means_json(groups, "count", &DecisionGroup::count);
}

std::string group_table(const char* title, const std::vector<DecisionGroup>& groups, size_t events) {
  std::string out = fmt::format("\n{:<44} {:>9} {:>7} {:>10}\n", title, "events", "share", "mean");
  for (size_t i = 0; i < std::min(kGroupsShown, groups.size()); ++i) {
    const DecisionGroup& group = groups[i];
    out += format_for_terminal("  {:<42} {:>9} {:>5.1f} % {:>10}\n", group.name, group.count,
                               100.0 * static_cast<double>(group.count) / static_cast<double>(events),
                               format_nanos(group.mean_nanos));
  }
  if (groups.size() > kGroupsShown) out += fmt::format("  and {} more\n", groups.size() - kGroupsShown);
  return out;
}

std::string comparison_json(const BenchReport& report) {
  if (!report.comparison) return "null";
  const CostComparison& comparison = *report.comparison;
  return fmt::format(R"({{"digest": "{}", "verdict": "{}", "ratio": {:.4f}, "low": {:.4f}, "high": {:.4f}, )"
                     R"("old_ns": {}, "new_ns": {}}})",
                     report.old_digest, to_string(comparison.verdict), comparison.ratio, comparison.low,
                     comparison.high, rounds_json(comparison.old_nanos), rounds_json(comparison.new_nanos));
}

// What it says of the machine, of versions and of programs.
std::string origin_json(const BenchReport& report) {
  std::string cpu, warning = "null";
  append_json_string(cpu, report.machine.cpu);
  if (!report.warning.empty()) {
    warning.clear();
    append_json_string(warning, report.warning);
  }
  return fmt::format(R"("version": "{}", "cpu": {}, "cores": {}, "load": {:.2f}, "warning": {}, "digest": "{}")",
                     ORDAIN_VERSION, cpu, report.machine.cores, report.machine.load, warning, report.digest);
}

std::string rule_table(const std::vector<RuleCost>& rules) {
  std::string out = fmt::format("\n{:<44} {:>9} {:>10}\n", "conditions that events try", "tried by", "mean");
  for (size_t i = 0; i < std::min(kGroupsShown, rules.size()); ++i) {
    out += format_for_terminal("  {:<42} {:>9} {:>10}\n", rules[i].name, rules[i].tried,
                               format_nanos(rules[i].mean_nanos));
  }
  if (rules.size() > kGroupsShown) out += fmt::format("  and {} more\n", rules.size() - kGroupsShown);
  return rules.empty() ? "" : out;
}

// Twelve bars between the fastest and p99, on a logarithmic scale, and one for the slower rest.
std::string histogram(const EngineReport& engine) {
  constexpr int kBars = 13;
  const std::vector<LatencyBar> bars = latency_bars(engine.cost, kBars);
  double most = 1;
  for (const LatencyBar& bar : bars) most = std::max(most, bar.share);
  std::string out = fmt::format("\n{}: latency of a decision\n", engine.name);
  for (const LatencyBar& bar : bars) {
    const std::string upto = &bar == &bars.back() ? "more" : format_nanos(bar.upto);
    out += fmt::format("  {:>9} {:<50} {:>5.1f} %\n", upto,
                       std::string(static_cast<size_t>(50 * bar.share / most + 0.5), '#'), bar.share);
  }
  return out;
}

}  // namespace

std::string comparison_text(const CostComparison& comparison) {
  return fmt::format("{}: {:.3f} of the old cost (95 % between {:.3f} and {:.3f}, {} rounds)",
                     to_string(comparison.verdict), comparison.ratio, comparison.low, comparison.high,
                     comparison.new_nanos.size());
}

std::string spread_text(const std::vector<double>& rounds) {
  if (rounds.empty()) return "";
  const auto [least, most] = std::minmax_element(rounds.begin(), rounds.end());
  return fmt::format("{}, between {} and {}", format_nanos(median_of(rounds)), format_nanos(*least),
                     format_nanos(*most));
}

std::string effects_text(const BenchReport& report) {
  std::string out;
  for (const Effect effect : {Effect::allow, Effect::require_approval, Effect::deny}) {
    const uint64_t count = report.groups.effects[static_cast<size_t>(effect)];
    if (count == 0) continue;
    out += fmt::format("{}{} {} ({:.0f} %)", out.empty() ? "" : ", ", count, to_string(effect),
                       100.0 * static_cast<double>(count) / static_cast<double>(report.events));
  }
  return out;
}

std::string format_nanos(double nanos) {
  if (nanos < 1000) return fmt::format("{:.{}f} ns", nanos, nanos < 100 ? 1 : 0);
  if (nanos < 1e6) return fmt::format("{:.2f} µs", nanos / 1e3);
  return fmt::format("{:.2f} ms", nanos / 1e6);
}

std::string format_count(double count) {
  if (count >= 1e6) return fmt::format("{:.2f} M", count / 1e6);
  if (count >= 1e4) return fmt::format("{:.0f} k", count / 1e3);
  return fmt::format("{:.0f}", count);
}

std::string format_bytes(double bytes) {
  if (bytes >= 1e6) return fmt::format("{:.2f} MB", bytes / 1e6);
  return fmt::format("{:.1f} kB", bytes / 1e3);
}

std::string bench_json(const BenchReport& report) {
  const CompileTimes& times = report.compile;
  std::string out = fmt::format(
      R"({{"rules": {}, "capabilities": {}, "events": {}, "malformed": {}, "contexts": {}, "load_ms": {:.3f}, )"
      R"("read_ms": {:.3f}, "parse_ms": {:.3f}, "check_ms": {:.3f}, "plan_ms": {:.3f}, "emit_ms": {:.3f}, )"
      R"("link_ms": {:.3f}, "first_decision_ms": {:.3f}, "load_serialised_ms": {:.3f}, "native_ms": {:.3f}, )"
      R"("program_bytes": {}, "code_bytes": {}, "serialised_bytes": {})",
      report.rules, report.capabilities, report.events, report.malformed, report.contexts, times.total(), times.read,
      times.parse, times.check, times.index, times.emit, times.link, report.first_decision_ms,
      report.load_serialised_ms, report.native_ms, report.memory_bytes + report.code_bytes, report.code_bytes,
      report.serialised_bytes);
  for (const EngineReport& engine : report.engines) {
    out += fmt::format(", \"{}\": {}", engine.name, engine_json(engine));
  }
  if (report.engines.size() < 2) out += ", \"jit\": null";
  return out + fmt::format(", \"by_capability\": {}, \"by_rule\": {}, \"conditions\": {}, \"against\": {}, {}}}",
                           groups_json(report.groups.by_capability), groups_json(report.groups.by_rule),
                           means_json(report.rule_costs, "tried", &RuleCost::tried), comparison_json(report),
                           origin_json(report));
}

std::string bench_text(const BenchReport& report) {
  const CompileTimes& times = report.compile;
  std::string out = fmt::format("rules {}, capabilities {}, events {}, distinct callers {}: {}\n", report.rules,
                                report.capabilities, report.events, report.contexts, effects_text(report));
  if (report.malformed != 0) out += fmt::format("{} malformed lines left out\n", report.malformed);
  out += fmt::format("\n{:<34} {:>10.2f} ms\n", "policy text to program", times.total());
  const std::pair<const char*, double> passes[] = {{"read", times.read},   {"parse", times.parse},
                                                   {"check", times.check}, {"plan", times.index},
                                                   {"emit", times.emit},   {"link", times.link}};
  for (const auto& [name, ms] : passes) {
    if (ms > 0) out += fmt::format("  {:<32} {:>10.2f} ms\n", name, ms);
  }
  out += fmt::format("{:<34} {:>10.2f} ms\n", "policy text to first decision", report.first_decision_ms);
  out += fmt::format("{:<34} {:>10.2f} ms\n", "serialised program to program", report.load_serialised_ms);
  if (report.engines.size() > 1) out += fmt::format("{:<34} {:>10.2f} ms\n", "program to native", report.native_ms);
  const double total = static_cast<double>(report.memory_bytes + report.code_bytes);
  out += fmt::format("{:<34} {:>13} ({:.0f} bytes a rule; native code {}; serialised {})\n", "memory of the program",
                     format_bytes(total), total / static_cast<double>(std::max<size_t>(1, report.rules)),
                     format_bytes(static_cast<double>(report.code_bytes)),
                     format_bytes(static_cast<double>(report.serialised_bytes)));

  out +=
      fmt::format("\n{:<12} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "a decision", "p50", "p90", "p99", "p99.9", "max");
  for (const EngineReport& engine : report.engines) {
    out += fmt::format("{:<12} {:>10} {:>10} {:>10} {:>10} {:>10}   (batches of {})\n", engine.name,
                       format_nanos(engine.cost.p50), format_nanos(engine.cost.p90), format_nanos(engine.cost.p99),
                       format_nanos(engine.cost.p999), format_nanos(engine.cost.max), engine.cost.batch);
  }
  for (const EngineReport& engine : report.engines) {
    out +=
        fmt::format("{:<12} means of {} rounds: {}\n", engine.name, engine.rounds.size(), spread_text(engine.rounds));
  }
  if (report.comparison) out += fmt::format("\nagainst the old policies: {}\n", comparison_text(*report.comparison));
  out += fmt::format("\n{:<12}", "threads");
  for (size_t i = 0; i < report.engines.front().cost.per_second.size(); ++i) out += fmt::format(" {:>12}", i + 1);
  out += '\n';
  for (const EngineReport& engine : report.engines) {
    out += fmt::format("{:<12}", engine.name);
    for (double rate : engine.cost.per_second) out += fmt::format(" {:>10}/s", format_count(rate));
    out += '\n';
  }
  for (const EngineReport& engine : report.engines) out += histogram(engine);
  out += group_table("by capability", report.groups.by_capability, report.events);
  out += group_table("by deciding rule", report.groups.by_rule, report.events);
  out += rule_table(report.rule_costs);
  // On one line, so that the number of lines does not depend on the load.
  out += format_for_terminal("\nordain {} on {}, {} cores, load {:.1f}; policies {}{}\n", ORDAIN_VERSION,
                             report.machine.cpu, report.machine.cores, report.machine.load, report.digest.substr(0, 12),
                             report.warning.empty() ? "" : "; warning: " + report.warning);
  return out;
}

}  // namespace ordain::cli
