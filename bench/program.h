// program.h compiles the policies of a bench.
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

/// Compiles a text, and ends the process with a message if it has errors. @param native also
/// compile to native code, if the build supports that
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
