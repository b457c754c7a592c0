// evaluators runs every evaluator on the same policies and events: the oracle, the interpreter,
// native code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "ordain/diagnostic.h"
#include "ordain/program.h"
#include "tests/support/oracle.h"

namespace ordain {

/// The typed tree for the oracle, and the Program for the engines. Programs are nullptr after errors.
struct Compiled {
  Arena arena{1 << 16};
  Diagnostics diagnostics;
  typed::PolicySet set;
  std::shared_ptr<const Program> interpreted;
  std::shared_ptr<const Program> native;  ///< another copy, loaded and made native
};

/// Runs the passes one by one. Throws if emit, link or native code fails, since that is not an
/// author's mistake.
std::unique_ptr<Compiled> compile_everywhere(std::vector<std::shared_ptr<const Source>> sources);
/// Compiles all *.policy files below a directory as one set.
std::unique_ptr<Compiled> compile_directory_everywhere(const std::string& directory);

/// Decides one event (in the form of `ordain eval`, at 2024-05-01T12:00:00Z) on every evaluator,
/// requires the same answer from all by GoogleTest expectations, and returns it in one line.
std::string decide_everywhere(Compiled& compiled, const std::string& event);

/// @returns lines like "3:12 error unknown-field", sorted by text
std::vector<std::string> codes(const Diagnostics& diagnostics);

}  // namespace ordain
