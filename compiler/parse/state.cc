// state.cc reports mistakes, and checks that a source is UTF-8 text.
#include "compiler/parse/state.h"

#include <utility>

namespace ordain::parsing {

Diagnostic& State::error(std::string code, Span where, std::string message, std::string help) {
  if (full()) {
    discarded = {};
    return discarded;
  }
  if (++errors == limits.errors) {
    // Report the mistake first; the note stays after it because rendering keeps the order of equal
    // places.
    diagnostics.error(std::move(code), where, std::move(message), std::move(help));
    diagnostics.add(Severity::note, "limit-errors", where,
                    "the rest of this file was not read: it has " + std::to_string(limits.errors) + " errors already");
    return diagnostics.items[diagnostics.items.size() - 2];
  }
  return diagnostics.error(std::move(code), where, std::move(message), std::move(help));
}

std::string quote(std::string_view text) {
  constexpr size_t kLongest = 40;
  if (text.size() <= kLongest) return "`" + std::string(text) + "`";
  size_t end = kLongest - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return "`" + std::string(text.substr(0, end)) + "...`";
}

namespace {

// @returns the length of the UTF-8 sequence at the start of `text` (not empty), or 0 if it is
// overlong, a surrogate or otherwise invalid
size_t sequence_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !continues(1)) return 0;
  if (lead < 0xE0) return 2;
  unsigned char second = byte(1);
  if (lead < 0xF0) {
    if (!continues(2) || (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
    return 3;
  }
  if (!continues(2) || !continues(3) || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
  return 4;
}

}  // namespace

size_t valid_utf8_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    size_t length = sequence_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return at;
}

}  // namespace ordain::parsing
