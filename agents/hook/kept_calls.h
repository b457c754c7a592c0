// Remembers, from the hook before a call to the hook after it, under which id the daemon knows the
// call. The two hooks are processes of their own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordain::agents {

/// Whether a text may be the id of a call. It becomes a part of a URL and of messages.
bool is_call_id(std::string_view text);

/// The directory of this user's calls: `ordain-hook` in $XDG_RUNTIME_DIR, or in /run/user/UID.
std::string kept_calls_directory();

/// Keeps the id of a call. A directory holds a bounded number of calls, so an old one may be
/// forgotten; so may all of them if the directory is not this user's alone.
void keep_call(const std::string& directory, std::string_view key, std::string_view id);

/// Returns the id that was kept for the key, and forgets it.
std::optional<std::string> take_call(const std::string& directory, std::string_view key);

}  // namespace ordain::agents
