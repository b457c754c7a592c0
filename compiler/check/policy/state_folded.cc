// state_folded.cc looks at how rules use what is remembered, once constants are folded: how many calls a history must
// tell apart, and uses that hardly mean what they say.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "compiler/check/policy/check.h"
#include "compiler/diagnostic/words.h"

namespace ordain {
namespace {

using typed::Node;
using typed::NodeKind;
using typed::StateSlot;

constexpr uint64_t kMostBound = 1'000'000;

// Which way a part of a condition points: whether more calls make it true, or fewer.
enum class Leaning : uint8_t { more, fewer, either };

Leaning turned(Leaning leaning) {
  if (leaning == Leaning::either) return leaning;
  return leaning == Leaning::more ? Leaning::fewer : Leaning::more;
}

std::string_view operator_of_call(const Node& node) {
  if (node.kind == NodeKind::equal) return "_==_";
  if (node.kind == NodeKind::not_equal) return "_!=_";
  if (node.kind != NodeKind::call || node.args.size() != 2) return "";
  if (node.overload != nullptr) return node.overload->name;
  return node.function != nullptr ? std::string_view(node.function->name) : "";
}

bool is_comparison(std::string_view name) {
  return name == "_<_" || name == "_<=_" || name == "_>_" || name == "_>=_" || name == "_==_" || name == "_!=_";
}

bool counts(StateMember member) {
  return member == StateMember::count || member == StateMember::sum || member == StateMember::running;
}

// Walks the rules of a set once.
class UseChecker {
 public:
  UseChecker(Diagnostics& diagnostics, typed::PolicySet& set)
      : diagnostics_(diagnostics), set_(set), histories_(set.histories) {}

  void check() {
    std::set<const typed::RuleBody*> done;
    for (const std::vector<typed::RuleList>& stage : set_.lists) {
      for (const typed::RuleList& list : stage) {
        for (const typed::RuleBody* body : list.rules) {
          if (done.insert(body).second) check_body(*body);
        }
      }
    }
    kind_ = RuleKind::warn;
    for (const std::shared_ptr<typed::LabelRuleBody>& body : histories_.label_bodies) {
      if (body->when.root != nullptr) walk(*body->when.root, Leaning::either);
    }
    for (const auto& [slot, read] : histories_.slots) report_unbounded(slot, read);
  }

 private:
  void check_body(const typed::RuleBody& body) {
    kind_ = set_.rules[body.rule].kind;
    if (body.when.root != nullptr) walk(*body.when.root, Leaning::more);
    // A reason may show a count that no rule compares: it is then shown up to the bound.
    in_reason_ = true;
    for (const typed::Expression* clause : {&body.because, &body.from, &body.expires, &body.with}) {
      if (clause->root != nullptr) walk(*clause->root, Leaning::either);
    }
    in_reason_ = false;
  }

  const StateSlot* read_of(const Node& node) const {
    if (node.kind != NodeKind::slot) return nullptr;
    const auto found = histories_.slots.find(node.slot);
    return found == histories_.slots.end() ? nullptr : &found->second;
  }

  void walk(const Node& node, Leaning leaning) {
    if (const StateSlot* read = read_of(node)) return note(*read, node, leaning, nullptr);
    if (node.kind == NodeKind::not_) return walk(*node.args[0], turned(leaning));
    if (node.kind == NodeKind::and_ || node.kind == NodeKind::or_) {
      for (const Node* part : node.args) walk(*part, leaning);
      return;
    }
    if (compare(node, leaning)) return;
    for (const Node* part : node.args) walk(*part, Leaning::either);
  }

  // @returns whether the node compares what is read of a state
  bool compare(const Node& node, Leaning leaning) {
    const std::string_view name = operator_of_call(node);
    if (!is_comparison(name)) return false;
    for (size_t side = 0; side < 2; ++side) {
      const StateSlot* read = read_of(*node.args[side]);
      if (read == nullptr) continue;
      const Node& other = *node.args[1 - side];
      const bool rises = (name[1] == '>') == (side == 0);  // `count > 3` and `3 < count` become true with more
      if (name == "_==_" || name == "_!=_") leaning = Leaning::either;
      note(*read, *node.args[side], rises ? leaning : turned(leaning), &other);
      if (read_of(other) == nullptr) walk(other, Leaning::either);
      return true;
    }
    return false;
  }

  // @param compared what the value is compared with, or nullptr
  void note(const StateSlot& read, const Node& node, Leaning leaning, const Node* compared) {
    typed::State& state = histories_.states[read.state];
    if (read.member == StateMember::count) bound(state, node, compared);
    const bool blocks = kind_ == RuleKind::deny || kind_ == RuleKind::require_approval;
    if (in_reason_) return;
    if (blocks) warn_session_key(state, read);
    if (state.decl.kind != StateKind::history || leaning != Leaning::more) return;
    if (read.member != StateMember::seen && !counts(read.member)) return;
    const bool late = blocks && state.decl.verb == StateVerb::done;
    const bool early =
        kind_ == RuleKind::allow && (state.decl.verb == StateVerb::begun || state.decl.verb == StateVerb::denied);
    if (late) {
      report("history-polarity", node.span,
             quoted(state.decl.name) + " does not see calls that are still running, so several at once pass this rule",
             "count what has `begun`");
    }
    if (early) {
      report("history-polarity", node.span,
             quoted(state.decl.name) + " counts calls that may have failed, and this rule allows by it",
             "count what is `done`");
    }
  }

  // A history keeps as many times as its rules tell apart.
  void bound(typed::State& state, const Node& node, const Node* compared) {
    const bool constant = compared != nullptr && compared->kind == NodeKind::constant;
    if (constant && compared->value.is(Kind::integer)) {
      const int64_t least = std::max<int64_t>(compared->value.i, 0);
      state.decl.bound = std::max(state.decl.bound, std::min(static_cast<uint64_t>(least), kMostBound));
      return;
    }
    if (constant && (compared->value.is(Kind::unsigned_integer) || compared->value.is(Kind::floating))) {
      const double least =
          compared->value.is(Kind::floating) ? compared->value.d : static_cast<double>(compared->value.u);
      const double most = std::min(std::max(least, 0.0), static_cast<double>(kMostBound));
      state.decl.bound = std::max(state.decl.bound, static_cast<uint64_t>(most) + 1);
      return;
    }
    if (!in_reason_) unbounded_.emplace(node.slot, node.span);
  }

  void report_unbounded(SlotId slot, const StateSlot& read) {
    const typed::State& state = histories_.states[read.state];
    const auto found = unbounded_.find(slot);
    const bool windowed = state.decl.window_seconds != 0 || state.decl.window_nanos != 0;
    if (found == unbounded_.end() || !windowed || state.up_to) return;
    diagnostics_.error(
        "unbounded-count", found->second,
        "this count is compared with no constant, so " + quoted(state.decl.name) + " would have to keep every call",
        "compare it with a constant, or write `up to N` in its declaration");
  }

  void warn_session_key(const typed::State& state, const StateSlot& read) {
    const bool alone = state.decl.keys.size() == 1 && state.decl.keys[0] == KeySource::session;
    const bool amount = counts(read.member) || state.decl.kind != StateKind::history;
    if (!alone || !amount) return;
    report("session-key", state.span,
           quoted(state.decl.name) + " is kept by the session alone, so a new session begins anew",
           "keep it by `principal`, `agent` or `tenant`");
  }

  void report(const char* code, Span span, std::string message, std::string help) {
    if (!reported_.insert({code, span.file, span.begin}).second) return;
    diagnostics_.warning(code, span, std::move(message), std::move(help));
  }

  Diagnostics& diagnostics_;
  typed::PolicySet& set_;
  typed::Histories& histories_;
  RuleKind kind_ = RuleKind::warn;
  bool in_reason_ = false;
  std::map<SlotId, Span> unbounded_;
  std::set<std::tuple<std::string, uint32_t, uint32_t>> reported_;
};

}  // namespace

void check_history_use(Diagnostics& diagnostics, typed::PolicySet& set) {
  if (!set.histories.states.empty()) UseChecker(diagnostics, set).check();
}

}  // namespace ordain
