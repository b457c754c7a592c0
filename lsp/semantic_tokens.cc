// semantic_tokens.cc says what each token of a text is: by its place in the statement, and by the
// names of the set. It works on tokens, so text that does not parse keeps its colours.
#include <algorithm>
#include <cctype>
#include <iterator>
#include <vector>

#include "compiler/parse/token_scan.h"
#include "lsp/json.h"
#include "lsp/members.h"
#include "lsp/outline.h"
#include "lsp/place.h"

namespace ordain::lsp {
namespace {

enum TokenType : uint32_t {
  kTokenNamespace,
  kTokenType,
  kTokenClass,
  kTokenParameter,
  kTokenVariable,
  kTokenProperty,
  kTokenFunction,
  kTokenMethod,
  kTokenKeyword,
  kTokenComment,
  kTokenString,
  kTokenNumber,
  kTokenNone,
};
constexpr std::string_view kTokenNames[] = {"namespace", "type",   "class",   "parameter", "variable", "property",
                                            "function",  "method", "keyword", "comment",   "string",   "number"};

constexpr std::string_view kAlways[] = {"when", "because", "from", "expires", "with", "true", "false", "null", "in"};
constexpr std::string_view kInPolicy[] = {"deny",  "require_approval", "allow",      "redact", "warn", "label",
                                          "clear", "version",          "description"};
constexpr std::string_view kInCapability[] = {"type",   "risk", "effect", "owner", "description",
                                              "scopes", "tags", "labels", "input", "output"};
constexpr std::string_view kInTest[] = {"call", "expect", "let", "rows", "wait", "fails", "approve", "reject"};
constexpr std::string_view kInCall[] = {"like", "returns", "by", "as"};
constexpr std::string_view kInState[] = {"by", "within", "up",   "to",     "sum",   "signed", "burst",  "on",    "each",
                                         "at", "once",   "take", "settle", "begun", "done",   "failed", "denied"};

template <typename List>
bool lists(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

class TokenWriter {
 public:
  TokenWriter(std::string_view text, const std::vector<Occurrence>& names, const TextLines& lines)
      : text_(text), names_(names), lines_(lines) {}

  std::string write(const SymbolIndex& symbols) {
    size_t from = 0;
    for (ScanToken token = next_token(text_, 0);; token = next_token(text_, token.end)) {
      comments(from, token.begin);
      if (token.kind == ScanKind::end) break;
      const std::string_view piece = text_.substr(token.begin, token.end - token.begin);
      const TokenType type = type_of(token, piece, symbols);
      if (type != kTokenNone) add(token.begin, token.end, type);
      follow(token, piece);
      from = token.end;
    }
    return json_array(data_);
  }

 private:
  void comments(size_t begin, size_t end) {
    const std::string_view gap = text_.substr(begin, end - begin);
    for (size_t at = gap.find("//"); at != std::string_view::npos; at = gap.find("//", at)) {
      const size_t stop = std::min(gap.find('\n', at), gap.size());
      add(begin + at, begin + stop, kTokenComment);
      at = stop;
    }
  }

  TokenType type_of(const ScanToken& token, std::string_view piece, const SymbolIndex& symbols) {
    if (const Occurrence* name = name_at(token)) return type_of_symbol(symbols.symbols()[name->symbol].kind);
    if (token.kind == ScanKind::quoted) return kTokenString;
    if (token.kind == ScanKind::punctuation) return kTokenNone;
    if (std::isdigit(static_cast<unsigned char>(piece[0])) != 0) return kTokenNumber;
    const ScanToken next = next_token(text_, token.end);
    const char after = next.kind == ScanKind::punctuation ? text_[next.begin] : ' ';
    if (after_dot_) return after == '(' ? kTokenMethod : kTokenProperty;
    if (is_keyword(token, piece)) return kTokenKeyword;
    if (after == ':') return kTokenProperty;
    if (after == '(') return statement_ == "capability" || statement_ == "context" ? kTokenType : kTokenFunction;
    if (statement_ == "capability" && depth_ > 1) return kTokenType;
    return kTokenVariable;
  }

  static TokenType type_of_symbol(SymbolKind kind) {
    switch (kind) {
      case SymbolKind::capability:
        return kTokenClass;
      case SymbolKind::policy:
        return kTokenNamespace;
      case SymbolKind::rule:
        return kTokenFunction;
      case SymbolKind::fixture:
        return kTokenParameter;
      default:
        return kTokenVariable;
    }
  }

  // The name that covers the token; names and tokens are in the same order.
  const Occurrence* name_at(const ScanToken& token) {
    while (next_name_ < names_.size() && names_[next_name_].span.end <= token.begin) ++next_name_;
    for (size_t i = next_name_; i < names_.size() && names_[i].span.begin <= token.begin; ++i) {
      if (token.end <= names_[i].span.end) return &names_[i];
    }
    return nullptr;
  }

  bool is_keyword(const ScanToken& token, std::string_view piece) const {
    if (statement_.empty() || begins_line_anew(token, piece)) return opens_file_statement(piece);
    if (lists(kAlways, piece)) return true;
    if (statement_ == "policy") {
      if (depth_ == 0) return piece == "on" || piece == "before" || piece == "after";
      return begins_ && lists(kInPolicy, piece);
    }
    if (statement_ == "capability") return depth_ == 1 ? begins_ && lists(kInCapability, piece) : piece == "open";
    if (statement_ == "test") return begins_ ? lists(kInTest, piece) : lists(kInCall, piece);
    if (statement_ == "history" || statement_ == "rate" || statement_ == "budget") return lists(kInState, piece);
    return statement_ == "let" && piece == "data";
  }

  bool begins_line_anew(const ScanToken& token, std::string_view piece) const {
    return (token.begin == 0 || text_[token.begin - 1] == '\n') && opens_file_statement(piece);
  }

  void follow(const ScanToken& token, std::string_view piece) {
    if (begins_line_anew(token, piece)) {
      statement_ = {};
      depth_ = 0;
    }
    if (statement_.empty() && token.kind == ScanKind::word) statement_ = piece;
    after_dot_ = piece == "." || (after_dot_ && piece == "?");
    begins_ = piece == ";" || piece == "{" || piece == "}";
    if (piece == "{") ++depth_;
    if (piece == "}") depth_ = std::max(0, depth_ - 1);
    if (depth_ == 0 && (piece == ";" || (piece == "}" && statement_ != "let"))) statement_ = {};
  }

  // A token of several lines becomes one for each of them.
  void add(size_t begin, size_t end, TokenType type) {
    while (begin < end) {
      const size_t newline = std::min(text_.find('\n', begin), end);
      if (newline > begin) add_on_line(begin, newline, type);
      begin = newline + 1;
    }
  }

  void add_on_line(size_t begin, size_t end, TokenType type) {
    const Position from = lines_.position(begin), to = lines_.position(end);
    if (to.line != from.line || to.character <= from.character) return;
    const uint32_t line = from.line - last_.line;
    const uint32_t character = line == 0 ? from.character - last_.character : from.character;
    for (const uint32_t number : {line, character, to.character - from.character, static_cast<uint32_t>(type), 0U}) {
      data_.push_back(std::to_string(number));
    }
    last_ = from;
  }

  std::string_view text_;
  const std::vector<Occurrence>& names_;
  const TextLines& lines_;
  size_t next_name_ = 0;
  std::string_view statement_;
  int depth_ = 0;
  bool begins_ = true;  // a statement begins
  bool after_dot_ = false;
  Position last_;
  std::vector<std::string> data_;
};

}  // namespace

std::string token_legend_json() {
  std::vector<std::string> types;
  for (const std::string_view name : kTokenNames) types.push_back(json_string(name));
  return JsonObject().add_json("tokenTypes", json_array(types)).add_json("tokenModifiers", "[]").json();
}

std::string semantic_tokens_json(std::string_view text, const SymbolIndex& symbols, uint32_t file,
                                 const TextLines& lines) {
  const std::string data = TokenWriter(text, symbols.of_file(file), lines).write(symbols);
  return JsonObject().add_json("data", data).json();
}

}  // namespace ordain::lsp
