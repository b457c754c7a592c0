// json_text walks over JSON that was parsed before, so it only has to tell where values end.
#include "agents/mcp/json_text.h"

#include "ordain/json.h"

namespace ordain::mcp {
namespace {

bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size() && is_json_space(text[at])) ++at;
  return at;
}

/// @returns the place after the string that begins at `at`
size_t skip_text(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

/// @returns the place after the value that begins at `at`
size_t skip_value(std::string_view text, size_t at) {
  size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_text(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
      continue;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
      ++at;
    } else if (depth == 0) {
      while (at < text.size() && !is_json_space(text[at]) && text[at] != ',' && text[at] != '}' && text[at] != ']')
        ++at;
      return at;
    } else {
      ++at;
    }
    if (depth == 0) return at;
  }
  return text.size();
}

std::string decode_key(std::string_view quoted) {
  if (quoted.size() >= 2 && quoted.find('\\') == std::string_view::npos) {
    return std::string(quoted.substr(1, quoted.size() - 2));
  }
  Arena arena(256);
  const Result<Value> value = parse_json(arena, quoted);
  return value.ok() && value->is(Kind::string) ? std::string(value->as_text()) : std::string(quoted);
}

/// @returns the place of the first member or element; npos if the piece does not begin with `open`
size_t enter(std::string_view text, Piece piece, char open) {
  if (piece.begin >= piece.end || piece.end > text.size() || text[piece.begin] != open) return std::string_view::npos;
  return skip_space(text, piece.begin + 1);
}

}  // namespace

Piece whole(std::string_view text) {
  Piece out{skip_space(text, 0), text.size()};
  while (out.end > out.begin && is_json_space(text[out.end - 1])) --out.end;
  return out;
}

std::vector<Member> members(std::string_view text, Piece object) {
  std::vector<Member> out;
  size_t at = enter(text, object, '{');
  while (at < object.end && text[at] == '"') {
    const size_t key_end = skip_text(text, at);
    Member member{decode_key(text.substr(at, key_end - at)), {}};
    at = skip_space(text, key_end);
    if (at >= object.end || text[at] != ':') break;
    member.value.begin = skip_space(text, at + 1);
    member.value.end = skip_value(text, member.value.begin);
    at = skip_space(text, member.value.end);
    out.push_back(std::move(member));
    if (at >= object.end || text[at] != ',') break;
    at = skip_space(text, at + 1);
  }
  return out;
}

std::vector<Piece> elements(std::string_view text, Piece array) {
  std::vector<Piece> out;
  size_t at = enter(text, array, '[');
  while (at < array.end && text[at] != ']') {
    const size_t end = skip_value(text, at);
    if (end == at) break;
    out.push_back({at, end});
    at = skip_space(text, end);
    if (at >= array.end || text[at] != ',') break;
    at = skip_space(text, at + 1);
  }
  return out;
}

std::optional<Piece> find_member(std::string_view text, Piece object, std::string_view key) {
  for (const Member& member : members(text, object)) {
    if (member.key == key) return member.value;
  }
  return std::nullopt;
}

std::string replace_piece(std::string_view text, Piece piece, std::string_view value) {
  std::string out;
  out.reserve(text.size() - (piece.end - piece.begin) + value.size());
  out += text.substr(0, piece.begin);
  out += value;
  out += text.substr(piece.end);
  return out;
}

void IdFinder::read(std::string_view part) {
  for (const char c : part) {
    if (lost_) return;
    in_string_ ? read_string(c) : read_plain(c);
  }
}

void IdFinder::read_string(char c) {
  if (depth_ == 1) {
    std::string& into = in_key_ ? key_ : value_;
    if (into.size() < kLongest) into += c;
  }
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    in_string_ = false;
  }
}

void IdFinder::read_plain(char c) {
  if (c == '"') {
    in_string_ = true;
    if (depth_ == 1) (in_key_ ? key_ : value_) += c;
  } else if (c == '{' || c == '[') {
    if (depth_ == 0) lost_ = c == '[';
    if (depth_ == 1) value_ = "[";  // an id is neither an object nor an array
    if (++depth_ == 1) in_key_ = true;
  } else if (c == '}' || c == ']') {
    if (depth_ == 1) end_member();
    if (--depth_ <= 0) lost_ = true;  // nothing after the message belongs to it
  } else if (depth_ != 1) {
    if (depth_ == 0 && !is_json_space(c)) lost_ = true;
  } else if (c == ':' && in_key_) {
    in_key_ = false;
    value_.clear();
  } else if (c == ',') {
    end_member();
    in_key_ = true;
    key_.clear();
  } else if (!in_key_ && !is_json_space(c) && value_.size() < kLongest) {
    value_ += c;
  }
}

void IdFinder::end_member() {
  if (in_key_) return;
  // A key that needs decoding may be another way to write "id".
  if (key_ == "\"id\"" || key_.find('\\') != std::string::npos) ++found_;
  if (key_ == "\"id\"") id_ = value_;
}

std::string IdFinder::id() const {
  if (found_ != 1 || id_.size() >= kLongest) return "";
  Arena arena(1024);
  const Result<Value> value = parse_json(arena, id_);
  if (!value.ok()) return "";
  const bool fits = value->is(Kind::string) || value->is(Kind::integer) || value->is(Kind::unsigned_integer) ||
                    value->is(Kind::floating);
  return fits ? id_ : "";
}

}  // namespace ordain::mcp
