// declarations turns a server's tools into `capability` declarations, so that rules about their arguments are checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ordain/result.h"
#include "ordain/value.h"

namespace ordain::mcp {

struct Declarations {
  std::string policy;                ///< policy text in its canonical layout
  std::vector<std::string> skipped;  ///< tools whose names no capability can have
};

/// Declares the tools, which are maps as `tools/list` has them, and what stands for resources and prompts. Properties
/// of the types that the policy language has keep them; everything else is `dyn`. A record is open unless its schema
/// says that it has no further properties. Nothing that a server says can end the text that holds it.
/// @returns error "bad_declarations" if the text does not compile, which would be a defect
Result<Declarations> declare_tools(std::string_view server, const std::vector<Value>& tools);

}  // namespace ordain::mcp
