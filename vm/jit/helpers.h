// helpers.h lists the plain functions that native code calls by name for work that takes more than
// a few instructions.
#pragma once

#include <span>
#include <string_view>

namespace ordain::native {

/// The helper that continues in the interpreter. Standalone code does not have this symbol.
inline constexpr std::string_view kInterpret = "ordain_interpret";

struct Helper {
  const char* name;
  const char*
      signature;  ///< result, ':', parameters: v void, b bool (only as a result), i uint32_t, l uint64_t, p pointer
  void* address;
  bool cold = false;  ///< used only on the path of a fault
};

/// @returns the helpers. A helper that produces a value leaves it in frame.result. One that returns
/// bool returns false with frame.eval.fault set; one that returns uint32_t sets a fault and returns
/// 2, so that a predicate can end with a jump to it.
std::span<const Helper> helpers();

}  // namespace ordain::native
