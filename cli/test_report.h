// The reports of `ordain test`: lines for people, JSON and JUnit's XML for programs.
#pragma once

#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/run_tests.h"

namespace ordain::cli {

/// One line a test; under a failed one, every unmet expectation with its place and the actual decision.
void print_tests_text(const Compilation& compilation, const std::vector<TestReport>& reports);

/// One JSON object.
std::string test_json(const Compilation& compilation, const TestReport& report);

/// One JSON object a test, each on a line.
void print_tests_json(const Compilation& compilation, const std::vector<TestReport>& reports);

/// The reports as CI systems read them: a `testsuite` for each file, in it a `testcase` for each test.
std::string tests_junit(const Compilation& compilation, const std::vector<TestReport>& reports);

/// The same for policies with errors, whose tests cannot run: one `testcase` that holds the errors.
std::string errors_junit(const Compilation& compilation);

}  // namespace ordain::cli
