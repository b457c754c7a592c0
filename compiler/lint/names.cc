// names.cc reports capabilities whose names are easily taken for each other. Each name is reduced to a
// form that it shares with those that look the same, and looked up by it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/diagnostic/words.h"
#include "compiler/lint/lint.h"

namespace ordain::lint {
namespace {

struct LookAlike {
  std::string_view character;
  char ascii;
};

// Letters of other scripts that most fonts show like an ASCII letter.
constexpr LookAlike kLookAlikes[] = {
    {"\u0430", 'a'}, {"\u0435", 'e'}, {"\u043E", 'o'}, {"\u0440", 'p'}, {"\u0441", 'c'}, {"\u0443", 'y'},
    {"\u0445", 'x'}, {"\u0455", 's'}, {"\u0456", 'i'}, {"\u0458", 'j'}, {"\u04BB", 'h'}, {"\u0501", 'd'},
    {"\u051B", 'q'}, {"\u051D", 'w'}, {"\u0410", 'A'}, {"\u0412", 'B'}, {"\u0415", 'E'}, {"\u041A", 'K'},
    {"\u041C", 'M'}, {"\u041D", 'H'}, {"\u041E", 'o'}, {"\u0420", 'P'}, {"\u0421", 'C'}, {"\u0422", 'T'},
    {"\u0425", 'X'}, {"\u0406", 'l'}, {"\u0408", 'J'}, {"\u0405", 'S'}, {"\u03BF", 'o'}, {"\u03BD", 'v'},
    {"\u03C1", 'p'}, {"\u0391", 'A'}, {"\u0392", 'B'}, {"\u0395", 'E'}, {"\u0396", 'Z'}, {"\u0397", 'H'},
    {"\u0399", 'l'}, {"\u039A", 'K'}, {"\u039C", 'M'}, {"\u039D", 'N'}, {"\u039F", 'o'}, {"\u03A1", 'P'},
    {"\u03A4", 'T'}, {"\u03A5", 'Y'}, {"\u03A7", 'X'}, {"\u0131", 'i'}, {"\u0251", 'a'}, {"\u0261", 'g'},
    {"\u0269", 'i'}, {"\u0578", 'n'}, {"\u057D", 'u'}, {"\u0585", 'o'},
};

// @returns what a character of ASCII looks like: 0 and O like o, 1, I and | like l
char look_of(char c) {
  if (c == '0' || c == 'O') return 'o';
  if (c == '1' || c == 'I' || c == '|') return 'l';
  return c;
}

size_t length_of_character(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(length, text.size() - at);
}

// Fullwidth forms are ASCII at a distance; they have three bytes, U+FF01 to U+FF5E.
char narrow_form(std::string_view character) {
  if (character.size() != 3 || character[0] != '\xEF') return 0;
  const auto second = static_cast<unsigned char>(character[1]), third = static_cast<unsigned char>(character[2]);
  const uint32_t point = 0xF000U | (second & 0x3FU) << 6 | (third & 0x3FU);
  return point >= 0xFF01 && point <= 0xFF5E ? static_cast<char>(point - 0xFF01 + '!') : '\0';
}

std::string appearance_of(std::string_view name) {
  static const std::unordered_map<std::string_view, char> kTable = [] {
    std::unordered_map<std::string_view, char> out;
    for (const LookAlike& each : kLookAlikes) out.emplace(each.character, each.ascii);
    return out;
  }();
  std::string out;
  for (size_t at = 0; at < name.size();) {
    const std::string_view character = name.substr(at, length_of_character(name, at));
    at += character.size();
    const auto known = kTable.find(character);
    if (character.size() == 1) {
      out += look_of(character[0]);
    } else if (known != kTable.end()) {
      out += known->second;
    } else if (const char narrow = narrow_form(character); narrow != 0) {
      out += look_of(narrow);
    } else {
      out += character;
    }
  }
  return out;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// The words of a name, in lower case: sendMoney, send-money and Send_Money are send_money.
std::string words_of(std::string_view name) {
  std::string out;
  for (size_t at = 0; at < name.size(); ++at) {
    const char c = name[at];
    const bool is_separator = c == '-' || c == '_' || c == ' ' || c == '/' || c == '.' || c == ':';
    const bool begins_word = is_upper(c) && at > 0 && name[at - 1] >= 'a' && name[at - 1] <= 'z';
    if (is_separator || begins_word) out += '_';
    if (!is_separator) out += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

/// Names of capabilities, each where it stands first.
struct NamedPlace {
  std::string_view name;
  Span span;
};

std::vector<NamedPlace> names_of_capabilities(const std::vector<syntax::File>& files) {
  std::vector<NamedPlace> out;
  std::unordered_map<std::string_view, bool> seen;
  const auto add = [&](std::string_view name, Span span) {
    if (seen.emplace(name, true).second) out.push_back({name, span});
  };
  for (const syntax::File& file : files) {
    for (const syntax::CapabilityDecl& decl : file.capabilities) add(decl.name.text, decl.name.span);
  }
  for (const syntax::File& file : files) {
    for (const syntax::PolicyDecl& policy : file.policies) {
      for (const syntax::Target& target : policy.targets) {
        if (target.text.find('*') == std::string_view::npos) add(target.text, target.span);
      }
    }
  }
  return out;
}

}  // namespace

void warn_confusable_names(Diagnostics& diagnostics, const std::vector<syntax::File>& files) {
  std::unordered_map<std::string, NamedPlace> known;
  for (const NamedPlace& place : names_of_capabilities(files)) {
    const auto [first, added] = known.emplace(appearance_of(place.name), place);
    if (added) continue;
    Diagnostic& warning = diagnostics.warning(
        "confusable-names", place.span,
        quoted(place.name) + " looks like " + quoted(first->second.name) + ", but is another capability");
    warning.notes.push_back({Severity::note, "", "the other one is here", first->second.span, "", {}});
  }
}

void warn_similar_names(Diagnostics& diagnostics, const std::vector<syntax::File>& files) {
  std::unordered_map<std::string, NamedPlace> known;
  for (const NamedPlace& place : names_of_capabilities(files)) {
    const auto [first, added] = known.emplace(words_of(place.name), place);
    if (added) continue;
    Diagnostic& warning = diagnostics.warning(
        "similar-names", place.span,
        quoted(place.name) + " and " + quoted(first->second.name) + " differ only in case and separators");
    warning.notes.push_back({Severity::note, "", "the other one is here", first->second.span, "", {}});
  }
}

}  // namespace ordain::lint
