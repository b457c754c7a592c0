// folded.cc reports mistakes of constant clauses, which show once constants are folded: times that have
// passed before they begin, and approvals of no group or of more groups than are named.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/policy/check.h"
#include "compiler/check/policy/checker.h"

namespace ordain {
namespace {

using typed::Node;
using typed::NodeKind;
using typed::RuleBody;

bool is_constant(const Node* node, Kind kind) {
  return node != nullptr && node->kind == NodeKind::constant && node->value.is(kind);
}

template <typename Visit>
void for_each_body(const typed::PolicySet& set, Visit visit) {
  for (const auto& lists : set.lists) {
    const RuleBody* previous = nullptr;
    for (const typed::RuleList& list : lists) {
      for (const RuleBody* body : list.rules) {
        if (body != previous) visit(*body);
        previous = body;
      }
    }
  }
}

void check_expiry(Diagnostics& diagnostics, const typed::PolicySet& set) {
  std::vector<bool> reported(set.rules.size());
  for_each_body(set, [&](const RuleBody& body) {
    const Node* expires = body.expires.root;
    if (!is_constant(expires, Kind::duration) || reported[body.rule]) return;
    if (expires->value.i > 0 || (expires->value.i == 0 && expires->value.nanos() > 0)) return;
    reported[body.rule] = true;
    Span span = expires->span.end > expires->span.begin ? expires->span : set.rule_spans[body.rule];
    diagnostics.error("bad-expires", span, "an approval must stay open for some time: `expires` must be positive");
  });
}

/// @returns how many groups the folded clause can name at most; nothing if that is only known at run time
std::optional<size_t> most_groups(const Node& from) {
  if (is_constant(&from, Kind::string)) return 1;
  if (from.kind == NodeKind::list) return from.args.size();
  if (!is_constant(&from, Kind::list)) return std::nullopt;
  std::set<std::string_view> groups;
  for (const Value& group : from.value.as_list()) {
    if (group.is(Kind::string)) groups.insert(group.as_text());
  }
  return groups.size();
}

std::string count_groups(size_t count) { return std::to_string(count) + (count == 1 ? " group" : " groups"); }

void check_need(Diagnostics& diagnostics, const typed::PolicySet& set) {
  std::vector<bool> reported(set.rules.size());
  for_each_body(set, [&](const RuleBody& body) {
    if (body.from.root == nullptr || reported[body.rule]) return;
    const std::optional<size_t> most = most_groups(*body.from.root);
    if (!most || std::max<size_t>(1, body.need) <= *most) return;
    reported[body.rule] = true;
    if (body.need != 0) {
      diagnostics.error("bad-from", body.need_span,
                        "`from` needs the approval of " + count_groups(body.need) + ", but names " +
                            (*most == 0 ? "none" : std::to_string(*most)),
                        "name more groups, or ask for fewer");
      return;
    }
    const Span span = body.from.root->span;
    diagnostics.error("bad-from", span.end > span.begin ? span : set.rule_spans[body.rule],
                      "`from` names no group, so nobody could approve",
                      "name a group, or leave out `from` if anyone may approve");
  });
}

}  // namespace

void check_folded(Diagnostics& diagnostics, const typed::PolicySet& set) {
  check_expiry(diagnostics, set);
  check_need(diagnostics, set);
}

}  // namespace ordain
