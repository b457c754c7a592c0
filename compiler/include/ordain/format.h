// Formatting gives policy text its canonical layout. It moves tokens and comments to other lines and
// columns, and changes nothing else: programs and the digests of rules stay the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ordain/diagnostic.h"
#include "ordain/export.h"
#include "ordain/result.h"

namespace ordain {

/// Formats the text of one policy file. Formatting the result again gives the same text.
/// @returns error "syntax" if the text does not parse; its message lists the mistakes, as `render` formats them
ORDAIN_API Result<std::string> format_policy(std::string_view text);

/// Formats `diagnostics.sources[file]`, and reports the mistakes that `compile` reports when it parses it.
/// @returns nullopt if there were any
ORDAIN_API std::optional<std::string> format_source(Diagnostics& diagnostics, uint32_t file);

}  // namespace ordain
