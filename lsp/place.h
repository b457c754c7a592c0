// place.h says where in the language a byte of policy text is, from the tokens before it. It needs no
// tree, so it also knows about the line that the author is writing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ordain::lsp {

/// Views are of the text.
struct Place {
  std::string_view statement;              ///< the word that opens the file's statement; empty between statements
  std::vector<std::string_view> head;      ///< its tokens before the first `{`
  std::vector<std::string_view> words;     ///< tokens since the innermost statement of a block began
  std::vector<std::string_view> openings;  ///< for each open bracket, the bracket
  std::vector<std::string_view> before;    ///< for each open bracket, the token before it
  std::vector<std::string_view> chain;     ///< of `a.b.c`, where c is being written: a, b
  std::string_view prefix;                 ///< the word that is being written
  size_t prefix_begin = 0;
  bool in_comment = false;
  bool in_text = false;
  size_t text_begin = 0;  ///< of the literal, if `in_text`

  size_t depth() const { return openings.size(); }
  std::string_view last() const { return words.empty() ? std::string_view() : words.back(); }
};

Place place_at(std::string_view text, size_t offset);

/// The word of which `offset` is in or at an end, with the names before it that dots join: `input.to` of
/// `input.to.size`.
struct DottedWord {
  std::vector<std::string_view> segments;
  size_t begin = 0, end = 0;  ///< of the last segment
  bool is_called = false;     ///< `(` follows
};
DottedWord dotted_word_at(std::string_view text, size_t offset);

/// A statement of a file, with its braces.
struct Extent {
  size_t begin = 0, end = 0;
};
/// The statements of a file, in order; the last one may be unfinished.
std::vector<Extent> statements_of(std::string_view text);

/// The comment lines right above the line of `offset`, or the comment at the line's end, without the slashes.
std::string comment_of(std::string_view text, size_t offset);

/// Whether the word opens statements at the level of a file.
bool opens_file_statement(std::string_view word);

}  // namespace ordain::lsp
