// binding.cc writes the exact call as a canonical byte string and hashes it.
#include "runtime/govern/binding.h"

#include <algorithm>

#include "ordain/json.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/keys/sha256.h"

namespace ordain::detail {
namespace {

/// Names the format, so that its digests never equal those of another format.
constexpr std::string_view kBindingFormat = "ordain approval binding 2";

/// Stands for a rule whose content is unknown. The host names the version of a host rule; the
/// version of a remote decision is its reason.
Digest digest_of(const HostRuling::Asking& rule) {
  std::string bytes;
  for (std::string_view text :
       {std::string_view("ordain native rule 1"), std::string_view(rule.name), std::string_view(rule.version)}) {
    append_sized(bytes, text);
  }
  Sha256 hasher;
  hasher.add(bytes);
  return hasher.finish();
}

bool bind(ApprovalRequest& request, const Value& input, const Value& resource, std::vector<Digest> rules) {
  std::string bytes;
  for (std::string_view text :
       {kBindingFormat, std::string_view(request.capability), std::string_view(request.agent),
        std::string_view(request.principal), std::string_view(request.tenant), std::string_view(request.environment)}) {
    append_sized(bytes, text);
  }
  if (!append_value(bytes, resource) || !append_value(bytes, input)) return false;
  std::sort(rules.begin(), rules.end());
  append_u32(bytes, static_cast<uint32_t>(rules.size()));
  for (const Digest& rule : rules) bytes.append(reinterpret_cast<const char*>(rule.data()), rule.size());
  append_u32(bytes, static_cast<uint32_t>(request.groups.size()));
  for (const std::string& group : request.groups) append_sized(bytes, group);
  Sha256 hasher;
  hasher.add(bytes);
  request.binding = hasher.finish();
  return true;
}

}  // namespace

std::optional<ApprovalRequest> make_request(const Program& program, const Ruling& ruling, const ActionFacts& action,
                                            const Who& who, const Value& effective_input) {
  ApprovalRequest out;
  out.capability = action.capability;
  out.input = to_json(effective_input);
  out.resource = to_json(action.options->resource);
  out.agent = who.agent;
  out.principal = who.principal;
  out.tenant = who.tenant;
  out.environment = who.environment;
  out.session = who.session;
  out.rule = ruling.rule;
  out.reason = ruling.reason;
  std::vector<Digest> digests;
  if (ruling.decision.effect == Effect::require_approval) {
    for (RuleId rule : ruling.decision.matched) {
      out.rules.push_back(program.rules()[rule].name);
      digests.push_back(program.rules()[rule].digest);
    }
  }
  if (ruling.host != nullptr) {
    for (const HostRuling::Asking& rule : ruling.host->asking) {
      out.rules.push_back(rule.name);
      digests.push_back(digest_of(rule));
    }
  }
  for (std::string_view group : ruling.from) out.groups.emplace_back(group);
  out.action = action.id_text.view();
  CapabilityId capability = program.resolve(action.capability).id;
  if (capability != kNone) out.scopes = program.schema().capabilities[capability].scopes;
  if (!bind(out, effective_input, action.options->resource, std::move(digests))) return std::nullopt;
  return out;
}

}  // namespace ordain::detail
