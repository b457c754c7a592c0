// The door to the code generator for libraries and programs that are not linked with it, but load it
// when they need it (embed/code_generator_loaded.cc).
#pragma once

#include "ordain/jit.h"
#include "vm/value/private_api.h"

namespace ordain::vm {

/// The functions of ordain/jit.h.
struct CodeGenerator {
  decltype(&ordain::compile_native) compile;
  decltype(&ordain::compile_native_in_background) compile_in_background;
  decltype(&ordain::llvm_version) llvm_version;
};

const CodeGenerator& code_generator();

}  // namespace ordain::vm

/// The code generator, for a caller of the same release that was made from the same sources; nullptr
/// for any other caller.
/// @param sources the caller's `kNativeSources`, a digest of what both must agree about
extern "C" ORDAIN_PRIVATE_API const ordain::vm::CodeGenerator* ordain_private_code_generator(const char* release,
                                                                                             const char* sources);
