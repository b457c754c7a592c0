// state.h holds what the passes of one parse share: memory, diagnostics and limits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "compiler/parse/parse.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"

namespace ordain::parsing {

struct State {
  Arena& arena;
  Diagnostics& diagnostics;
  const ParseLimits& limits;
  uint32_t file = 0;
  std::string_view text = {};
  uint32_t errors = 0;
  Diagnostic discarded = {};  ///< receives the reports past the limit

  bool full() const { return errors >= limits.errors; }

  Span span(uint32_t begin, uint32_t end) const { return {file, begin, end}; }

  /// Reports a mistake. Reports past the limit are dropped.
  Diagnostic& error(std::string code, Span where, std::string message, std::string help = "");
};

/// Quotes a part of the source for a message: `x`, cut if long.
std::string quote(std::string_view text);

/// @returns the offset at which `text` stops being UTF-8, or text.size()
size_t valid_utf8_prefix(std::string_view text);

}  // namespace ordain::parsing
