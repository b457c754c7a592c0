// terminal_text.cc makes text from elsewhere safe for one line of a terminal. Which characters hide
// is a table of ranges; most are Unicode's Default_Ignorable_Code_Point, and a few others look like
// nothing at all.
#include "ordain/terminal_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vm/value/code_point.h"

namespace ordain {
namespace {

struct HiddenRange {
  uint32_t first, last;
};

constexpr std::array<HiddenRange, 24> kHidden = {{
    {0x0, 0x1F},         // C0 controls
    {0x7F, 0x9F},        // delete, and C1 controls
    {0xAD, 0xAD},        // soft hyphen
    {0x34F, 0x34F},      // combining grapheme joiner
    {0x61C, 0x61C},      // Arabic letter mark
    {0x115F, 0x1160},    // Hangul fillers
    {0x17B4, 0x17B5},    // Khmer inherent vowels
    {0x180B, 0x180F},    // Mongolian variation selectors and vowel separator
    {0x200B, 0x200F},    // zero width, and direction marks
    {0x2028, 0x2029},    // line and paragraph separators
    {0x202A, 0x202E},    // direction embeddings and overrides
    {0x2060, 0x206F},    // word joiner, invisible operators, direction isolates, deprecated formats
    {0x2800, 0x2800},    // Braille pattern without dots
    {0x3164, 0x3164},    // Hangul filler
    {0xFE00, 0xFE0F},    // variation selectors
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFA0, 0xFFA0},    // halfwidth Hangul filler
    {0xFFF0, 0xFFFB},    // ignorable, and interlinear annotations
    {0x13430, 0x1343F},  // Egyptian hieroglyph format controls
    {0x16FE4, 0x16FE4},  // Khitan small script filler
    {0x1BCA0, 0x1BCA3},  // shorthand format controls
    {0x1D159, 0x1D159},  // musical symbol null notehead
    {0x1D173, 0x1D17A},  // musical format controls
    {0xE0000, 0xE0FFF},  // tags, and variation selectors
}};
static_assert(std::is_sorted(kHidden.begin(), kHidden.end(),
                             [](const HiddenRange& a, const HiddenRange& b) { return a.last < b.first; }));

// @returns whether `c` moves the cursor, ends a line, reorders text or is invisible
bool is_hidden(uint32_t c) {
  const auto* range = std::lower_bound(kHidden.begin(), kHidden.end(), c,
                                       [](const HiddenRange& each, uint32_t value) { return each.last < value; });
  return range != kHidden.end() && c >= range->first;
}

}  // namespace

std::string terminal_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const detail::CodePoint point = detail::code_point_at(text, at);
    if (point.length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at++]));
      continue;
    }
    if (point.value == '\n') {
      out += "\\n";
    } else if (point.value == '\t') {
      out += "\\t";
    } else if (is_hidden(point.value)) {
      out += fmt::format("\\u{{{:x}}}", point.value);
    } else {
      out += text.substr(at, point.length);
    }
    at += point.length;
  }
  return out;
}

}  // namespace ordain
