// Includes all of Ordain, and declares the three-line start.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ordain/compile.h"
#include "ordain/context_cache.h"
#include "ordain/decide.h"
#include "ordain/decide_many.h"
#include "ordain/decision_json.h"
#include "ordain/event.h"
#include "ordain/export.h"
#include "ordain/json.h"
#include "ordain/program.h"
#include "ordain/runtime.h"
#include "ordain/stdlib.h"

namespace ordain {

/// A loaded set of policies, or the reason why it could not be loaded. `*policies` is the program.
struct Policies {
  std::shared_ptr<const Program> program;  ///< nullptr on errors
  std::string messages;                    ///< rendered diagnostics: errors and warnings

  explicit operator bool() const { return program != nullptr; }
  const std::shared_ptr<const Program>& operator*() const& { return program; }
  std::shared_ptr<const Program> operator*() && { return std::move(program); }
};

/// Compiles files and directories with the standard library. If native code is built in, it is made
/// in the background and takes over when it is ready. Thread-safe.
ORDAIN_API Policies load_policies(const std::vector<std::string>& paths);
ORDAIN_API Policies load_policies(const std::string& path);

}  // namespace ordain
