// The three-line start: compiles with the standard library, and makes native code in the
// background.
#include "ordain/ordain.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain {

Policies load_policies(const std::vector<std::string>& paths) {
  Compilation compilation = compile(paths, standard_library());
  Policies out;
  out.program = compilation.program;
  out.messages = render(compilation.diagnostics);
#ifdef ORDAIN_HAS_JIT
  if (out.program != nullptr) compile_native_in_background(*out.program);
#endif
  return out;
}

Policies load_policies(const std::string& path) { return load_policies(std::vector<std::string>{path}); }

}  // namespace ordain
