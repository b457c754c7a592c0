#include "cli/coverage_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "cli/terminal.h"
#include "cli/text.h"

namespace ordain::cli {
namespace {

const std::string& name_of(const Compilation& compilation, const CoveredRule& rule) {
  return compilation.program->rules()[rule.rule].name;
}

const std::string& file_of(const Compilation& compilation, uint32_t file) { return compilation.program->files()[file]; }

std::string rule_place(const Compilation& compilation, const CoveredRule& rule) {
  return fmt::format("{}:{}:{}", file_of(compilation, rule.file), rule.line, rule.column);
}

bool is_covered(const CoveredRule& rule) { return rule.covered() == rule.points(); }

// The percentage with one digit, rounded down: only what is covered wholly is 100.0.
std::string percent_text(const Coverage& coverage) {
  const uint64_t all = coverage.points();
  const uint64_t tenths = all == 0 ? 1000 : uint64_t{1000} * coverage.covered() / all;
  return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

std::string part_json(const Compilation& compilation, const CoveredPart& part) {
  return fmt::format(
      "{{\"text\": {}, \"file\": {}, \"line\": {}, \"column\": {}, \"true\": {}, \"false\": {}, \"faults\": {}}}",
      json_text(part.text), json_text(file_of(compilation, part.file)), part.line, part.column, part.is_true,
      part.is_false, part.faults);
}

std::string rule_json(const Compilation& compilation, const CoveredRule& rule) {
  std::string out = fmt::format(
      "{{\"rule\": {}, \"file\": {}, \"line\": {}, \"column\": {}, \"points\": {}, \"covered\": {}, \"evaluated\": {}, "
      "\"matched\": {}, \"faulted\": {}, \"parts\": [",
      json_text(name_of(compilation, rule)), json_text(file_of(compilation, rule.file)), rule.line, rule.column,
      rule.points(), rule.covered(), rule.evaluated, rule.matched, rule.faulted);
  for (const CoveredPart& part : rule.parts) {
    if (out.back() != '[') out += ", ";
    out += part_json(compilation, part);
  }
  out += "], \"gaps\": [";
  for (const std::string& gap : rule.gaps()) {
    if (out.back() != '[') out += ", ";
    out += json_text(gap);
  }
  return out + "]}";
}

// What lcov is told about one file.
struct Trace {
  std::string functions, branches;
  std::map<uint32_t, uint64_t> lines;  ///< how often; of what stands on one line, the most frequent
  size_t function_count = 0, functions_hit = 0;
  size_t branch_count = 0, branches_hit = 0;
  std::map<uint32_t, size_t> blocks;  ///< by line, the number of conditions so far

  void add_line(uint32_t line, uint64_t count) {
    uint64_t& most = lines[line];
    most = std::max(most, count);
  }

  void add_function(uint32_t line, const std::string& name, uint64_t count) {
    functions += fmt::format("FN:{},{}\nFNDA:{},{}\n", line, name, count, name);
    ++function_count;
    functions_hit += count > 0 ? 1 : 0;
  }

  void add_branches(uint32_t line, uint64_t evaluated, uint64_t is_true, uint64_t is_false) {
    const size_t block = blocks[line]++;
    const std::array<uint64_t, 2> sides{is_true, is_false};
    for (size_t side = 0; side < sides.size(); ++side) {
      branches +=
          fmt::format("BRDA:{},{},{},{}\n", line, block, side, evaluated == 0 ? "-" : std::to_string(sides[side]));
      ++branch_count;
      branches_hit += sides[side] > 0 ? 1 : 0;
    }
  }

  std::string text(const std::string& file) const {
    std::string out = fmt::format("TN:\nSF:{}\n{}FNF:{}\nFNH:{}\n{}BRF:{}\nBRH:{}\n", file, functions, function_count,
                                  functions_hit, branches, branch_count, branches_hit);
    size_t hit = 0;
    for (const auto& [line, count] : lines) {
      out += fmt::format("DA:{},{}\n", line, count);
      hit += count > 0 ? 1 : 0;
    }
    return out + fmt::format("LF:{}\nLH:{}\nend_of_record\n", lines.size(), hit);
  }
};

constexpr const char* kStyle = R"(
:root { --ink: #1c2733; --soft: #5c6b7a; --ground: #ffffff; --card: #f3f6f9; --line: #d5dde5; --full: #d9f2df; --part: #fdf0c8; --none: #fbdcd8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4ebf2; --soft: #9aa9b8; --ground: #12181f; --card: #1b232c; --line: #33404d; --full: #173b22; --part: #453a12; --none: #4b1f1b; }
}
body { margin: 2rem auto; max-width: 64rem; padding: 0 1rem; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; overflow-wrap: anywhere; } .soft { color: var(--soft); }
pre { background: var(--card); padding: .6rem; overflow-x: auto; font: 13px/1.5 ui-monospace, monospace; }
pre span { display: inline-block; min-width: 100%; } .full { background: var(--full); } .part { background: var(--part); } .none { background: var(--none); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
)";

const char* class_of(const CoveredRule& rule) { return is_covered(rule) ? "full" : rule.matched > 0 ? "part" : "none"; }

// The source with a colour for each line on which a rule begins; the worst rule of a line counts.
std::string source_html(const std::string& text, const std::map<uint32_t, const CoveredRule*>& rules) {
  std::string out = "<pre>";
  uint32_t number = 1;
  for (size_t at = 0; at < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const auto rule = rules.find(number);
    const std::string line = fmt::format("{:>5}  {}", number, markup_text(text.substr(at, end - at)));
    out += rule == rules.end() ? line : fmt::format("<span class=\"{}\">{}</span>", class_of(*rule->second), line);
    out += '\n';
    at = end + 1;
  }
  return out + "</pre>\n";
}

std::string rules_html(const Compilation& compilation, const std::vector<const CoveredRule*>& rules) {
  std::string out = "<table><tr><th>rule</th><th>line</th><th>calls</th><th>matches</th><th>not covered</th></tr>\n";
  for (const CoveredRule* rule : rules) {
    std::string gaps;
    for (const std::string& gap : rule->gaps()) gaps += (gaps.empty() ? "" : "<br>") + markup_text(gap);
    out +=
        fmt::format("<tr class=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", class_of(*rule),
                    markup_text(name_of(compilation, *rule)), rule->line, rule->evaluated, rule->matched, gaps);
  }
  return out + "</table>\n";
}

}  // namespace

void print_coverage(const Compilation& compilation, const Coverage& coverage) {
  print_out("coverage: {} % ({} of {})\n", percent_text(coverage), coverage.covered(), coverage.points());
  for (const CoveredRule& rule : coverage.rules) {
    if (is_covered(rule)) continue;
    print_out("  {}  {}: {}\n", rule_place(compilation, rule), name_of(compilation, rule),
              join_with_commas(rule.gaps()));
  }
}

std::string coverage_json(const Compilation& compilation, const Coverage& coverage) {
  std::string out = fmt::format("{{\"coverage\": {{\"percent\": {}, \"covered\": {}, \"points\": {}, \"rules\": [",
                                percent_text(coverage), coverage.covered(), coverage.points());
  for (const CoveredRule& rule : coverage.rules) {
    if (out.back() != '[') out += ", ";
    out += rule_json(compilation, rule);
  }
  return out + "]}}\n";
}

std::string coverage_lcov(const Compilation& compilation, const Coverage& coverage) {
  std::vector<Trace> traces(compilation.program->files().size());
  for (const CoveredRule& rule : coverage.rules) {
    Trace& trace = traces[rule.file];
    trace.add_line(rule.line, rule.evaluated);
    trace.add_function(rule.line, name_of(compilation, rule), rule.matched);
    if (rule.conditional) {
      trace.add_branches(rule.line, rule.evaluated, rule.matched, rule.evaluated - rule.matched - rule.faulted);
    }
    if (rule.parts.size() < 2) continue;
    for (const CoveredPart& part : rule.parts) {
      traces[part.file].add_line(part.line, rule.evaluated);
      traces[part.file].add_branches(part.line, rule.evaluated, part.is_true, part.is_false);
    }
  }
  std::string out;
  for (uint32_t file = 0; file < traces.size(); ++file) {
    if (!traces[file].lines.empty()) out += traces[file].text(file_of(compilation, file));
  }
  return out;
}

std::string coverage_html(const Compilation& compilation, const Coverage& coverage) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Coverage of policies</title>"
      "<style>{}</style></head><body>\n<h1>{} % covered</h1>\n<p class=\"soft\">{} of {}: every rule matches once, and "
      "does not match once; every part of its condition is true once, and false once.</p>\n",
      kStyle, percent_text(coverage), coverage.covered(), coverage.points());
  for (uint32_t file = 0; file < compilation.program->files().size(); ++file) {
    std::vector<const CoveredRule*> rules;
    std::map<uint32_t, const CoveredRule*> by_line;
    for (const CoveredRule& rule : coverage.rules) {
      if (rule.file != file) continue;
      rules.push_back(&rule);
      const CoveredRule*& worst = by_line[rule.line];
      if (worst == nullptr || !is_covered(rule)) worst = &rule;
    }
    if (rules.empty()) continue;
    out += fmt::format("<h2>{}</h2>\n", markup_text(file_of(compilation, file)));
    out += rules_html(compilation, rules);
    out += source_html(compilation.diagnostics.sources[file]->text, by_line);
  }
  return out + "</body></html>\n";
}

}  // namespace ordain::cli
