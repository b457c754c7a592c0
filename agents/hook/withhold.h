// Puts something harmless in place of a tool's output. A client that finds another shape than the
// tool's own keeps the original, so the shape must stay.
#pragma once

#include <string_view>

#include "ordain/arena.h"
#include "ordain/value.h"

namespace ordain::agents {

/// The output of one of the client's own tools without its content: texts become `notice`, numbers
/// 0, and booleans false; of a list at most one element stays. The names of fields stay, because
/// the tool chose them.
Value blank_output(Arena& arena, const Value& output, std::string_view notice);

/// Likewise for a tool of an MCP server. Its names of fields may be secrets too, so only the form of
/// a result with one text is left.
Value blank_mcp_output(Arena& arena, const Value& output, std::string_view notice);

/// `redacted`, which was made from `original`, with values of the original kinds: where a redaction
/// put a text in place of a number, a list or a record, that part becomes blank.
Value keep_kinds(Arena& arena, const Value& original, const Value& redacted);

}  // namespace ordain::agents
