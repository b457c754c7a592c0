// place.cc walks the tokens of a text up to a place.
#include "lsp/place.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "compiler/parse/token_scan.h"

namespace ordain::lsp {
namespace {

constexpr std::string_view kFileWords[] = {"package", "import", "option",  "context", "capability", "let",
                                           "policy",  "test",   "history", "rate",    "budget",     "label"};

constexpr size_t kMostNames = 64;  // that dots join

bool is_name_byte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// A statement that begins a line opens a new one whatever is still open, as authors write it: the text before may be
// unfinished.
bool begins_anew(std::string_view text, const ScanToken& token) {
  const bool first = token.begin == 0 || text[token.begin - 1] == '\n';
  return first && token.kind == ScanKind::word &&
         opens_file_statement(text.substr(token.begin, token.end - token.begin));
}

bool is_closed(std::string_view quoted) {
  const auto start = quoted_start(quoted);
  if (!start) return quoted.size() > 1 && quoted.back() == '`';
  const size_t quotes = start->quotes;
  return quoted.size() >= start->prefix + 2 * quotes &&
         quoted.substr(quoted.size() - quotes) == quoted.substr(start->prefix, quotes);
}

class PlaceWalk {
 public:
  explicit PlaceWalk(std::string_view text) : text_(text) {}

  Place walk(size_t offset) {
    size_t from = 0;
    for (ScanToken token = next_token(text_, 0);; token = next_token(text_, token.end)) {
      const bool past = token.kind == ScanKind::end || token.begin >= offset;
      const std::string_view piece = text_.substr(token.begin, token.end - token.begin);
      if (past) {
        note_comment(from, offset);
        break;
      }
      if (token.kind == ScanKind::word && token.end >= offset) break;
      if (token.kind == ScanKind::quoted && (token.end > offset || (token.end == offset && !is_closed(piece)))) {
        out_.in_text = true;
        out_.text_begin = token.begin;
        break;
      }
      take(token, piece);
      from = token.end;
    }
    find_prefix(offset);
    return std::move(out_);
  }

 private:
  void note_comment(size_t from, size_t offset) {
    const std::string_view gap = text_.substr(from, offset - from);
    const size_t line = gap.rfind('\n');
    out_.in_comment = gap.substr(line == std::string_view::npos ? 0 : line).find("//") != std::string_view::npos;
  }

  void take(const ScanToken& token, std::string_view piece) {
    if (begins_anew(text_, token)) clear();
    if (out_.statement.empty() && piece != ";" && piece != "}") out_.statement = piece;
    if (out_.openings.empty() && piece != "{") out_.head.push_back(piece);
    if (piece == "{" || piece == "(" || piece == "[") return open(piece);
    if (piece == "}" || piece == ")" || piece == "]") return close(piece);
    if (piece == ";" && is_block()) {
      if (out_.openings.empty()) return clear();
      out_.words.resize(out_.openings.size() == 1 ? 0 : std::min(out_.words.size(), sizes_.back() + 1));
      return;
    }
    out_.words.push_back(piece);
  }

  // Whether statements end here: at the level of the file, and in the braces of policies, tests and so on.
  bool is_block() const { return out_.openings.empty() || out_.openings.back() == "{"; }

  void open(std::string_view bracket) {
    out_.before.push_back(out_.last());
    out_.openings.push_back(bracket);
    sizes_.push_back(out_.words.size());
    const bool starts_block = bracket == "{" && out_.openings.size() == 1;
    if (starts_block) {
      outer_ = std::exchange(out_.words, {});
    } else {
      out_.words.push_back(bracket);
    }
  }

  void close(std::string_view bracket) {
    if (out_.openings.empty()) return clear();
    out_.openings.pop_back();
    out_.before.pop_back();
    const size_t size = sizes_.back();
    sizes_.pop_back();
    if (out_.openings.empty() && bracket == "}") {
      if (!is_value_statement()) return clear();
      out_.words = std::exchange(outer_, {});
      return out_.words.push_back(bracket);
    }
    out_.words.resize(std::min(out_.words.size(), size));
    // A record ends its statement in declarations: `input { ... }`.
    const bool record = bracket == "}" && (out_.statement == "capability" || out_.statement == "context");
    if (record && out_.openings.size() == 1) {
      out_.words.clear();
    } else {
      out_.words.push_back(bracket);
    }
  }

  // A `let` ends with `;`, also after a brace.
  bool is_value_statement() const { return out_.statement == "let" || out_.statement == "history"; }

  void clear() {
    out_ = {};
    sizes_.clear();
    outer_.clear();
  }

  void find_prefix(size_t offset) {
    size_t begin = std::min(offset, text_.size());
    const size_t end = begin;
    while (begin > 0 && is_name_byte(text_[begin - 1])) --begin;
    out_.prefix = text_.substr(begin, end - begin);
    out_.prefix_begin = begin;
    if (out_.in_comment || out_.in_text) return;
    size_t at = begin;
    while (at > 0 && out_.chain.size() < kMostNames) {
      if (text_[at - 1] == '?' && at > 1 && text_[at - 2] == '.') --at;
      if (text_[at - 1] != '.') break;
      size_t name_end = at - 1, name = name_end;
      while (name > 0 && is_name_byte(text_[name - 1])) --name;
      if (name == name_end) {
        out_.chain.insert(out_.chain.begin(), std::string_view());  // of an unknown value, such as f(x).
        break;
      }
      out_.chain.insert(out_.chain.begin(), text_.substr(name, name_end - name));
      at = name;
    }
    // The words before are those before the dotted name.
    while (!out_.words.empty() && static_cast<size_t>(out_.words.back().data() - text_.data()) >= at) {
      out_.words.pop_back();
    }
  }

  std::string_view text_;
  Place out_;
  std::vector<size_t> sizes_;            // for each open bracket, the number of words before it
  std::vector<std::string_view> outer_;  // the words before the block
};

}  // namespace

bool opens_file_statement(std::string_view word) {
  return std::find(std::begin(kFileWords), std::end(kFileWords), word) != std::end(kFileWords);
}

Place place_at(std::string_view text, size_t offset) { return PlaceWalk(text).walk(std::min(offset, text.size())); }

DottedWord dotted_word_at(std::string_view text, size_t offset) {
  DottedWord out;
  offset = std::min(offset, text.size());
  out.begin = out.end = offset;
  while (out.begin > 0 && is_name_byte(text[out.begin - 1])) --out.begin;
  while (out.end < text.size() && is_name_byte(text[out.end])) ++out.end;
  if (out.begin == out.end) return out;
  const Place place = place_at(text, out.end);
  if (place.in_comment || place.in_text) return out;
  out.segments = place.chain;
  out.segments.push_back(text.substr(out.begin, out.end - out.begin));
  const ScanToken next = next_token(text, out.end);
  out.is_called = next.kind == ScanKind::punctuation && text[next.begin] == '(';
  return out;
}

std::vector<Extent> statements_of(std::string_view text) {
  std::vector<Extent> out;
  int depth = 0;
  bool open = false, value = false;
  for (ScanToken token = next_token(text, 0); token.kind != ScanKind::end; token = next_token(text, token.end)) {
    const std::string_view piece = text.substr(token.begin, token.end - token.begin);
    if (begins_anew(text, token)) {
      depth = 0;
      open = false;
    }
    if (!open) {
      if (piece == ";" || piece == "}") continue;
      out.push_back({token.begin, token.end});
      open = true;
      value = piece == "let";
    }
    out.back().end = token.end;
    if (token.kind != ScanKind::punctuation) continue;
    if (piece == "{" || piece == "(" || piece == "[") ++depth;
    if (piece == "}" || piece == ")" || piece == "]") depth = std::max(0, depth - 1);
    if (depth == 0 && (piece == ";" || (piece == "}" && !value))) open = false;
  }
  return out;
}

std::string comment_of(std::string_view text, size_t offset) {
  offset = std::min(offset, text.size());
  const auto line_begin = [&](size_t at) {
    const size_t found = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    return found == std::string_view::npos ? 0 : found + 1;
  };
  const auto comment_in = [](std::string_view line) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front())) != 0) line.remove_prefix(1);
    if (!line.starts_with("//")) return std::string_view();
    line.remove_prefix(std::min(line.find_first_not_of('/'), line.size()));
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.remove_suffix(1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    return line.empty() ? std::string_view(" ") : line;
  };
  std::string out;
  size_t begin = line_begin(offset);
  while (begin > 0) {
    const size_t above = line_begin(begin - 1);
    const std::string_view line = comment_in(text.substr(above, begin - 1 - above));
    if (line.empty()) break;
    out = std::string(line) + (out.empty() ? "" : "\n") + out;
    begin = above;
  }
  if (!out.empty()) return out;
  const size_t end = std::min(text.find('\n', offset), text.size());
  for (ScanToken token = next_token(text, offset); token.begin <= end; token = next_token(text, token.end)) {
    const ScanToken next = next_token(text, token.end);
    if (token.kind == ScanKind::end || token.end > end) break;
    if (next.kind != ScanKind::end && next.begin < end) continue;
    return std::string(comment_in(text.substr(token.end, end - token.end)));
  }
  return "";
}

}  // namespace ordain::lsp
