// json_text finds the parts of a JSON text, so that a message can be passed on with one part replaced and every other
// byte as it was.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ordain::mcp {

/// A value within a text: the bytes from `begin` to before `end`.
struct Piece {
  size_t begin = 0;
  size_t end = 0;

  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

struct Member {
  std::string key;  ///< decoded
  Piece value;
};

// The text must be valid JSON (as parse_json accepts it), and a piece must be one of its values. With any other text
// the functions stay within it, and what they find means nothing.

/// The value that a text is, without the white space around it.
Piece whole(std::string_view text);
/// The members of an object, in their order; none if the piece is not an object.
std::vector<Member> members(std::string_view text, Piece object);
/// The elements of an array, in their order; none if the piece is not an array.
std::vector<Piece> elements(std::string_view text, Piece array);
/// The value of a member of an object.
std::optional<Piece> find_member(std::string_view text, Piece object, std::string_view key);

/// The text with `value` in place of the piece.
std::string replace_piece(std::string_view text, Piece piece, std::string_view value);

/// Finds the `id` of a message that cannot be parsed, or that is too long to be kept, so that whoever waits for an
/// answer gets one. Reads the text once, in parts of any size, in constant memory.
class IdFinder {
 public:
  void read(std::string_view part);
  /// The id as it stands in the text: a JSON string or number. @returns "" if there is none, or more than one
  std::string id() const;

 private:
  void read_string(char c);
  void read_plain(char c);
  void end_member();

  static constexpr size_t kLongest = 512;  // of a key or an id
  int depth_ = 0;
  bool in_string_ = false, escaped_ = false, in_key_ = false, lost_ = false;
  int found_ = 0;
  std::string key_, value_, id_;
};

}  // namespace ordain::mcp
