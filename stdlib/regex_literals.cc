// regex_literals.cc uses RE2's own analysis (FilteredRE2), which turns a pattern into a formula
// over lower-case literals and says whether a set of literals satisfies it. From that follow either
// one literal that every match contains, or a list of literals of which every match contains at
// least one.
#include "stdlib/regex_literals.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <string_view>

namespace ordain::stdlib {
namespace {

constexpr size_t kMostLiterals = 64;

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool can_match_with(const re2::FilteredRE2& filter, const std::vector<int>& literals) {
  std::vector<int> potentials;
  filter.AllPotentials(literals, &potentials);
  return !potentials.empty();
}

// Finds the longest literal that is necessary: without it, all the others do not suffice. @returns
// -1 if there is none.
int needed_literal(const re2::FilteredRE2& filter, const std::vector<std::string>& atoms) {
  int best = -1;
  for (int i = 0; i < static_cast<int>(atoms.size()); ++i) {
    if (best >= 0 && atoms[i].size() <= atoms[best].size()) continue;
    std::vector<int> others;
    for (int other = 0; other < static_cast<int>(atoms.size()); ++other) {
      if (other != i) others.push_back(other);
    }
    if (!can_match_with(filter, others)) best = i;
  }
  return best;
}

bool literals_of(const Value& pattern, int shortest, LiteralNeeds* needs) {
  RE2::Options options;
  options.set_log_errors(false);
  re2::FilteredRE2 filter(shortest);
  int id = 0;
  if (filter.Add(re2::StringPiece(pattern.text, pattern.aux), options, &id) != RE2::NoError) return false;
  std::vector<std::string> atoms;
  filter.Compile(&atoms);
  if (atoms.empty() || atoms.size() > kMostLiterals || can_match_with(filter, {})) return false;
  if (!std::all_of(atoms.begin(), atoms.end(), is_ascii)) return false;
  const int needed = needed_literal(filter, atoms);
  needs->any_of = needed >= 0 ? std::vector<std::string>{atoms[static_cast<size_t>(needed)]} : atoms;
  needs->ignore_case = true;
  return true;
}

}  // namespace

bool regex_literals(const Value& pattern, LiteralNeeds* needs) {
  // Long literals are more selective; short ones are better than none.
  return literals_of(pattern, 4, needs) || literals_of(pattern, 2, needs) || literals_of(pattern, 1, needs);
}

}  // namespace ordain::stdlib
