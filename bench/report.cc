// report.cc collects and prints the lines of a report, in the order in which they came.
#include "bench/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <deque>

#include "ordain/json.h"

namespace ordain::bench {
namespace {

std::deque<Line> lines;

std::string in_units(double value, const std::string& unit) {
  if (unit == "ns" && value >= 10'000'000) return fmt::format("{:.1f} ms", value / 1e6);
  if (unit == "ns" && value >= 10'000) return fmt::format("{:.1f} µs", value / 1000);
  return fmt::format("{:.{}f}{}{}", value, value < 100 && value != static_cast<int64_t>(value) ? 1 : 0,
                     unit.empty() ? "" : " ", unit);
}

std::string as_json() {
  std::string out = "[";
  for (const Line& line : lines) {
    std::string section, what, beside;
    append_json_string(section, line.section);
    append_json_string(what, line.what);
    append_json_string(beside, line.beside);
    out += fmt::format(R"({}{{"section": {}, "what": {}, "value": {:.3f}, "unit": "{}")", out.size() > 1 ? ",\n" : "",
                       section, what, line.value, line.unit);
    if (line.ratio != 0) out += fmt::format(R"(, "ratio": {:.3f}, "beside": {})", line.ratio, beside);
    if (line.judged != Line::Judged::not_at_all) {
      out += fmt::format(R"(, "budget": {:.3f}, "budget_of": "{}", "at_least": {}, "met": {})", line.budget,
                         line.judged == Line::Judged::ratio ? "ratio" : "value", line.at_least, line.met());
    }
    out += "}";
  }
  return out + "]\n";
}

std::string as_table() {
  std::string out, section;
  for (const Line& line : lines) {
    if (line.section != section) out += fmt::format("\n{}\n", section = line.section);
    const std::string ratio = line.ratio == 0 ? "" : fmt::format("{:.2f}× {}", line.ratio, line.beside);
    std::string judged;
    if (line.judged != Line::Judged::not_at_all) {
      const bool of_ratio = line.judged == Line::Judged::ratio;
      judged = fmt::format("{} {} {}", line.at_least ? "≥" : "≤",
                           of_ratio ? fmt::format("{}×", line.budget) : in_units(line.budget, line.unit),
                           line.met() ? "met" : "MISSED");
    }
    out += fmt::format("  {:<58} {:>12}  {:<24} {}\n", line.what, in_units(line.value, line.unit), ratio, judged);
  }
  return out;
}

}  // namespace

bool Line::met() const {
  const double figure = judged == Judged::ratio ? ratio : value;
  return at_least ? figure >= budget : figure <= budget;
}

Line& add(const std::string& section, const std::string& what, double value, const std::string& unit) {
  lines.push_back({.section = section, .what = what, .value = value, .unit = unit});
  fmt::print(stderr, "  {}: {}, {}\n", section, what, in_units(value, unit));
  return lines.back();
}

Line& compare(Line& line, double baseline, const std::string& beside) {
  line.ratio = line.value / baseline;
  line.beside = beside;
  return line;
}

void budget(Line& line, double most) { line.judged = Line::Judged::value, line.budget = most; }
void budget_of_ratio(Line& line, double most) { line.judged = Line::Judged::ratio, line.budget = most; }
void budget_at_least(Line& line, double least) {
  budget(line, least);
  line.at_least = true;
}

void print_report(const Options& options) { fmt::print("{}", options.json ? as_json() : as_table()); }

std::string group_digits(size_t number) {
  std::string out = std::to_string(number);
  for (size_t at = out.size(); at > 3;) out.insert(at -= 3, ",");
  return out;
}

Options parse_options(int argc, char** argv, const char* name, const char* description,
                      const std::vector<std::string>& sections) {
  Options options;
  CLI::App app{description, name};
  app.add_flag("--quick", options.quick, "smaller sets, shorter rounds");
  app.add_flag("--json", options.json, "print JSON");
  if (!sections.empty()) {
    app.add_option("--section", options.sections, fmt::format("{}; all if absent", fmt::join(sections, ", ")))
        ->check(CLI::IsMember(sections));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e));
  }
  return options;
}

}  // namespace ordain::bench
