// presence.cc keeps what is known about the presence of values while an expression is checked. A
// value is named by a key: "input.address.zip" is a slot's path, "#3.note" a field of the variable 3,
// "input.lines[2:i0].note" a field of the list's element 0. "[*]" stands for any element.
#include <algorithm>

#include "compiler/check/expression/checker.h"

namespace ordain::checking {
namespace {

constexpr size_t kMostAlternatives = 8;
constexpr size_t kMostUndecided = 32;
constexpr size_t kMostKnown = 256;  // with more facts, alternatives are not weighed any more

// @returns the step "[LENGTH:...]". The length makes keys unambiguous, whatever text is in them.
std::string index_step(const std::string& content) {
  return "[" + std::to_string(content.size()) + ":" + content + "]";
}

std::string_view called(const Node& node) {
  if (node.kind != NodeKind::call) return {};
  if (node.overload != nullptr) return node.overload->name;
  return node.function != nullptr ? std::string_view(node.function->name) : std::string_view();
}

// A path that is present proves that every prefix of it is present.
void add_with_prefixes(std::string_view path, std::vector<std::string>& out) {
  while (true) {
    add_fact(out, std::string(path));
    size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) return;
    path = path.substr(0, dot);
  }
}

// @returns the length of the step at the start of `key`: ".name", or "[...]"
size_t step_length(std::string_view key) {
  if (key.starts_with(kAnyStep)) return 3;
  if (!key.starts_with('[')) return std::min(key.find_first_of(".[", 1), key.size());
  size_t colon = key.find(':');
  size_t content = 0;
  for (char digit : key.substr(1, colon - 1)) content = content * 10 + static_cast<size_t>(digit - '0');
  return colon + content + 2;
}

// @returns whether `key` is `pattern`, where "[*]" in the pattern is any one step
bool matches(std::string_view pattern, std::string_view key) {
  while (!pattern.empty() && !key.empty()) {
    size_t length = step_length(pattern);
    size_t other = step_length(key);
    if (!pattern.starts_with(kAnyStep) && pattern.substr(0, length) != key.substr(0, other)) return false;
    pattern.remove_prefix(length);
    key.remove_prefix(other);
  }
  return pattern.empty() && key.empty();
}

// @returns whether `key` begins with `prefix`; then `*rest` is what follows, a series of steps
bool begins_with(std::string_view key, std::string_view prefix, std::string_view* rest) {
  if (!key.starts_with(prefix)) return false;
  *rest = key.substr(prefix.size());
  return rest->empty() || rest->front() == '.' || rest->front() == '[';
}

}  // namespace

std::string ExprChecker::field_step(std::string_view field) {
  if (field.find_first_of(".[]#") == std::string_view::npos) return "." + std::string(field);
  return index_step("s" + std::string(field));
}

std::string ExprChecker::access_key(const Node& node) {
  switch (node.kind) {
    case NodeKind::slot:
      return std::string(static_cast<const SlotNode&>(node).path);
    case NodeKind::local:
      return "#" + std::to_string(node.local);
    case NodeKind::select: {
      std::string key = access_key(*node.args[0]);
      return key.empty() ? key : key + field_step(node.field);
    }
    case NodeKind::call: {
      if (called(node) != "_[_]" || node.args.size() != 2) return {};
      std::string key = access_key(*node.args[0]);
      const Node& index = *node.args[1];
      if (key.empty()) return key;
      if (index.kind == NodeKind::constant && index.value.is(Kind::integer)) {
        return key + index_step("i" + std::to_string(index.value.i));
      }
      if (index.kind == NodeKind::constant && index.value.is(Kind::string)) {
        return key + field_step(index.value.as_text());
      }
      std::string variable = access_key(index);
      return variable.empty() ? variable : key + index_step("p" + variable);
    }
    default:
      return {};
  }
}

bool ExprChecker::is_list(const Node& node) const { return infer_.shallow(node.type)->kind == TypeKind::list; }

bool ExprChecker::is_present(std::string_view key) const {
  return std::find(present_.begin(), present_.end(), key) != present_.end() ||
         std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const std::string& pattern) { return matches(pattern, key); });
}

void ExprChecker::test_facts(const Node& node, bool outcome, KeyFacts& out) const {
  std::string key;
  switch (node.kind) {
    case NodeKind::has_slot:
      if (outcome) return add_with_prefixes(static_cast<const SlotNode&>(node).path, out.present);
      out.absent.emplace_back(static_cast<const SlotNode&>(node).path);
      return;
    case NodeKind::slot: {
      // What a history has seen has a first and a last time.
      std::string_view path = static_cast<const SlotNode&>(node).path;
      constexpr std::string_view kSeen = ".seen";
      if (!outcome || !path.starts_with(kStatePrefix) || !path.ends_with(kSeen)) return;
      path.remove_suffix(kSeen.size());
      add_fact(out.present, std::string(path) + ".last");
      add_fact(out.present, std::string(path) + ".first");
      return;
    }
    case NodeKind::has_field:
      key = access_key(*node.args[0]);
      if (!key.empty()) (outcome ? out.present : out.absent).push_back(key + field_step(node.field));
      return;
    case NodeKind::loop:
      return quantified_facts(node, outcome, out);
    case NodeKind::call: {
      // input.?note.hasValue()
      if (called(node) != "hasValue" || node.args.size() != 1) return;
      const Node* operand = node.args[0];
      if (operand->kind == NodeKind::optional_slot) {
        if (outcome) add_with_prefixes(static_cast<const SlotNode&>(*operand).path, out.present);
      } else if (operand->kind == NodeKind::select_optional) {
        key = access_key(*operand->args[0]);
        if (!key.empty() && outcome) out.present.push_back(key + field_step(operand->field));
      }
      return;
    }
    default:
      return;
  }
}

ExprChecker::KeyFacts ExprChecker::facts_of(const Node& condition, bool outcome) const {
  return facts_when<std::string>(
      condition, outcome, [this](const Node& node, bool wanted, KeyFacts& out) { test_facts(node, wanted, out); });
}

// If all(x, p) is true, p holds for every element; if exists(x, p) is false, p is false for every
// element.
void ExprChecker::quantified_facts(const Node& loop, bool outcome, KeyFacts& out) const {
  bool quantifier = loop.loop == (outcome ? LoopKind::all : LoopKind::exists);
  std::string range = access_key(*loop.args[0]);
  if (!quantifier || range.empty()) return;
  TypeKind type = infer_.shallow(loop.args[0]->type)->kind;
  bool list = type == TypeKind::list;
  if (!list && type != TypeKind::map) return;
  bool two = loop.local2 != kNone;
  std::string first = "#" + std::to_string(loop.local);
  std::string second = two ? "#" + std::to_string(loop.local2) : std::string();
  std::string indexed = range + index_step("p" + first);  // the element, if `first` is an index or a key
  for (const std::string& fact : facts_of(*loop.args[1], outcome).present) {
    std::string_view rest;
    bool of_element = list && !two ? begins_with(fact, first, &rest)
                                   : (two && begins_with(fact, second, &rest)) || begins_with(fact, indexed, &rest);
    bool again = rest.find(first) != std::string_view::npos || (two && rest.find(second) != std::string_view::npos);
    if (of_element && !again && !rest.empty()) out.present.push_back(range + kAnyStep + std::string(rest));
  }
}

// @returns the paths that every element of a list has: of list.filter(x, has(x.note)), ".note"
std::vector<std::string> ExprChecker::element_facts(const Node& range) const {
  std::vector<std::string> out;
  const Node* at = &range;
  std::string_view rest;
  for (; at->kind == NodeKind::loop && at->loop == LoopKind::filter && is_list(*at->args[0]); at = at->args[0]) {
    std::string element = "#" + std::to_string(at->local);
    if (at->local2 != kNone) break;
    for (const std::string& fact : facts_of(*at->args[1], true).present) {
      if (begins_with(fact, element, &rest) && rest.find(element) == std::string_view::npos) out.emplace_back(rest);
    }
  }
  std::string key = access_key(*at);
  if (key.empty()) return out;
  for (const std::string& fact : patterns_) {
    if (begins_with(fact, key + kAnyStep, &rest)) out.emplace_back(rest);
  }
  return out;
}

void ExprChecker::assume_elements(const Node& range, const std::string& element) {
  if (!scope_.checked) return;
  KeyFacts facts;
  for (const std::string& path : element_facts(range)) facts.present.push_back(element + path);
  assume_facts(facts);
}

bool ExprChecker::is_refuted(const KeyFacts& facts) const {
  auto among = [](const std::vector<std::string>& keys, const std::vector<std::string>& wanted) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](const std::string& key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); });
  };
  return facts.never || among(absent_, facts.present) || among(present_, facts.absent);
}

void ExprChecker::assume_facts(const KeyFacts& facts) {
  for (const std::string& key : facts.present) {
    if (!is_present(key)) (key.find(kAnyStep) == std::string::npos ? present_ : patterns_).push_back(key);
  }
  for (const std::string& key : facts.absent) add_fact(absent_, key);
}

void ExprChecker::assume(const Node& condition, bool outcome) {
  if (!scope_.checked) return;
  assume_facts(facts_of(condition, outcome));
  // `has(a) || has(b)` proves neither; but where one is known to be absent, it proves the other.
  const Node* node = &condition;
  for (; node->kind == NodeKind::not_; node = node->args[0]) outcome = !outcome;
  bool disjunction = node->kind == (outcome ? NodeKind::or_ : NodeKind::and_);
  if (disjunction && node->args.size() <= kMostAlternatives && alternatives_.size() < kMostUndecided) {
    Alternatives alternatives;
    for (const Node* arg : node->args) alternatives.push_back(facts_of(*arg, outcome));
    alternatives_.push_back(std::move(alternatives));
  }
  for (bool found = present_.size() + absent_.size() < kMostKnown; found;) {
    found = false;
    for (const Alternatives& alternatives : alternatives_) {
      auto possible = [this](const KeyFacts& facts) { return !is_refuted(facts); };
      if (std::count_if(alternatives.begin(), alternatives.end(), possible) != 1) continue;
      auto known = [this] { return present_.size() + patterns_.size() + absent_.size(); };
      size_t before = known();
      assume_facts(*std::find_if(alternatives.begin(), alternatives.end(), possible));
      found = found || known() != before;
    }
  }
}

bool ExprChecker::is_sure(const Node& node) const {
  switch (node.kind) {
    case NodeKind::has_slot:
      return true;
    case NodeKind::has_field: {
      const Node& operand = *node.args[0];
      TypeKind type = infer_.shallow(operand.type)->kind;
      return operand.kind == NodeKind::local && (type == TypeKind::record || type == TypeKind::map) &&
             std::find(loop_locals_.begin(), loop_locals_.end(), operand.local) != loop_locals_.end();
    }
    case NodeKind::not_:
    case NodeKind::and_:
    case NodeKind::or_:
      return std::all_of(node.args.begin(), node.args.end(), [this](const Node* part) { return is_sure(*part); });
    default:
      return false;
  }
}

// @returns the policy text of a short part, as the author wrote it
std::string ExprChecker::text_of(Span span, std::string_view otherwise) const {
  constexpr size_t kLongest = 60;
  const auto& sources = diagnostics_.sources;
  if (span.file >= sources.size() || sources[span.file] == nullptr) return std::string(otherwise);
  std::string_view text = sources[span.file]->text;
  if (span.end > text.size() || span.begin >= span.end || span.end - span.begin > kLongest) {
    return std::string(otherwise);
  }
  text = text.substr(span.begin, span.end - span.begin);
  return std::string(text.find('\n') == std::string_view::npos ? text : otherwise);
}

}  // namespace ordain::checking
