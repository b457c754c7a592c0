// compile: policy text to a Program. The whole front end behind one call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ordain/diagnostic.h"
#include "ordain/function.h"
#include "ordain/program.h"

namespace ordain {

/// What each pass took, in milliseconds. 0 for a pass that was not reached.
struct CompileTimes {
  double read = 0;   ///< files, where paths were given
  double parse = 0;
  double check = 0;  ///< types and names, and folding
  double plan = 0;   ///< the index over what rules ask
  double emit = 0;
  double link = 0;   ///< verifying, resolving functions, preparing their constant arguments
  double total() const { return read + parse + check + plan + emit + link; }
};

struct Compilation {
  std::shared_ptr<const Program> program;  ///< nullptr if there were errors
  Diagnostics diagnostics;                 ///< warnings too
  CompileTimes times;
};

/// Reads files and directories (recursively, `*.policy`, sorted by bytes) in the order given, then what they import and that was
/// not given, in the order in which imports name it. An import is looked up beside the importing file, then under the directories
/// given. No file is read twice. What cannot be read is a diagnostic (code `unreadable`), never an exception.
Diagnostics read_sources(const std::vector<std::string>& paths);

/// Compiles policy files as one set: parse, check, fold, plan, emit, link. `functions` must outlive the Program.
Compilation compile(const std::vector<std::string>& paths, const FunctionTable& functions);

/// The same for texts in memory. Imports are resolved among `sources` only.
Compilation compile(std::vector<std::shared_ptr<const Source>> sources, const FunctionTable& functions);

}  // namespace ordain
