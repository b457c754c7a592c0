// characters.cc reports characters that change how text is displayed, wherever they stand: in strings,
// names and comments.
#include <cstdint>
#include <string>
#include <string_view>

#include "compiler/lint/lint.h"

namespace ordain::lint {
namespace {

constexpr int kMostReports = 20;  ///< in a file

/// A character of three bytes at most, or 0.
struct Decoded {
  char32_t point = 0;
  uint32_t bytes = 1;
};

Decoded decode(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  if ((byte(at) & 0xE0) == 0xC0) return {static_cast<char32_t>((byte(at) & 0x1F) << 6 | (byte(at + 1) & 0x3F)), 2};
  if ((byte(at) & 0xF0) != 0xE0) return {};
  return {static_cast<char32_t>((byte(at) & 0x0F) << 12 | (byte(at + 1) & 0x3F) << 6 | (byte(at + 2) & 0x3F)), 3};
}

// Marks, embeddings, overrides and isolates of the bidirectional algorithm.
bool is_bidi_control(char32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

// The joiner U+200D is part of many emoji, and the non-joiner U+200C of Persian words.
bool is_invisible(char32_t point) {
  return point == 0x00AD || point == 0x200B || (point >= 0x2060 && point <= 0x2064) || point == 0xFEFF;
}

std::string name_of(char32_t point) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = "U+";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(point >> shift) & 0xF];
  return out;
}

/// Calls report(span, name) for the characters of all sources for which `wanted` is true.
template <typename Report>
void for_each_character(const Diagnostics& diagnostics, bool (*wanted)(char32_t), Report report) {
  for (uint32_t file = 0; file < diagnostics.sources.size(); ++file) {
    if (diagnostics.sources[file]->is_data) continue;
    const std::string_view text = diagnostics.sources[file]->text;
    int reports = 0;
    for (size_t at = 0; at < text.size() && reports < kMostReports; ++at) {
      if (static_cast<unsigned char>(text[at]) < 0xC0) continue;
      const Decoded decoded = decode(text, at);
      if (decoded.point == 0 || !wanted(decoded.point)) continue;
      if (at == 0 && decoded.point == 0xFEFF) continue;  // a byte order mark
      const auto begin = static_cast<uint32_t>(at);
      report(Span{file, begin, begin + decoded.bytes}, name_of(decoded.point));
      ++reports;
    }
  }
}

}  // namespace

void warn_bidi_controls(Diagnostics& diagnostics) {
  for_each_character(diagnostics, is_bidi_control, [&](Span span, const std::string& name) {
    diagnostics.warning("bidi-control", span, name + " lets the text around it be displayed in another order",
                        "remove it; in a string, write \"\\u" + name.substr(2) + "\"");
  });
}

void warn_invisible_characters(Diagnostics& diagnostics) {
  for_each_character(diagnostics, is_invisible, [&](Span span, const std::string& name) {
    diagnostics.warning("invisible-character", span, name + " is invisible, so texts differ that look the same",
                        "remove it; in a string, write \"\\u" + name.substr(2) + "\"");
  });
}

}  // namespace ordain::lint
