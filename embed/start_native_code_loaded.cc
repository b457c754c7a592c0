// libordain.so loads the code generator from libordain-jit.so, which brings LLVM, when a host first
// asks for native code. If libordain-jit.so is not installed, the interpreter decides. The dynamic
// loader refuses a libordain-jit.so of another release, because the private symbols that it asks for
// have the release in their version.
#include <dlfcn.h>

#include "embed/start_native_code.h"
#include "vm/jit/entry.h"

namespace ordain::detail {
namespace {

using StartNativeCode = decltype(&ordain_private_start_native_code);

// The library stays loaded until the process ends, because its code may run as long as any program
// exists.
StartNativeCode load_start_function() {
  void* library = dlopen(ORDAIN_JIT_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  return reinterpret_cast<StartNativeCode>(dlsym(library, "ordain_private_start_native_code"));
}

}  // namespace

void start_native_code(const Program& program) {
  static const StartNativeCode start = load_start_function();
  if (start != nullptr) start(&program);
}

}  // namespace ordain::detail
