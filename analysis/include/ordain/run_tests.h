// run_tests: decides the calls of `test` blocks, and says which expectations are met.
#pragma once

#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"

namespace ordain {

/// What one expectation came to. Points into the Compilation.
struct TestVerdict {
  const TestCall* call = nullptr;
  const TestExpectation* expectation = nullptr;
  bool met = false;
  bool fault = false;    ///< the effect is due to a fault
  std::string decided;   ///< in words: "deny by payments.unknown_payee: recipient X is not a payee"
  std::string why;       ///< not met: what became of the rule that was expected; "" if none was
  std::string decision;  ///< one JSON object, as `ordain eval --json` prints it; `event` counts the test's calls from 1
};

struct TestReport {
  const PolicyTest* test = nullptr;
  std::vector<TestVerdict> verdicts;  ///< one for each expectation, in source order
  bool passed() const;
};

/// Runs every test of `compilation`, which must have a program and outlive the result. Compiled with
/// CompileOptions::parts, `why` says which part of a condition was false. A call that does not say `now` is decided at
/// the time of this call. Thread-safe.
std::vector<TestReport> run_tests(const Compilation& compilation, const DecideOptions& options = {});

}  // namespace ordain
