// approvals.cc reports approvals that cannot be given: by groups that nobody can be in, or within a
// time in which nobody answers.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diagnostic/words.h"
#include "compiler/lint/bodies.h"
#include "compiler/lint/lint.h"

namespace ordain::lint {
namespace {

using typed::Node;
using typed::NodeKind;

constexpr int64_t kLeastSeconds = 60;

bool is_blank(std::string_view group) { return group.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// The groups that a constant clause names; none if it is not constant.
std::vector<std::string_view> groups_of(const Node& from) {
  std::vector<std::string_view> out;
  if (from.kind != NodeKind::constant) return out;
  if (from.value.is(Kind::string)) out.push_back(from.value.as_text());
  if (!from.value.is(Kind::list)) return out;
  for (const Value& group : from.value.as_list()) {
    if (group.is(Kind::string)) out.push_back(group.as_text());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

void warn_unanswerable(Diagnostics& diagnostics, const typed::PolicySet& set) {
  std::vector<bool> reported(set.rules.size());
  for_each_body(set, [&](const typed::RuleBody& body) {
    if (body.from.root == nullptr || reported[body.rule]) return;
    const std::vector<std::string_view> groups = groups_of(*body.from.root);
    const auto blank = static_cast<size_t>(std::count_if(groups.begin(), groups.end(), is_blank));
    const size_t need = body.need == 0 ? groups.size() : body.need;
    if (blank == 0 || groups.size() - blank >= need) return;
    reported[body.rule] = true;
    const Span span = body.from.root->span;
    diagnostics.warning("unanswerable-approval", span.end > span.begin ? span : set.rule_spans[body.rule],
                        "nobody can give this approval: nobody is in a group without a name",
                        "name a group, such as \"finance\"");
  });
}

void warn_hasty(Diagnostics& diagnostics, const typed::PolicySet& set) {
  std::vector<bool> reported(set.rules.size());
  for_each_body(set, [&](const typed::RuleBody& body) {
    if (!typed::is_constant(body.expires, Kind::duration) || reported[body.rule]) return;
    const int64_t seconds = body.expires.root->value.i;
    if (seconds >= kLeastSeconds) return;
    reported[body.rule] = true;
    const Span span = body.expires.root->span;
    diagnostics.warning("hasty-approval", span.end > span.begin ? span : set.rule_spans[body.rule],
                        "a request that expires within a minute is hardly seen by a human",
                        "give them some minutes: `expires 30m`");
  });
}

}  // namespace ordain::lint
