// cautions.cc warns of rules that are valid, but hardly what their author meant: approvals about which
// the agent has a say, and reasons with placeholders of other languages.
#include <algorithm>
#include <string>
#include <vector>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {
namespace {

// @returns the first path that the clause reads, directly or through lets, and that comes from the
// agent: "input.group"; or ""
std::string read_from_agent(const State& state, const syntax::Expr& clause, PackageId package) {
  Reads reads;
  collect_reads(state, clause, package, reads);
  auto first = [](const std::vector<Access>& accesses) {
    auto found = std::find_if(accesses.begin(), accesses.end(), [](const Access& access) {
      return is_input_or_output(access.root) || access.root == "metadata";
    });
    std::string out;
    if (found == accesses.end()) return out;
    out = found->root;
    for (std::string_view name : found->path) out += "." + std::string(name);
    return out;
  };
  std::string found = first(reads.accesses);
  for (LetId let : let_closure(state, reads)) {
    if (found.empty()) found = first(state.lets[let].reads.accesses);
  }
  return found;
}

// @returns the first string literal of a text joined by `+` that holds "${"; or nullptr
const syntax::Expr* placeholder_in(const syntax::Expr& text) {
  std::vector<const syntax::Expr*> todo{&text};
  while (!todo.empty()) {
    const syntax::Expr* part = todo.back();
    todo.pop_back();
    bool literal = part->kind == syntax::ExprKind::literal && part->value.is(Kind::string);
    if (literal && part->value.as_text().find("${") != std::string_view::npos) return part;
    if (part->kind == syntax::ExprKind::call && part->name == "_+_") {
      todo.insert(todo.end(), part->args.rbegin(), part->args.rend());
    }
  }
  return nullptr;
}

}  // namespace

void warn_placeholder(State& state, const syntax::RuleDecl& rule) {
  const syntax::Expr* literal = rule.because == nullptr ? nullptr : placeholder_in(*rule.because);
  if (literal == nullptr) return;
  state.diagnostics.warning("placeholder", literal->span, "`${` has no meaning in a string: the text is shown as it is",
                            "join the parts: \"amount \" + string(input.amount)");
}

void warn_agent_chosen(State& state, const syntax::RuleDecl& rule, PackageId package) {
  struct Clause {
    const char* word;
    const syntax::Expr* value;
    const char* consequence;
    const char* help;
  };
  const Clause clauses[] = {
      {"from", rule.from, "so the agent chooses who approves its calls",
       "name the groups in the policy, or choose among them by facts that the host supplies"},
      {"expires", rule.expires, "so the agent chooses how long its requests stay open",
       "write a duration such as `30m`"},
  };
  for (const Clause& clause : clauses) {
    if (clause.value == nullptr) continue;
    std::string path = read_from_agent(state, *clause.value, package);
    if (path.empty()) continue;
    state.diagnostics.warning("agent-chosen", clause.value->span,
                              quoted(clause.word) + " reads " + quoted(path) + ", " + clause.consequence, clause.help);
  }
}

}  // namespace ordain::policy
