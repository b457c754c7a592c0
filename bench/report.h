// report prints the figures of a bench line by line beside their budgets, as a table or as JSON for
// scripts/bench.
#pragma once

#include <string>
#include <vector>

namespace ordain::bench {

/// The options of every bench with a report.
struct Options {
  bool quick = false;  ///< smaller sets, shorter rounds
  bool json = false;
  std::vector<std::string> sections;  ///< those that were named; none: all
};

/// One line of the report.
struct Line {
  enum class Judged { not_at_all, value, ratio };

  std::string section, what;
  double value = 0;
  std::string unit;  ///< "ns", "ms", "bytes", "records/s" ...; "" for a number
  double ratio = 0;  ///< relative to `beside`; 0 without one
  std::string beside;
  Judged judged = Judged::not_at_all;
  double budget = 0;
  bool at_least = false;  ///< the budget is a minimum, not a maximum

  bool met() const;
};

/// Adds a line, and prints it to stderr at once. The reference stays valid as long as the program
/// runs. Use it from one thread at a time.
Line& add(const std::string& section, const std::string& what, double value, const std::string& unit);
Line& compare(Line& line, double baseline, const std::string& beside);
void budget(Line& line, double most);
void budget_of_ratio(Line& line, double most);
void budget_at_least(Line& line, double least);

/// Prints all lines that were added.
void print_report(const Options& options);

/// Writes 100000 as "100,000".
std::string group_digits(size_t number);

/// Parses the options of a bench: `--quick`, `--json` and, if it has sections, `--section NAME`. Ends
/// the program if there are others.
Options parse_options(int argc, char** argv, const char* name, const char* description,
                      const std::vector<std::string>& sections = {});

}  // namespace ordain::bench
