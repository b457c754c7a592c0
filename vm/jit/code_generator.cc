// code_generator.cc gives the functions of the code generator to the program or library that has loaded it.
#include "vm/jit/code_generator.h"

#include <cstring>

#include "native_sources.h"

namespace ordain::vm {

const CodeGenerator& code_generator() {
  static constexpr CodeGenerator kFunctions = {
      .compile = &compile_native,
      .compile_in_background = &compile_native_in_background,
      .llvm_version = &llvm_version,
  };
  return kFunctions;
}

}  // namespace ordain::vm

const ordain::vm::CodeGenerator* ordain_private_code_generator(const char* release, const char* sources) {
  const bool same = std::strcmp(release, ORDAIN_RELEASE) == 0 && std::strcmp(sources, kNativeSources) == 0;
  return same ? &ordain::vm::code_generator() : nullptr;
}
