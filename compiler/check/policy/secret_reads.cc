// secret_reads.cc keeps secret fields out of reasons, groups and replacements, because these reach people and records.
#include <algorithm>
#include <string>
#include <vector>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {
namespace {

// Whether the value at the accessed path holds the secret, is the secret, or lies within it. A `[*]` of the secret
// stands for any name.
bool reaches_secret(const Access& access, std::string_view secret) {
  if (!secret.starts_with(access.root)) return false;
  secret.remove_prefix(access.root.size());
  for (std::string_view name : access.path) {
    if (secret.empty()) return true;
    if (secret.starts_with("[*]")) {
      secret.remove_prefix(3);
      continue;
    }
    const std::string_view step = secret.substr(1, secret.find_first_of(".[", 1) - 1);
    if (step != name) return false;
    secret.remove_prefix(1 + step.size());
  }
  return true;
}

struct SecretRead {
  std::string path;  // "" if the clause reads no secret
  std::string_view capability;
};

SecretRead find_secret_read(const State& state, const std::vector<Access>& accesses, const Targets& targets) {
  for (const Access& access : accesses) {
    if (!is_input_or_output(access.root)) continue;
    for (const Targets::Match& match : targets.matches) {
      const Capability& capability = state.set.schema.capabilities[match.capability];
      for (const std::string& secret : capability.secrets) {
        if (reaches_secret(access, secret)) return {secret, capability.name};
      }
    }
  }
  return {};
}

}  // namespace

void refuse_secret_reads(State& state, const syntax::RuleDecl& rule, PackageId package, const Targets& targets) {
  const bool any = std::any_of(targets.matches.begin(), targets.matches.end(), [&](const Targets::Match& match) {
    return !state.set.schema.capabilities[match.capability].secrets.empty();
  });
  if (!any) return;
  struct Clause {
    const char* word;
    const syntax::Expr* value;
  };
  for (const Clause& clause : {Clause{"because", rule.because}, Clause{"from", rule.from}, Clause{"with", rule.with}}) {
    if (clause.value == nullptr) continue;
    Reads reads;
    collect_reads(state, *clause.value, package, reads);
    SecretRead found = find_secret_read(state, reads.accesses, targets);
    for (LetId let : let_closure(state, reads)) {
      if (found.path.empty()) found = find_secret_read(state, state.lets[let].reads.accesses, targets);
    }
    if (found.path.empty()) continue;
    state.diagnostics.error(
        "secret-shown", clause.value->span,
        quoted(clause.word) + " reads " + quoted(found.path) + ", a secret of " + quoted(found.capability),
        "people and records would see it; a condition may read it");
  }
}

}  // namespace ordain::policy
