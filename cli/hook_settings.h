// The settings of coding agents that make them start `ordain-hook`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agents/tool_names.h"
#include "ordain/result.h"

namespace ordain::cli {

/// The shell command that a client runs for each call. It exits with 2 and says why if `program`
/// cannot be started or crashes, because clients take any other failure for consent. It is the same
/// for sh, bash, zsh and fish.
std::string hook_command(const std::string& program, agents::Client client, const std::string& socket,
                         const std::optional<uint32_t>& owner);

/// The client's settings with its hooks, which run `command`. Other settings and hooks stay, as do the
/// order of members; hooks that an earlier `ordain hook install` wrote are replaced.
/// @param settings "" if there are none yet
/// @returns the settings as they are if nothing is to be changed; error "bad_settings"
Result<std::string> add_hooks(std::string_view settings, agents::Client client, const std::string& command);

/// Whether the settings switch all hooks off.
bool hooks_are_off(std::string_view settings);

}  // namespace ordain::cli
