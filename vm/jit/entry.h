// The function by which libordain.so starts native code after it has loaded libordain-jit.so.
#pragma once

#include "ordain/program.h"
#include "vm/value/private_api.h"

/// compile_native_in_background with its default options.
extern "C" ORDAIN_PRIVATE_API void ordain_private_start_native_code(const ordain::Program* program);
