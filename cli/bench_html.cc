// The report of `ordain bench` as one page: figures, tables, and plots in inline SVG. Nothing is fetched from anywhere.
#include <fmt/format.h>

#include <algorithm>

#include "cli/bench.h"
#include "cli/text.h"

namespace ordain::cli {
namespace {

constexpr size_t kRows = 25;

constexpr const char* kStyle = R"(
:root { --ink: #1c2733; --soft: #5c6b7a; --ground: #ffffff; --card: #f3f6f9; --line: #d5dde5; --a: #2f6fb0; --b: #c2622d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4ebf2; --soft: #9aa9b8; --ground: #12181f; --card: #1b232c; --line: #33404d; --a: #6fb1f0; --b: #f09a63; }
}
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--ground); color: var(--ink);
       font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; } th { color: var(--soft); font-weight: 600; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; } .cards div { background: var(--card); border-radius: .5rem; padding: .6rem 1rem; }
.cards b { display: block; font-size: 1.2rem; } svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.a { fill: var(--a); } .b { fill: var(--b); } .axis { stroke: var(--line); } .wide { overflow-x: auto; }
)";

std::string card(const char* label, const std::string& value) {
  return fmt::format("<div><span class=\"soft\">{}</span><b>{}</b></div>\n", label, markup_text(value));
}

const char* colour(size_t engine) { return engine == 0 ? "a" : "b"; }

// One bar for each band of latency.
std::string latency_plot(const EngineReport& engine, size_t number) {
  constexpr int kBars = 40, kWidth = 800, kHeight = 200, kBase = 170;
  const std::vector<LatencyBar> bars = latency_bars(engine.cost, kBars);
  double most = 1;
  for (const LatencyBar& bar : bars) most = std::max(most, bar.share);
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"latency of {}\">\n", kWidth,
                                kHeight, engine.name);
  constexpr double kStep = static_cast<double>(kWidth) / kBars;
  for (int i = 0; i < kBars; ++i) {
    const LatencyBar& bar = bars[static_cast<size_t>(i)];
    const double height = (kBase - 10) * bar.share / most;
    out += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>up to {}: {:.1f} "
        "%</title></rect>\n",
        colour(number), i * kStep + 1, kBase - height, kStep - 2, height, format_nanos(bar.upto), bar.share);
    if (i % 8 == 7) {
      out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", (i + 1) * kStep, kBase + 18,
                         format_nanos(bar.upto));
    }
  }
  out += "<text x=\"0\" y=\"10\">share of decisions, by how long they took</text>\n";
  out += fmt::format("<line class=\"axis\" x1=\"0\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>\n</svg>\n", kBase, kWidth);
  return out;
}

// Decisions per second by engine and threads, as horizontal bars.
std::string throughput_plot(const std::vector<EngineReport>& engines) {
  constexpr int kWidth = 800, kRow = 24, kLabel = 150, kValue = 110;
  double most = 1;
  size_t rows = 0;
  for (const EngineReport& engine : engines) {
    for (double rate : engine.cost.per_second) most = std::max(most, rate);
    rows += engine.cost.per_second.size();
  }
  std::string out =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"throughput\">\n", kWidth, rows * kRow + 4);
  size_t row = 0;
  for (size_t number = 0; number < engines.size(); ++number) {
    for (size_t i = 0; i < engines[number].cost.per_second.size(); ++i, ++row) {
      const double rate = engines[number].cost.per_second[i], y = static_cast<double>(row * kRow);
      const double width = (kWidth - kLabel - kValue) * rate / most;
      out += fmt::format("<text x=\"0\" y=\"{:.0f}\">{}, {} thread{}</text>\n", y + 16, engines[number].name, i + 1,
                         i == 0 ? "" : "s");
      out += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{}\"/>\n", colour(number),
                         kLabel, y + 3, width, kRow - 6);
      out +=
          fmt::format("<text x=\"{:.1f}\" y=\"{:.0f}\">{}/s</text>\n", kLabel + width + 6, y + 16, format_count(rate));
    }
  }
  return out + "</svg>\n";
}

std::string engine_table(const std::vector<EngineReport>& engines) {
  std::string out =
      "<div class=\"wide\"><table>\n<tr><th>a "
      "decision</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th><th>batch</th></tr>\n";
  for (const EngineReport& engine : engines) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                       engine.name, format_nanos(engine.cost.p50), format_nanos(engine.cost.p90),
                       format_nanos(engine.cost.p99), format_nanos(engine.cost.p999), format_nanos(engine.cost.max),
                       engine.cost.batch);
  }
  return out + "</table></div>\n";
}

std::string group_table(const char* title, const std::vector<DecisionGroup>& groups, size_t events) {
  std::string out = fmt::format(
      "<h2>{}</h2>\n<div class=\"wide\"><table>\n<tr><th>name</th><th>events</th><th>share</th><th>mean</th></tr>\n",
      title);
  for (size_t i = 0; i < std::min(kRows, groups.size()); ++i) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{:.1f} %</td><td>{}</td></tr>\n", markup_text(groups[i].name),
                       groups[i].count, 100.0 * static_cast<double>(groups[i].count) / static_cast<double>(events),
                       format_nanos(groups[i].mean_nanos));
  }
  out += "</table></div>\n";
  if (groups.size() > kRows) out += fmt::format("<p class=\"soft\">and {} more</p>\n", groups.size() - kRows);
  return out;
}

std::string rule_cost_table(const std::vector<RuleCost>& rules) {
  std::string out =
      "<h2>Conditions that events try</h2>\n<div class=\"wide\"><table>\n<tr><th>rule</th><th>tried by</th>"
      "<th>mean</th></tr>\n";
  for (size_t i = 0; i < std::min(kRows, rules.size()); ++i) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", markup_text(rules[i].name), rules[i].tried,
                       format_nanos(rules[i].mean_nanos));
  }
  return rules.empty() ? "" : out + "</table></div>\n";
}

// The rounds of both sets of policies, each a dot, over a common axis that says how long a decision took.
std::string comparison_plot(const CostComparison& comparison) {
  constexpr int kWidth = 800, kLabel = 60;
  double most = 1;
  for (const auto* rounds : {&comparison.old_nanos, &comparison.new_nanos}) {
    most = std::max(most, *std::max_element(rounds->begin(), rounds->end()));
  }
  std::string out = fmt::format("<svg viewBox=\"0 0 {} 80\" role=\"img\" aria-label=\"rounds of both\">\n", kWidth);
  for (const bool old : {true, false}) {
    const int y = old ? 15 : 40;
    out += fmt::format("<text x=\"0\" y=\"{}\">{}</text>\n", y + 4, old ? "old" : "new");
    for (const double nanos : old ? comparison.old_nanos : comparison.new_nanos) {
      out += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{}\" r=\"4\"/>\n", old ? "b" : "a",
                         kLabel + (kWidth - kLabel - 10) * nanos / most, y);
    }
  }
  return out + fmt::format(
                   "<line class=\"axis\" x1=\"{0}\" y1=\"58\" x2=\"{1}\" y2=\"58\"/>\n<text x=\"{0}\" "
                   "y=\"74\">0</text>\n<text x=\"{1}\" y=\"74\" text-anchor=\"end\">{2} a "
                   "decision</text>\n</svg>\n",
                   kLabel, kWidth - 10, format_nanos(most));
}

}  // namespace

std::string bench_html(const BenchReport& report, const std::string& title) {
  const double bytes = static_cast<double>(report.memory_bytes + report.code_bytes);
  const EngineReport& last = report.engines.back();
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<title>ordain bench: {0}</title>\n<style>{1}</style>\n"
      "</head>\n<body>\n<h1>{0}</h1>\n<p class=\"soft\">rules {2}, capabilities {3}, events {4}, distinct callers {5}: "
      "{6}</p>\n<div class=\"cards\">\n",
      markup_text(title), kStyle, report.rules, report.capabilities, report.events, report.contexts,
      markup_text(effects_text(report)));
  out += card("p50", format_nanos(last.cost.p50)) + card("p99", format_nanos(last.cost.p99));
  out += card("one thread", format_count(last.cost.per_second.front()) + "/s");
  out += card("policy text to program", format_nanos(report.compile.total() * 1e6));
  out += card("to first decision", format_nanos(report.first_decision_ms * 1e6));
  if (report.engines.size() > 1) out += card("to native", format_nanos(report.native_ms * 1e6));
  out += card("memory", format_bytes(bytes));
  out += card("a rule", fmt::format("{:.0f} bytes", bytes / static_cast<double>(std::max<size_t>(1, report.rules))));
  out += "</div>\n<h2>Latency</h2>\n" + engine_table(report.engines);
  for (size_t i = 0; i < report.engines.size(); ++i) {
    out += fmt::format(
        "<p class=\"soft\">{}: share of decisions by latency, on a logarithmic scale up to p99; the last bar holds "
        "what took longer</p>\n",
        report.engines[i].name);
    out += latency_plot(report.engines[i], i);
  }
  if (report.comparison) {
    out += "<h2>Against the old policies</h2>\n<p>" + comparison_text(*report.comparison) + "</p>\n";
    out += comparison_plot(*report.comparison);
  }
  out += "<h2>Throughput</h2>\n" + throughput_plot(report.engines);
  out += group_table("By capability", report.groups.by_capability, report.events);
  out += group_table("By deciding rule", report.groups.by_rule, report.events);
  out += rule_cost_table(report.rule_costs);
  out += fmt::format("<p class=\"soft\">ordain {} on {}, {} cores; policies {}</p>\n", ORDAIN_VERSION,
                     markup_text(report.machine.cpu), report.machine.cores, report.digest.substr(0, 12));
  if (!report.warning.empty()) out += fmt::format("<p><b>Warning: {}</b></p>\n", markup_text(report.warning));
  out +=
      "<p class=\"soft\">One decision: the call is begun, its fields are set, it is decided; callers' contexts are "
      "made before. Latencies are of short batches of successive calls. Means by capability and by rule are of one "
      "call again and again.</p>\n</body>\n</html>\n";
  return out;
}

}  // namespace ordain::cli
