// mirror_redactions keeps the two forms of a tool's result alike. A server says the same thing twice, as structured
// content for programs and as text for models, so what a rule redacts in one must not stay in the other.
#pragma once

#include <string_view>
#include <vector>

#include "ordain/json.h"
#include "ordain/runtime.h"

namespace ordain::mcp {

/// What stands for a text beside structured content that a rule redacts.
inline constexpr std::string_view kMirroredText = "[a policy redacted this result; see its structured content]";

/// Prepares a result for the redactions that will be applied to it. Where they change `output.structuredContent`, the
/// first text block becomes the JSON of the redacted structured content, and every other text, embedded ones too,
/// kMirroredText. Where they change only `output.content`, the structured content is left out. A result without both
/// forms, or without such a change, stays as it is.
Document mirror_redactions(const Document& result, const std::vector<DetachedObligation>& obligations);

}  // namespace ordain::mcp
