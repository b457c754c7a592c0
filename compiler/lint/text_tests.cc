// text_tests.cc reports tests of texts that the agent writes. A list of what is forbidden is evaded by
// another spelling; a test that is not anchored where a host or a path ends accepts more than it seems
// to. What a test is used for follows from the rule's effect and from the `!` around it.
#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "compiler/diagnostic/words.h"
#include "compiler/lint/anchors.h"
#include "compiler/lint/bodies.h"
#include "compiler/lint/lint.h"

namespace ordain::lint {
namespace {

using typed::LoopKind;
using typed::Node;
using typed::NodeKind;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word_char(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

// A single `/` asks whether the path is absolute.
bool looks_like_path(std::string_view text) {
  if (text.size() < 2) return false;
  return text.starts_with('/') || text.starts_with('~') || text.starts_with("./") || text.starts_with("../") ||
         (text.size() > 2 && is_letter(text[0]) && text[1] == ':' && (text[2] == '\\' || text[2] == '/'));
}

// Whether the text has a space within, where more of them, or a tab, would mean the same.
bool has_inner_space(std::string_view text) {
  for (size_t at = 1; at + 1 < text.size(); ++at) {
    if (text[at] == ' ' && text[at - 1] != ' ' && text[at + 1] != ' ') return true;
  }
  return false;
}

// Whether a URL's host does not end within the text: "https://example.com", but not "https://a.com/".
bool ends_in_host(std::string_view text) {
  const size_t scheme = text.find("://");
  return scheme != std::string_view::npos && scheme > 0 && scheme + 3 < text.size() &&
         text.find_first_of("/?#", scheme + 3) == std::string_view::npos;
}

// Whether the text is the end of a host's name, and of longer names that end alike: "example.com".
bool is_open_suffix(std::string_view text) {
  return !text.empty() && is_word_char(text.front()) && text.find('.') != std::string_view::npos &&
         text.find_first_of("/ ") == std::string_view::npos;
}

bool is_shell_name(std::string_view name) {
  static constexpr std::string_view kNames[] = {"command", "cmd",         "shell", "script",     "command_line",
                                                "bash",    "commandline", "sh",    "commandLine"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

/// What is tested, below the functions that change its spelling.
struct Subject {
  const Node* node = nullptr;
  bool folded = false;
};

Subject subject_of(const Node& node) {
  Subject out{&node};
  while (out.node->kind == NodeKind::call && out.node->overload != nullptr && !out.node->args.empty()) {
    const std::string_view name = out.node->overload->name;
    const bool folds = name == "lowerAscii" || name == "upperAscii";
    if (!folds && name != "trim") break;
    out.folded = out.folded || folds;
    out.node = out.node->args[0];
  }
  return out;
}

class TextTests {
 public:
  TextTests(Diagnostics& diagnostics, const typed::PolicySet& set) : diagnostics_(diagnostics), set_(set) {}

  void visit(const typed::RuleBody& body) {
    rule_ = body.rule;
    untrusted_locals_.clear();
    if (body.when.root != nullptr) visit(*body.when.root, set_.rules[rule_].kind == RuleKind::allow ? 1 : -1);
  }

 private:
  // @param role 1 where a true test helps to permit the call, -1 where it helps to refuse it, else 0
  void visit(const Node& node, int role) {
    switch (node.kind) {
      case NodeKind::not_:
        return visit(*node.args[0], -role);
      case NodeKind::and_:
      case NodeKind::or_:
        for (const Node* arg : node.args) visit(*arg, role);
        return;
      case NodeKind::conditional:
        visit(*node.args[0], 0);
        visit(*node.args[1], role);
        return visit(*node.args[2], role);
      case NodeKind::let:
        bind(node.local, *node.args[0]);
        visit(*node.args[0], 0);
        return visit(*node.args[1], role);
      case NodeKind::loop: {
        bind(node.local, *node.args[0]);
        bind(node.local2, *node.args[0]);
        const bool keeps = node.loop == LoopKind::all || node.loop == LoopKind::exists;
        for (size_t i = 0; i < node.args.size(); ++i) visit(*node.args[i], i > 0 && keeps ? role : 0);
        return;
      }
      default:
        if (node.kind == NodeKind::call) check(node, role);
        for (const Node* arg : node.args) visit(*arg, 0);
    }
  }

  void bind(uint32_t local, const Node& value) {
    if (local != kNone && is_untrusted(value)) untrusted_locals_.insert(local);
  }

  bool is_untrusted(const Node& node) const {
    if (node.kind == NodeKind::local) return untrusted_locals_.contains(node.local);
    if (node.kind == NodeKind::slot || node.kind == NodeKind::optional_slot) {
      const std::string_view path = set_.schema.slots[node.slot].path;
      const std::string_view root = path.substr(0, path.find('.'));
      return root == "input" || root == "output" || root == "metadata";
    }
    return std::any_of(node.args.begin(), node.args.end(), [&](const Node* arg) { return is_untrusted(*arg); });
  }

  std::string_view field_of(const Node& node) const {
    if (node.kind == NodeKind::select) return node.field;
    if (node.kind != NodeKind::slot) return {};
    const std::string_view path = set_.schema.slots[node.slot].path;
    return path.substr(path.rfind('.') + 1);
  }

  void check(const Node& node, int role) {
    if (node.overload == nullptr || node.args.size() != 2) return;
    const std::string_view name = node.overload->name;
    const bool pattern = name == "matches";
    if (!pattern && name != "startsWith" && name != "endsWith" && name != "contains") return;
    const Node& text = *node.args[1];
    if (text.kind != NodeKind::constant || !text.value.is(Kind::string) || !is_untrusted(*node.args[0])) return;
    const Subject subject = subject_of(*node.args[0]);
    const std::string_view literal = text.value.as_text();
    if (is_shell_name(field_of(*subject.node))) {
      report_shell(node, name);
    } else if (pattern) {
      if (role > 0 && !is_anchored(literal)) report_unanchored(node);
    } else if (name != "endsWith" && looks_like_path(literal)) {
      report_path(node, literal);
    } else if (role > 0) {
      check_permitting(node, name, literal);
    } else if (role < 0) {
      check_refusing(node, name, literal, subject.folded);
    }
  }

  void check_permitting(const Node& node, std::string_view name, std::string_view literal) {
    if (name == "startsWith" && ends_in_host(literal) && is_new(node)) {
      diagnostics_.warning("url-prefix", span_of(node),
                           "longer hosts begin alike: " + quoted(std::string(literal) + ".example.org") + " does",
                           "end the text with `/`");
    }
    if (name == "endsWith" && is_open_suffix(literal) && is_new(node)) {
      diagnostics_.warning("suffix-boundary", span_of(node),
                           "longer names end alike: " + quoted("not" + std::string(literal)) + " does",
                           "begin the text with the `.` or `@` before it");
    }
  }

  void check_refusing(const Node& node, std::string_view name, std::string_view literal, bool folded) {
    const bool letters = std::any_of(literal.begin(), literal.end(), is_letter);
    if (letters && !folded && is_new(node)) {
      diagnostics_.warning("case-evasion", span_of(node), "the same text in another case is not found",
                           "fold the case first: `.lowerAscii()`, and write the text in lower case");
    } else if (name == "contains" && has_inner_space(literal) && is_new(node)) {
      diagnostics_.warning("space-evasion", span_of(node), "the same words with more space between them are not found",
                           "use a pattern with `\\s+`: `.matches(r\"drop\\s+table\")`");
    }
  }

  void report_shell(const Node& node, std::string_view name) {
    if (!is_new(node)) return;
    diagnostics_.warning("shell-text", span_of(node),
                         quoted(name) +
                             " does not understand a shell line: quotes, variables and other programs "
                             "run the same thing",
                         "use `shell.programs(...)`, `shell.commands(...)` and `shell.writes(...)`");
  }

  void report_path(const Node& node, std::string_view literal) {
    if (!is_new(node)) return;
    diagnostics_.warning("path-prefix", span_of(node),
                         "paths with `..`, `.` or `//` lead elsewhere than their text says",
                         "use `.isWithin(\"" + std::string(literal) + "\")`");
  }

  void report_unanchored(const Node& node) {
    if (!is_new(node)) return;
    diagnostics_.warning("unanchored-regex", span_of(node), "the pattern may match anywhere in the text",
                         "begin it with `^` and end it with `$`, in every alternative");
  }

  // Lets are part of many conditions, but are reported once.
  bool is_new(const Node& node) {
    const Span span = span_of(node);
    return reported_.emplace(span.file, span.begin, span.end).second;
  }

  Span span_of(const Node& node) const { return node.span.end > node.span.begin ? node.span : set_.rule_spans[rule_]; }

  Diagnostics& diagnostics_;
  const typed::PolicySet& set_;
  RuleId rule_ = 0;
  std::set<uint32_t> untrusted_locals_;
  std::set<std::tuple<uint32_t, uint32_t, uint32_t>> reported_;
};

}  // namespace

void warn_text_tests(Diagnostics& diagnostics, const typed::PolicySet& set) {
  TextTests tests(diagnostics, set);
  std::vector<bool> seen(set.rules.size());  // what a rule means elsewhere is written in the same words
  for_each_body(set, [&](const typed::RuleBody& body) {
    if (!seen[body.rule]) tests.visit(body);
    seen[body.rule] = true;
  });
}

}  // namespace ordain::lint
