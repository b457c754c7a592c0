// What native code calls for work that is more than a few instructions: plain functions, known to it by name.
#pragma once

#include <span>
#include <string_view>

namespace ordain::native {

/// The helper that goes on in the interpreter. Standalone code has no such symbol.
inline constexpr std::string_view kInterpret = "ordain_interpret";

struct Helper {
  const char* name;
  const char*
      signature;  ///< result, ':', parameters: v void, b bool (only as a result), i uint32_t, l uint64_t, p pointer
  void* address;
  bool cold = false;  ///< only on the way of a fault
};

/// Those that give a value leave it in frame.result; those that return bool return false with frame.eval.fault set;
/// those that return uint32_t set a fault and return 2, so that a predicate can end with a jump to them.
std::span<const Helper> helpers();

}  // namespace ordain::native
