// Words are what texts are compared by: whether a principal said something, and whether a value
// occurred in an output. Two texts have the same words however they are spelled: letters of either
// case, full-width or composed forms, and characters that nobody sees make no difference.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/value.h"

namespace ordain::state {

/// Shorter texts are too common to say where they come from.
inline constexpr size_t kShortestText = 4;

/// @returns the words of a text in their order: runs of letters, digits and `._@:/+-`, folded, without
/// punctuation at their ends. Bytes that are not UTF-8 end a word.
std::vector<std::string> split_words(std::string_view text);

/// @returns the number of characters in words
size_t count_characters(std::span<const std::string> words);

/// @returns true if `words` occur in `text` as a consecutive run. No words occur nowhere.
bool occur_in(std::span<const std::string> words, std::span<const std::string> text);

/// @returns a number that stands for a word, the same in all processes
uint64_t hash_word(std::string_view word);

/// @returns every string in a value: the value itself, items of lists, and keys and values of maps, at any depth
std::vector<std::string_view> texts_in(const Value& value);

}  // namespace ordain::state
