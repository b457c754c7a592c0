// What the passes of one parse share: where memory comes from, where mistakes go, and what the limits are.
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
  Diagnostic discarded = {};  ///< takes what is reported past the limit

  bool full() const { return errors >= limits.errors; }

  Span span(uint32_t begin, uint32_t end) const { return {file, begin, end}; }

  /// Reports a mistake. Past the limit it is dropped.
  Diagnostic& error(std::string code, Span where, std::string message, std::string help = "");
};

/// The character of a diagnostic's text: `x`, cut if long.
std::string quote(std::string_view text);

/// Where `text` stops being UTF-8; text.size() if nowhere.
size_t valid_utf8_prefix(std::string_view text);

}  // namespace ordain::parsing
