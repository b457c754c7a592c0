// measure_coverage says which rules, and which sides of their conditions, the calls of tests reach.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/export.h"

namespace ordain {

/// One of the parts that `&&` joins in a condition. Each is evaluated by itself for every call that
/// the rule is about.
struct CoveredPart {
  std::string text;      ///< as written, in one line
  uint32_t file = 0;     ///< index into Program::files()
  uint32_t line = 0;     ///< within the `let`, if the condition uses one
  uint32_t column = 0;   ///< in code points
  uint64_t is_true = 0;  ///< calls
  uint64_t is_false = 0;
  uint64_t faults = 0;  ///< such calls show neither side
};

/// How often the calls of tests reach a rule, and with what result.
struct ORDAIN_API CoveredRule {
  RuleId rule = 0;
  uint32_t file = 0, line = 0, column = 0;  ///< of its first word; line 0 if the program does not say
  bool conditional = false;                 ///< it has a condition
  uint64_t evaluated = 0;                   ///< calls that the rule is about
  uint64_t matched = 0;
  uint64_t faulted = 0;
  std::vector<CoveredPart> parts;  ///< in source order; one part only means the whole condition

  /// A rule should match at least once. One with a condition should also not match once, and each of
  /// several parts be true once and false once.
  size_t points() const;
  size_t covered() const;
  /// What is not covered, in words: "never matches", "`input.amount > 5` is never false".
  std::vector<std::string> gaps() const;
};

struct ORDAIN_API Coverage {
  std::vector<CoveredRule> rules;  ///< every rule of the program, in source order

  size_t points() const;
  size_t covered() const;
  double percent() const;  ///< 100 without points
};

/// Evaluates all rules for the calls of `tests`, whatever the tests expect. `compilation` must have a
/// program that was compiled with CompileOptions::parts.
ORDAIN_API Coverage measure_coverage(const Compilation& compilation, const std::vector<const PolicyTest*>& tests,
                                     const DecideOptions& options = {});

}  // namespace ordain
