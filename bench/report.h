// report: the figures of a bench, line by line beside the budgets that the design sets; as a table, or as JSON for
// scripts/bench.
#pragma once

#include <string>

namespace ordain::bench {

/// What every bench with a report is told.
struct Options {
  bool quick = false;  ///< smaller sets, shorter rounds
  bool json = false;
};

/// One line of the report.
struct Line {
  enum class Judged { not_at_all, value, ratio };

  std::string section, what;
  double value = 0;
  std::string unit;  ///< "ns", "ms", "bytes", "records/s" ...; "" of a number
  double ratio = 0;  ///< against `beside`; 0: none
  std::string beside;
  Judged judged = Judged::not_at_all;
  double budget = 0;
  bool at_least = false;  ///< the budget is the least that is wanted, not the most

  bool met() const;
};

/// Adds a line, and tells it on stderr as it comes. The reference lives as long as the program. One thread at a time.
Line& add(const std::string& section, const std::string& what, double value, const std::string& unit);
Line& compare(Line& line, double baseline, const std::string& beside);
void budget(Line& line, double most);
void budget_of_ratio(Line& line, double most);
void budget_at_least(Line& line, double least);

/// Prints all lines that were added.
void print_report(const Options& options);

/// 100000 -> "100,000".
std::string grouped(size_t number);

/// For benches without options of their own: `--quick`, `--json`. Ends the program on anything else.
Options parse_options(int argc, char** argv, const char* name, const char* description);

}  // namespace ordain::bench
