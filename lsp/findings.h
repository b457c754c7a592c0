// findings.h compiles a set of policies for its diagnostics, and writes them as the protocol has them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lsp/text_lines.h"
#include "lsp/workspace.h"
#include "ordain/diagnostic.h"
#include "ordain/function.h"

namespace ordain::lsp {

/// What was found in a set, and the texts that it was found in.
struct Findings {
  Diagnostics diagnostics;
  std::vector<std::pair<std::string, Diagnostic>> problems;  ///< with reading files, by path
};

/// The texts of a set as they are now, to look for mistakes in them. It shares nothing that changes, so `run` may be
/// called on another thread.
struct Check {
  std::string set;
  bool lives = true;  ///< otherwise the set is gone, and with it its diagnostics
  std::vector<std::shared_ptr<const Source>> sources;
  std::vector<std::pair<std::string, Diagnostic>> problems;
  std::map<std::string, int64_t, std::less<>> versions;  ///< of the open documents, by URI
  const FunctionTable* functions = nullptr;

  Findings run() const;
};

Check make_check(Workspace& workspace, const std::string& set, const FunctionTable& functions);

struct FindingStyle {
  Encoding encoding = Encoding::utf16;
  bool related = false;  ///< the client shows related information; otherwise it is part of the message
};

/// The diagnostics of each text, and of each path that could not be read, as elements of `publishDiagnostics`, by path.
std::map<std::string, std::vector<std::string>> diagnostics_json(const Findings& findings, const Workspace& workspace,
                                                                 const FindingStyle& style);

}  // namespace ordain::lsp
