// Policies of a bench, compiled.
#pragma once

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "ordain/compile.h"
#include "ordain/stdlib.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::bench {

/// Ends the process with a message where the text has errors. @param native also compiled to native code, where a build
/// has that
inline std::shared_ptr<const Program> make_program(const std::string& text, bool native = true) {
  auto compilation = compile({std::make_shared<Source>(Source{"bench.policy", text})}, standard_library());
  if (compilation.program == nullptr) {
    std::cerr << render(compilation.diagnostics);
    std::exit(1);
  }
#ifdef ORDAIN_HAS_JIT
  if (native && !compile_native(*compilation.program)) std::exit(1);
#else
  (void)native;
#endif
  return compilation.program;
}

}  // namespace ordain::bench
