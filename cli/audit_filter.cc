#include "cli/audit_filter.h"

#include <array>

#include "cli/text.h"

namespace ordain::cli {
namespace {

constexpr std::array kKinds = {RecordKind::denied, RecordKind::pending,  RecordKind::intent, RecordKind::outcome,
                               RecordKind::lost,   RecordKind::decision, RecordKind::act};
constexpr std::array kEffects = {Effect::allow, Effect::require_approval, Effect::deny};

}  // namespace

void add_filter(Command command, FilterOptions& options) {
  AuditFilter& filter = options.filter;
  command.add_option("--agent", filter.agent, "only of this agent");
  command.add_option("--principal", filter.principal, "only for this principal");
  command.add_option("--tenant", filter.tenant, "only of this tenant");
  command.add_option("--capability", filter.capability, "only calls of this capability");
  command.add_option("--session", filter.session, "only of this session");
  command.add_option("--action", filter.action, "only of the call with this id");
  command.add_option("--rule", filter.rule, "only decided by this rule");
  command.add_option("--kind", options.kind, "only records of this kind")
      .one_of({"denied", "pending", "intent", "outcome", "lost", "decision", "act"});
  command.add_option("--effect", options.effect, "only decided so").one_of({"allow", "require_approval", "deny"});
  command.add_option("--from", options.from, "from this time on (RFC 3339)");
  command.add_option("--to", options.to, "before this time (RFC 3339)");
}

Result<AuditFilter> read_filter(const FilterOptions& options) {
  AuditFilter out = options.filter;
  for (RecordKind kind : kKinds) {
    if (options.kind == to_string(kind)) out.kind = kind;
  }
  for (Effect effect : kEffects) {
    if (options.effect == to_string(effect)) out.effect = effect;
  }
  struct Bound {
    const char* option;
    const std::string& text;
    std::optional<int64_t>& time;
  };
  for (const Bound& bound : {Bound{"--from", options.from, out.from_ns}, Bound{"--to", options.to, out.to_ns}}) {
    if (bound.text.empty()) continue;
    auto time = parse_time_option(bound.option, bound.text);
    if (!time) return time.error();
    bound.time = *time;
  }
  return out;
}

}  // namespace ordain::cli
