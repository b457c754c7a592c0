// words.cc folds texts and splits them into words. What a text becomes is its compatibility
// decomposition (NFKD) with its case folded; runs of marks are sorted, so that their order makes no
// difference. That is as fine as NFKC: two texts are equal under one if they are under the other.
#include "runtime/state/words.h"

#include <algorithm>

#include "ordain/digest.h"
#include "runtime/state/unicode_tables.h"
#include "vm/value/code_point.h"

namespace ordain::state {
namespace {

constexpr std::string_view kInnerPunctuation = "._@:/+-";
constexpr uint32_t kFirstHangul = 0xAC00, kHangulSyllables = 11172;

bool in_ranges(std::span<const UnicodeRange> ranges, uint32_t code_point) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), code_point,
                                      [](uint32_t c, const UnicodeRange& range) { return c < range.first; });
  return after != ranges.begin() && code_point <= (after - 1)->last;
}

bool is_ascii_punctuation(uint32_t c) {
  return c < 0x80 && kInnerPunctuation.find(static_cast<char>(c)) != std::string_view::npos;
}

bool is_word_character(uint32_t c) {
  if (c >= 0x80) return in_ranges({kUnicodeWordRanges, kUnicodeWordRangeCount}, c);
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || is_ascii_punctuation(c);
}

void fold_hangul(uint32_t c, std::u32string& out) {
  const uint32_t syllable = c - kFirstHangul;
  out.push_back(static_cast<char32_t>(0x1100 + syllable / 588));
  out.push_back(static_cast<char32_t>(0x1161 + syllable % 588 / 28));
  if (syllable % 28 != 0) out.push_back(static_cast<char32_t>(0x11A7 + syllable % 28));
}

void fold_code_point(uint32_t c, std::u32string& out) {
  if (c < 0x80) {
    out.push_back(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return;
  }
  if (c >= kFirstHangul && c < kFirstHangul + kHangulSyllables) return fold_hangul(c, out);
  if (in_ranges({kUnicodeIgnoredRanges, kUnicodeIgnoredRangeCount}, c)) return;
  const UnicodeFold* const end = kUnicodeFolds + kUnicodeFoldCount;
  const UnicodeFold* found =
      std::lower_bound(kUnicodeFolds, end, c, [](const UnicodeFold& fold, uint32_t from) { return fold.from < from; });
  if (found == end || found->from != c) {
    out.push_back(c);
    return;
  }
  for (size_t i = 0; i < found->length; ++i) out.push_back(kUnicodeFolded[found->at + i]);
}

/// @returns the folded text, with U+FFFD, which is not part of any word, for what is not UTF-8
std::u32string fold_text(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const detail::CodePoint point = detail::code_point_at(text, at);
    if (point.length == 0) {
      out.push_back(0xFFFD);
      ++at;
      continue;
    }
    fold_code_point(point.value, out);
    at += point.length;
  }
  return out;
}

void sort_marks(std::u32string& text) {
  const auto is_mark = [](char32_t c) {
    return c >= 0x80 && in_ranges({kUnicodeMarkRanges, kUnicodeMarkRangeCount}, c);
  };
  for (auto at = text.begin(); at != text.end();) {
    at = std::find_if(at, text.end(), is_mark);
    const auto end = std::find_if_not(at, text.end(), is_mark);
    std::sort(at, end);
    at = end;
  }
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr uint32_t kFirstByte[] = {0, 0xC0, 0xE0, 0xF0};
  out.push_back(static_cast<char>(kFirstByte[more] | c >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out.push_back(static_cast<char>(0x80 | (c >> (6 * i) & 0x3F)));
}

void add_word(std::u32string_view word, std::vector<std::string>& out) {
  while (!word.empty() && is_ascii_punctuation(word.front())) word.remove_prefix(1);
  while (!word.empty() && is_ascii_punctuation(word.back())) word.remove_suffix(1);
  if (word.empty()) return;
  std::string& text = out.emplace_back();
  for (char32_t c : word) append_utf8(text, c);
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
  std::u32string folded = fold_text(text);
  sort_marks(folded);
  const std::u32string_view all = folded;
  std::vector<std::string> out;
  for (size_t at = 0; at < all.size();) {
    size_t end = at;
    while (end < all.size() && is_word_character(all[end])) ++end;
    add_word(all.substr(at, end - at), out);
    at = end + 1;
  }
  return out;
}

size_t count_characters(std::span<const std::string> words) {
  size_t out = 0;
  for (const std::string& word : words) {
    out += static_cast<size_t>(
        std::count_if(word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }
  return out;
}

bool occur_in(std::span<const std::string> words, std::span<const std::string> text) {
  return !words.empty() && std::search(text.begin(), text.end(), words.begin(), words.end()) != text.end();
}

uint64_t hash_word(std::string_view word) {
  const Digest digest = sha256(word);
  uint64_t out = 0;
  for (size_t i = 0; i < sizeof(out); ++i) out |= static_cast<uint64_t>(digest[i]) << (8 * i);
  return out;
}

std::vector<std::string_view> texts_in(const Value& value) {
  std::vector<std::string_view> out;
  std::vector<const Value*> todo{&value};
  while (!todo.empty()) {
    const Value& next = *todo.back();
    todo.pop_back();
    if (next.is(Kind::string)) out.push_back(next.as_text());
    if (next.is(Kind::list)) {
      for (const Value& item : next.as_list()) todo.push_back(&item);
    }
    if (!next.is(Kind::map)) continue;
    for (const MapEntry& entry : next.map->all()) {
      todo.push_back(&entry.key);
      todo.push_back(&entry.value);
    }
  }
  return out;
}

}  // namespace ordain::state
