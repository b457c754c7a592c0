// yaml.cc reads YAML through yaml-cpp's event interface, and refuses what policy files must not
// contain.
#include "import/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "ordain/utf8.h"

namespace ordain::importer {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Thrown to leave the parser at the first construct that is refused.
struct Refused {};

// Builds the tree from the parser's events, which show aliases and tags; a finished tree hides
// them.
class Builder : public YAML::EventHandler {
 public:
  Builder(Diagnostics& diagnostics, uint32_t file, size_t shift, size_t size)
      : diagnostics_(diagnostics), file_(file), shift_(shift), size_(size) {}

  Yaml take() { return std::move(root_); }

  Span at(const YAML::Mark& mark, size_t length = 1) const {
    const size_t begin = mark.pos < 0 ? size_ : std::min(shift_ + static_cast<size_t>(mark.pos), size_);
    return {file_, static_cast<uint32_t>(begin), static_cast<uint32_t>(std::min(begin + length, size_))};
  }
  [[noreturn]] void refuse(const char* code, Span span, std::string message, std::string help = "") {
    diagnostics_.error(code, span, std::move(message), std::move(help));
    throw Refused{};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse("yaml-unsupported", at(mark), "a policy file is one YAML document; here a second one begins");
    started_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, "", Yaml{.span = at(mark)}); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse("yaml-unsupported", at(mark), "YAML aliases are not read", "write the value out where it is needed");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const size_t shown = std::min(value.find('\n'), value.size());
    add(mark, anchor, tag,
        Yaml{.kind = Yaml::Kind::scalar,
             .quoted = tag == "!",
             .text = value,
             .span = at(mark, std::max<size_t>(shown, 1))});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, tag, Yaml::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, tag, Yaml::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  void check(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    if (anchor != 0) {
      refuse("yaml-unsupported", at(mark), "YAML anchors are not read", "write the value out where it is needed");
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse("yaml-unsupported", at(mark), fmt::format("YAML tags such as `{}` are not read", printable(tag)));
    }
  }
  static std::string printable(std::string text) {
    if (text.size() > 40) text.resize(40);
    std::replace_if(text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
    return text;
  }
  void open(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag, Yaml::Kind kind) {
    if (open_.size() >= kMaxYamlDepth) {
      refuse("yaml-unsupported", at(mark), fmt::format("nested more than {} deep", kMaxYamlDepth));
    }
    check(mark, anchor, tag);
    if (expects_key()) refuse("yaml-unsupported", at(mark), "a key must be a plain word");
    open_.push_back(Yaml{.kind = kind, .span = at(mark)});
  }
  void close() {
    Yaml done = std::move(open_.back());
    open_.pop_back();
    place(std::move(done));
  }
  void add(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag, Yaml node) {
    check(mark, anchor, tag);
    if (!expects_key()) return place(std::move(node));
    if (node.kind != Yaml::Kind::scalar) refuse("yaml-unsupported", node.span, "a key must be a plain word");
    if (open_.back().keys.size() >= kMaxYamlKeys) {
      refuse("yaml-too-large", node.span, fmt::format("a map of more than {} keys", kMaxYamlKeys));
    }
    for (const Yaml& key : open_.back().keys) {
      if (key.text != node.text) continue;
      Diagnostic& wrong = diagnostics_.error("duplicate-key", node.span, fmt::format("`{}` stands twice", node.text));
      wrong.notes.push_back({Severity::note, "", "first here", key.span, "", {}});
      throw Refused{};
    }
    open_.back().keys.push_back(std::move(node));
  }
  bool expects_key() const {
    return !open_.empty() && open_.back().is_map() && open_.back().keys.size() == open_.back().items.size();
  }
  void place(Yaml node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().items.push_back(std::move(node));
    }
  }

  Diagnostics& diagnostics_;
  uint32_t file_;
  size_t shift_, size_;
  bool started_ = false;
  std::vector<Yaml> open_;
  Yaml root_;
};

// Reports bytes that the parser would read differently from how an editor shows them: it takes some
// control characters for the end of the text, and reports tabs as a mistake with a poor
// explanation.
bool check_bytes(Diagnostics& diagnostics, uint32_t file) {
  const std::string& text = diagnostics.sources[file]->text;
  const auto place = [&](size_t offset) {
    return Span{file, static_cast<uint32_t>(offset), static_cast<uint32_t>(std::min(offset + 1, text.size()))};
  };
  if (text.size() > kMaxYamlBytes) {
    diagnostics.error("yaml-too-large", place(0),
                      fmt::format("the file has {} bytes; the most is {}", text.size(), kMaxYamlBytes));
    return false;
  }
  if (!valid_utf8(text)) {
    diagnostics.error("invalid-utf8", place(0), "the file is not UTF-8");
    return false;
  }
  bool indentation = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\t' && indentation) {
      diagnostics.error("yaml-syntax", place(i), "a tab in the indentation", "YAML wants spaces");
      return false;
    }
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) {
      diagnostics.error("yaml-syntax", place(i), fmt::format("a control character, 0x{:02x}", byte));
      return false;
    }
    indentation = byte == '\n' || (indentation && byte == ' ');
  }
  return true;
}

bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  return text.size() == 1 || text[0] != '0' || text[1] == '.' || text[1] == 'e' || text[1] == 'E';
}

}  // namespace

std::optional<double> Yaml::number() const {
  if (kind != Kind::scalar || quoted || !is_decimal(text)) return std::nullopt;
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(out)) return std::nullopt;
  return out;
}

bool Yaml::is_text() const {
  if (kind != Kind::scalar) return false;
  if (quoted) return true;
  static constexpr std::array<std::string_view, 9> kOthers = {"true", "false", "yes", "no", "on",
                                                              "off",  "null",  "~",   ""};
  std::string small = text;
  std::transform(small.begin(), small.end(), small.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (std::find(kOthers.begin(), kOthers.end(), small) != kOthers.end()) return false;
  const bool numeric = small.find_first_not_of("0123456789+-._,:exabcdefinox") == std::string::npos &&
                       (small[0] == '+' || small[0] == '-' || small[0] == '.' || (small[0] >= '0' && small[0] <= '9'));
  return !numeric;
}

std::string_view kind_name(const Yaml& node) {
  switch (node.kind) {
    case Yaml::Kind::null:
      return "nothing";
    case Yaml::Kind::list:
      return "a list";
    case Yaml::Kind::map:
      return "a map";
    case Yaml::Kind::scalar:
      break;
  }
  if (node.is_text()) return "a text";
  return node.number() ? "a number" : "a plain value that YAML does not read as text";
}

std::optional<Yaml> read_yaml(Diagnostics& diagnostics, uint32_t file) {
  if (!check_bytes(diagnostics, file)) return std::nullopt;
  const std::string& text = diagnostics.sources[file]->text;
  const size_t shift = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  Builder builder(diagnostics, file, shift, text.size());
  try {
    std::istringstream in(text.substr(shift));
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    diagnostics.error("yaml-syntax", builder.at(error.mark), error.msg);
    return std::nullopt;
  } catch (const std::exception& error) {  // an exception from the library must not get further
    diagnostics.error("yaml-syntax", Span{file, 0, 0}, error.what());
    return std::nullopt;
  }
  return builder.take();
}

}  // namespace ordain::importer
