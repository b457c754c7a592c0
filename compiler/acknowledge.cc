// acknowledge.cc reads the comments that accept warnings, by tokens alone: it also works on text that
// does not parse.
#include "compiler/acknowledge.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/lint/lint.h"
#include "compiler/parse/token_scan.h"

namespace ordain {
namespace {

constexpr std::string_view kMark = "ordain:";

struct Acknowledgement {
  Span comment;
  std::string code;  ///< empty if the comment cannot be read
  bool reason = false;
  Span statement;  ///< what it is about
  bool used = false;
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// Reads "ordain: allow(CODE) REASON", the text of a comment.
Acknowledgement read_comment(std::string_view text, Span span) {
  Acknowledgement out;
  out.comment = span;
  text = trim(text.substr(kMark.size()));
  if (!text.starts_with("allow(")) return out;
  size_t close = text.find(')');
  if (close == std::string_view::npos) return out;
  out.code = trim(text.substr(6, close - 6));
  out.reason = !trim(text.substr(close + 1)).empty();
  return out;
}

// @returns the end of the statement that begins at `begin`: its `;`, or the `{` of its block
uint32_t statement_end(std::string_view text, size_t begin) {
  int depth = 0;
  for (ScanToken token = next_token(text, begin); token.kind != ScanKind::end; token = next_token(text, token.end)) {
    if (token.kind != ScanKind::punctuation) continue;
    char c = text[token.begin];
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (depth <= 0 && (c == ';' || c == '{' || c == '}')) return static_cast<uint32_t>(token.end);
  }
  return static_cast<uint32_t>(text.size());
}

// Adds the comments between two tokens, which are about the statement that begins at `next`.
void read_gap(std::string_view text, uint32_t file, size_t from, size_t next, std::vector<Acknowledgement>* out) {
  uint32_t end = 0;
  while (from < next) {
    size_t comment = text.find("//", from);
    if (comment >= next) return;
    size_t line_end = std::min(text.find('\n', comment), text.size());
    std::string_view body = trim(text.substr(comment + 2, line_end - comment - 2));
    if (body.starts_with(kMark)) {
      if (end == 0) end = statement_end(text, next);
      out->push_back(read_comment(body, {file, static_cast<uint32_t>(comment), static_cast<uint32_t>(line_end)}));
      out->back().statement = {file, static_cast<uint32_t>(next), end};
    }
    from = line_end;
  }
}

std::vector<Acknowledgement> read_all(const Diagnostics& diagnostics) {
  std::vector<Acknowledgement> out;
  for (uint32_t file = 0; file < diagnostics.sources.size(); ++file) {
    if (diagnostics.sources[file]->is_data) continue;
    std::string_view text = diagnostics.sources[file]->text;
    if (text.find(kMark) == std::string_view::npos) continue;
    size_t from = 0;
    for (ScanToken token = next_token(text, 0);; token = next_token(text, token.end)) {
      read_gap(text, file, from, token.begin, &out);
      if (token.kind == ScanKind::end) break;
      from = token.end;
    }
  }
  return out;
}

/// Finds the comments about a place. Statements do not overlap, and what a comment within a statement is
/// about ends where the statement does, so those about one place are neighbours.
class Acknowledgements {
 public:
  /// @param all in the order of files and places
  explicit Acknowledgements(std::vector<Acknowledgement>& all) : all_(all) {}

  bool accept(const Diagnostic& item) {
    const auto after =
        std::upper_bound(all_.begin(), all_.end(), item.span, [](Span place, const Acknowledgement& one) {
          return std::pair(place.file, place.begin) < std::pair(one.statement.file, one.statement.begin);
        });
    bool accepted = false;
    for (auto one = after; one != all_.begin();) {
      --one;
      if (one->statement.file != item.span.file || one->statement.end <= item.span.begin) break;
      if (!one->reason || item.severity != Severity::warning || item.code != one->code) continue;
      one->used = accepted = true;
    }
    return accepted;
  }

 private:
  std::vector<Acknowledgement>& all_;
};

}  // namespace

void acknowledge(Diagnostics& diagnostics, bool style) {
  std::vector<Acknowledgement> all = read_all(diagnostics);
  if (all.empty()) return;
  Acknowledgements acknowledgements(all);
  std::erase_if(diagnostics.items, [&](const Diagnostic& item) { return acknowledgements.accept(item); });
  bool errors = diagnostics.has_errors();
  for (const Acknowledgement& one : all) {
    if (one.code.empty()) {
      diagnostics.warning("bad-acknowledgement", one.comment, "this comment accepts no warning",
                          "write `// ordain: allow(CODE) REASON`");
    } else if (!one.reason) {
      diagnostics.warning("bad-acknowledgement", one.comment, "a warning is accepted only with a reason",
                          "write it after the `)`");
    } else if (!one.used && !errors && (style || !lint::is_style(one.code))) {
      diagnostics.warning("unused-acknowledgement", one.comment,
                          "the statement after this comment has no warning `" + one.code + "`", "remove the comment");
    }
  }
}

}  // namespace ordain
