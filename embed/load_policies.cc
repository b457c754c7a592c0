// The three-line start: compiles with the standard library, and makes native code in the
// background.
#include <new>

#include "embed/code_generator.h"
#include "ordain/ordain.h"

namespace ordain {

void detail::start_native_code(const Program& program) {
  if (const auto generator = open_code_generator()) (*generator)->compile_in_background(program, {});
}

Policies load_policies(const std::vector<std::string>& paths) {
  try {
    Compilation compilation = compile(paths, standard_library());
    Policies out;
    out.program = compilation.program;
    out.messages = render(compilation.diagnostics);
    if (out.program != nullptr) detail::start_native_code(*out.program);
    return out;
  } catch (const std::bad_alloc&) {
    return {nullptr, "out of memory\n"};  // short enough to need none
  }
}

Policies load_policies(const std::string& path) { return load_policies(std::vector<std::string>{path}); }

}  // namespace ordain
