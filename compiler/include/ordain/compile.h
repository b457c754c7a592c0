// compile turns policy text into a Program. It runs the whole front end in one call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ordain/diagnostic.h"
#include "ordain/function.h"
#include "ordain/program.h"

namespace ordain {

/// The time of each pass in milliseconds; 0 for a pass that was not reached.
struct CompileTimes {
  double read = 0;  ///< files, if paths were given
  double parse = 0;
  double check = 0;  ///< types and names, and folding
  double plan = 0;   ///< building the index over the rules' conditions
  double emit = 0;
  double link = 0;  ///< verifying, resolving functions, preparing their constant arguments
  double total() const { return read + parse + check + plan + emit + link; }
};

/// What a `test` expects of a call's decision.
struct TestExpectation {
  Span span;
  std::string
      effect;  ///< "deny", "require_approval", "allow"; "redact", "warn": such an obligation; "default": no rule spoke
  std::string rule;  ///< the rule that must cause it; "" for any rule
};

/// A call that a `test` makes, and what it expects of the decision.
struct TestCall {
  Span span;
  std::string event;  ///< one JSON line, as `ordain eval` reads it; in the after stage if the call `returns`
  std::vector<TestExpectation> expectations;
};

/// A `test` block with its values computed. `run_tests` (ordain/run_tests.h) decides it. Spans point into
/// Compilation::diagnostics.
struct PolicyTest {
  std::string name;
  Span span;  ///< of the name
  std::vector<TestCall> calls;
};

/// A part of a rule's condition: one operand of its `&&`.
struct ConditionPart {
  RuleId rule = kNone;  ///< of Compilation::program
  Span span;
};

struct Compilation {
  std::shared_ptr<const Program> program;  ///< nullptr if there were errors
  Diagnostics diagnostics;                 ///< including warnings
  std::vector<PolicyTest> tests;           ///< in source order; none if there were errors
  CompileTimes times;
  /// With CompileOptions::parts: a program with a rule for each part of each condition, for
  /// explanations. Its facts are bound separately. `condition_parts` maps its RuleIds to the rules
  /// that they are parts of.
  std::shared_ptr<const Program> parts_program;
  std::vector<ConditionPart> condition_parts;
};

struct CompileOptions {
  bool parts = false;  ///< fill Compilation::parts_program, which takes as long as the rest
};

/// Reads files and directories (recursively, `*.policy`, sorted by bytes) in the given order, then
/// the files that they import and that were not given, in the order in which imports name them. An
/// import is looked up beside the importing file, then under the given directories. No file is read
/// twice. A file that cannot be read is a diagnostic (code `unreadable`), never an exception.
Diagnostics read_sources(const std::vector<std::string>& paths);

/// Compiles policy files as one set: parse, check, fold, plan, emit, link. `functions` must outlive the Program.
Compilation compile(const std::vector<std::string>& paths, const FunctionTable& functions,
                    const CompileOptions& options = {});

/// Like above, for texts in memory. Imports are resolved only among `sources`.
Compilation compile(std::vector<std::shared_ptr<const Source>> sources, const FunctionTable& functions,
                    const CompileOptions& options = {});

}  // namespace ordain
