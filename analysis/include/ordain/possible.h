// may_be_allowed says whether a call of a capability could be allowed at all, before its input is known. A host that
// offers tools to an agent uses it to leave out those that would be denied whatever the agent sends.
#pragma once

#include <string_view>

#include "ordain/call.h"
#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/program.h"

namespace ordain {

/// @returns false only if the rules of `program` deny every call of the capability in the before stage, or none of
/// them can allow it or require approval for it, while the facts in `context` stay as they are. Everything else (input,
/// metadata, resource, action, the time, what earlier calls left behind) may take any value, so true promises nothing.
/// `context` must have been made for the same program; a host's rules and a remote decision point are not asked.
ORDAIN_API bool may_be_allowed(const Program& program, std::string_view capability, const Context& context,
                               const DecideOptions& options = {});

}  // namespace ordain
