// compile turns policy text into a Program. It runs the whole front end in one call.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ordain/diagnostic.h"
#include "ordain/export.h"
#include "ordain/function.h"
#include "ordain/program.h"

namespace ordain {

/// The time of each pass in milliseconds; 0 for a pass that was not reached.
struct CompileTimes {
  double read = 0;  ///< files, if paths were given
  double parse = 0;
  double check = 0;  ///< types and names, and folding
  double index = 0;  ///< building the index over the rules' conditions
  double emit = 0;
  double link = 0;  ///< verifying, resolving functions, preparing their constant arguments
  double total() const { return read + parse + check + index + emit + link; }
};

/// What a `test` expects of a call's decision.
struct TestExpectation {
  Span span;
  /// "deny", "require_approval" or "allow"; "redact" or "warn" for an obligation; "default" where no rule applies.
  std::string effect;
  std::string rule;  ///< the rule that must be the cause; "" accepts any
};

/// What a `test` answers to a request for approval.
struct TestAnswer {
  Span span;
  bool approves = true;
  std::string group;     ///< "": for each group that is asked
  std::string approver;  ///< "": anyone
};

/// A call that a `test` makes, and what it expects of the decision. Where a set of policies declares state, the calls
/// of one test share it, and time passes between them only as `wait` says.
struct TestCall {
  Span span;
  int64_t wait_seconds = 0;  ///< how much time passes before the call
  int32_t wait_nanos = 0;
  bool fails = false;
  std::vector<TestAnswer> answers;  ///< each is followed by another decision of the call
  std::optional<Span> row;          ///< the row of the test's table that the call is made for
  std::string event;     ///< one JSON line, as `ordain eval` reads it; in the after stage if the call `returns`
  bool returns = false;  ///< the call gives its output
  /// Where the set declares state: the same call in the other stage. That is before it ran if it `returns`, and
  /// otherwise after it ran, without an output. Elsewhere "".
  std::string other_event;
  std::vector<TestExpectation> expectations;
};

/// A `test` block with its values computed. `run_tests` (ordain/run_tests.h) decides it. Spans point into
/// Compilation::diagnostics.
struct PolicyTest {
  std::string name;
  Span span;  ///< of the name
  std::vector<TestCall> calls;
};

struct Compilation {
  std::shared_ptr<const Program> program;  ///< nullptr if there were errors
  Diagnostics diagnostics;                 ///< including warnings
  std::vector<PolicyTest> tests;           ///< in source order; none if there were errors
  CompileTimes times;
};

struct CompileOptions {
  /// Whether the program can also evaluate the parts that `&&` joins in conditions, so that an explanation can say
  /// which of them was false. It decides the same; but as it holds more code, its digest is another.
  bool parts = false;
};

/// Reads files and directories (recursively, `*.policy`, sorted by bytes) in the given order, then
/// the files that they import and that were not given, in the order in which imports name them. An
/// import is looked up beside the importing file, then under the given directories. No file is read
/// twice. A file that cannot be read is a diagnostic (code `unreadable`), never an exception.
ORDAIN_API Diagnostics read_sources(const std::vector<std::string>& paths);

/// Compiles policy files as one set: parse, check, fold, index, emit, link. If `paths` name one file that holds a
/// serialised program, as `ordain compile` writes it, loads that instead: it has no tests, and a file that is not a
/// valid program is a diagnostic (code `bad-program`). `functions` must outlive the Program.
ORDAIN_API Compilation compile(const std::vector<std::string>& paths, const FunctionTable& functions,
                               const CompileOptions& options = {});

/// Like above, for texts in memory. Imports are resolved only among `sources`.
ORDAIN_API Compilation compile(std::vector<std::shared_ptr<const Source>> sources, const FunctionTable& functions,
                               const CompileOptions& options = {});

}  // namespace ordain
