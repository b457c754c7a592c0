// run_tests decides the calls of `test` blocks, and reports which expectations are met.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/export.h"

namespace ordain {

/// The outcome of one expectation. It points into the Compilation.
struct TestVerdict {
  const TestCall* call = nullptr;
  const TestExpectation* expectation = nullptr;
  bool met = false;
  bool fault = false;    ///< the effect is due to a fault
  std::string decided;   ///< in words: "deny by payments.unknown_payee: recipient X is not a payee"
  std::string why;       ///< if not met: the outcome of the expected rule; "" if none was expected
  std::string decision;  ///< one JSON object, as `ordain eval --json` prints it; `event` counts the test's calls from 1
};

struct ORDAIN_API TestReport {
  const PolicyTest* test = nullptr;
  std::vector<TestVerdict> verdicts;  ///< one for each expectation, in source order
  double seconds = 0;                 ///< how long the test took
  bool passed() const;
};

/// Runs every test of `compilation`, which must have a program and outlive the result. If it was
/// compiled with CompileOptions::parts, `why` says which part of a condition was false. A call
/// without `now` is decided at the time of this function call. Where the program remembers something, each test is a
/// story: its calls are decided, run and ended in a store of their own, one after another. Thread-safe.
ORDAIN_API std::vector<TestReport> run_tests(const Compilation& compilation, const DecideOptions& options = {});

/// The same for some tests of `compilation`, in this order.
ORDAIN_API std::vector<TestReport> run_tests(const Compilation& compilation,
                                             const std::vector<const PolicyTest*>& tests,
                                             const DecideOptions& options = {});

/// Selects the tests whose name contains `pattern`, in source order. `*` stands for any text.
ORDAIN_API std::vector<const PolicyTest*> select_tests(const Compilation& compilation, std::string_view pattern);

}  // namespace ordain
