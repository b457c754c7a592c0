// scopes compares the declared scopes of a capability with `agent.scopes` of the identity.
#include "runtime/identity/scopes.h"

#include "runtime/identity/identity_fields.h"

namespace ordain::detail {
namespace {

bool holds(const Value& granted, std::string_view scope) {
  if (!granted.is(Kind::list)) return false;
  for (const Value& one : granted.as_list()) {
    if (one.is(Kind::string) && glob_matches(one.as_text(), scope)) return true;
  }
  return false;
}

}  // namespace

std::string missing_scope(const Program& program, CapabilityId capability, const Who& who) {
  if (capability == kNone) return "";
  const auto& wanted = program.schema().capabilities[capability].scopes;
  if (wanted.empty()) return "";
  const Value* agent = attributes_of(who, "agent");
  const Value* granted = agent != nullptr && agent->is(Kind::map) ? map_find(*agent->map, "scopes") : nullptr;
  for (const std::string& scope : wanted) {
    if (granted == nullptr || !holds(*granted, scope)) return scope;
  }
  return "";
}

std::string missing_scope_reason(const Who& who, const std::string& scope) {
  return (who.agent.empty() ? "the agent" : "agent " + who.agent) + " lacks scope " + scope;
}

}  // namespace ordain::detail
