// conditions.cc reports conditions that are never true, such as `hour >= 18 && hour < 8`, and those
// that are never false. A condition that is a constant is written to switch a rule on or off, so only
// `false` is reported.
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "compiler/diagnostic/words.h"
#include "compiler/lint/bodies.h"
#include "compiler/lint/lint.h"
#include "compiler/lint/truth.h"

namespace ordain::lint {
namespace {

using typed::Node;
using typed::NodeKind;
using typed::RuleBody;

constexpr int kDeepestPart = 16;

/// What holds for every meaning that a rule has.
struct Verdict {
  const RuleBody* body = nullptr;  ///< the first one
  bool alone = true;               ///< it is the only one
  bool may_be_true = false, may_be_false = false;
};

std::vector<Verdict> judge(const typed::PolicySet& set) {
  std::vector<Verdict> out(set.rules.size());
  for_each_body(set, [&](const RuleBody& body) {
    Verdict& verdict = out[body.rule];
    verdict.alone = verdict.body == nullptr;
    if (verdict.body == nullptr) verdict.body = &body;
    const Node* root = body.when.root;
    const bool is_fixed = root == nullptr || is_constant_bool(root, true);
    verdict.may_be_true = verdict.may_be_true || is_fixed || can_be(*root, true);
    verdict.may_be_false = verdict.may_be_false || is_fixed || can_be(*root, false);
  });
  return out;
}

/// A comparison of a field with a constant that its declaration excludes.
struct Excluded {
  const Node* field = nullptr;
  const Value* constant = nullptr;
};

bool is_excluded(const Type& declared, const Value& constant) {
  return declared.limits != nullptr && constant.kind == kind_of(declared) && !meets_limits(declared, constant);
}

Excluded find_excluded(const Node& node, int depth) {
  if (depth == kDeepestPart) return {};
  if (node.args.size() == 2) {
    for (const size_t side : {size_t{0}, size_t{1}}) {
      const Node& field = *node.args[side];
      const Node& other = *node.args[1 - side];
      if (field.declared == nullptr || other.kind != NodeKind::constant) continue;
      if (is_excluded(*field.declared, other.value)) return {&field, &other.value};
      if (!other.value.is(Kind::list)) continue;
      for (const Value& each : other.value.as_list()) {
        if (is_excluded(*field.declared, each)) return {&field, &each};
      }
    }
  }
  for (const Node* part : node.args) {
    if (const Excluded found = find_excluded(*part, depth + 1); found.field != nullptr) return found;
  }
  return {};
}

// Says how the field is declared whose comparison has no meaning, and which value was perhaps meant.
std::string declaration_help(const typed::PolicySet& set, const Node& condition) {
  const auto [field, constant] = find_excluded(condition, 0);
  if (field == nullptr) return "";
  const std::string name =
      field->kind == NodeKind::slot ? set.schema.slots[field->slot].path : std::string(field->field);
  std::string out = quoted(name) + " is declared as " + to_string(*field->declared);
  if (!constant->is(Kind::string)) return out;
  std::vector<std::string> values;
  for (const Value& value : field->declared->limits->values) values.emplace_back(value.as_text());
  const std::string near = nearest(constant->as_text(), values);
  return near.empty() ? out : out + "; did you mean \"" + near + "\"?";
}

/// Looks for parts of one condition that have no influence.
class Parts {
 public:
  Parts(Diagnostics& diagnostics, const typed::PolicySet& set) : diagnostics_(diagnostics), set_(set) {}

  void visit(const RuleBody& body) {
    body_ = &body;
    if (body.when.root != nullptr) descend(*body.when.root, 0);
  }

 private:
  void descend(const Node& node, int depth) {
    if ((node.kind != NodeKind::and_ && node.kind != NodeKind::or_) || depth == kDeepestPart) return;
    for (const Node* part : node.args) {
      if (part->kind == NodeKind::constant) continue;
      if (node.kind == NodeKind::or_ && !can_be(*part, true)) {
        report(*part, true);
      } else if (node.kind == NodeKind::and_ && !can_be(*part, false)) {
        report(*part, false);
      } else if (part->of_let == kNone) {
        descend(*part, depth + 1);
      }
    }
  }

  // Lets are part of many conditions, but are reported once.
  void report(const Node& part, bool never) {
    const Span span = part.span.end > part.span.begin ? part.span : condition_span(set_, *body_);
    if (!reported_.emplace(span.file, span.begin, span.end).second) return;
    std::string help = declaration_help(set_, part);
    if (help.empty()) help = "leave it out, or correct it";
    if (never) {
      diagnostics_.warning("never-matches", span, "this alternative can never hold", std::move(help));
    } else {
      diagnostics_.warning("always-true", span, "this part of the condition is never false", std::move(help));
    }
  }

  Diagnostics& diagnostics_;
  const typed::PolicySet& set_;
  const RuleBody* body_ = nullptr;
  std::set<std::tuple<uint32_t, uint32_t, uint32_t>> reported_;
};

}  // namespace

void warn_conditions(Diagnostics& diagnostics, const typed::PolicySet& set) {
  const std::vector<Verdict> verdicts = judge(set);
  Parts parts(diagnostics, set);
  for (RuleId rule = 0; rule < verdicts.size(); ++rule) {
    const Verdict& verdict = verdicts[rule];
    if (verdict.body == nullptr) continue;
    const std::string name = quoted(set.rules[rule].name);
    if (!verdict.may_be_true) {
      diagnostics.warning("never-matches", condition_span(set, *verdict.body),
                          "this condition can never hold, so " + name + " never matches",
                          declaration_help(set, *verdict.body->when.root));
    } else if (!verdict.may_be_false) {
      std::string help = declaration_help(set, *verdict.body->when.root);
      if (help.empty()) help = "leave the condition out if that is meant";
      diagnostics.warning("always-true", condition_span(set, *verdict.body),
                          "this condition is never false, so " + name + " matches every call", std::move(help));
    } else if (verdict.alone) {
      parts.visit(*verdict.body);
    }
  }
}

}  // namespace ordain::lint
