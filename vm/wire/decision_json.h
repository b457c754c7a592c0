// A decision as one JSON object, as docs/cli.md describes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordain/decide.h"

namespace ordain::detail {

/// One line without a line end; `event` is the line's number in its file.
std::string decision_json(const Program& program, uint64_t event, Stage stage, std::string_view capability,
                          const Decision& decision);

/// The line for a malformed event.
std::string error_json(uint64_t event, std::string_view code, std::string_view message);

}  // namespace ordain::detail
