// conditions.cc reports conditions that are never true, such as `hour >= 18 && hour < 8`, and those
// that are never false. A condition that is a constant is written to switch a rule on or off, so only
// `false` is reported.
#include <set>
#include <string>
#include <tuple>
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
    if (never) {
      diagnostics_.warning("never-matches", span, "this alternative can never hold", "leave it out, or correct it");
    } else {
      diagnostics_.warning("always-true", span, "this part of the condition is never false",
                           "leave it out, or correct it");
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
                          "this condition can never hold, so " + name + " never matches");
    } else if (!verdict.may_be_false) {
      diagnostics.warning("always-true", condition_span(set, *verdict.body),
                          "this condition is never false, so " + name + " matches every call",
                          "leave the condition out if that is meant");
    } else if (verdict.alone) {
      parts.visit(*verdict.body);
    }
  }
}

}  // namespace ordain::lint
