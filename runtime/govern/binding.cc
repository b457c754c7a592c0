// binding.cc writes the exact call as a canonical byte string and hashes it.
#include "runtime/govern/binding.h"

#include <algorithm>
#include <cassert>

#include "ordain/json.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/govern/declared_form.h"
#include "runtime/keys/sha256.h"

namespace ordain::detail {
namespace {

/// Names the format, so that its digests never equal those of another format.
constexpr std::string_view kBindingFormat = "ordain approval binding 3";

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

/// Writes an asking rule: its digest, and what it needs.
std::string rule_bytes(const Digest& digest, const AskingRule& rule) {
  std::string out(reinterpret_cast<const char*>(digest.data()), digest.size());
  append_u32(out, rule.need);
  out.push_back(rule.distinct ? 1 : 0);
  append_u32(out, static_cast<uint32_t>(rule.from.size()));
  for (const std::string& group : rule.from) append_sized(out, group);
  return out;
}

bool bind_subject(ApprovalRequest& request, const Value& input, const Value& resource,
                  const std::vector<Digest>& digests) {
  std::string bytes;
  for (std::string_view text :
       {kBindingFormat, std::string_view(request.capability), std::string_view(request.agent),
        std::string_view(request.principal), std::string_view(request.tenant), std::string_view(request.environment)}) {
    append_sized(bytes, text);
  }
  if (!append_value(bytes, resource) || !append_value(bytes, input)) return false;
  std::vector<std::string> rules;
  for (size_t i = 0; i < digests.size(); ++i) rules.push_back(rule_bytes(digests[i], request.asking[i]));
  std::sort(rules.begin(), rules.end());
  append_u32(bytes, static_cast<uint32_t>(rules.size()));
  for (const std::string& rule : rules) bytes += rule;
  Sha256 hasher;
  hasher.add(bytes);
  request.binding = hasher.finish();
  return true;
}

}  // namespace

std::optional<ApprovalRequest> make_request(Arena& arena, const Program& program, const Ruling& ruling,
                                            const ActionFacts& action, const Who& who, const RequestInput& input) {
  ApprovalRequest out;
  out.capability = action.capability;
  const Value effective = declared_form(arena, program, action.capability, input.effective);
  const Value resource = undeclared_form(arena, action.options->resource);
  out.input = to_json(declared_form(arena, program, action.capability, input.shown));
  out.resource = to_json(resource);
  out.agent = who.agent;
  out.principal = who.principal;
  out.tenant = who.tenant;
  out.environment = who.environment;
  out.session = who.session;
  out.rule = ruling.rule;
  out.reason = ruling.reason;
  std::vector<Digest> digests;
  // The ruling lists the rules of the policies first, then those of the host.
  for (const ApprovalNeed& need : ruling.decision.approvals) digests.push_back(program.rules()[need.rule].digest);
  if (ruling.host != nullptr) {
    for (const HostRuling::Asking& rule : ruling.host->asking) digests.push_back(digest_of(rule));
  }
  out.asking = ruling.approvals;
  for (const AskingRule& rule : out.asking) out.rules.push_back(rule.rule);
  out.action = action.id_text.view();
  CapabilityId capability = program.resolve(action.capability).id;
  if (capability != kNone) out.scopes = program.schema().capabilities[capability].scopes;
  assert(digests.size() == out.asking.size());
  if (!bind_subject(out, effective, resource, digests)) return std::nullopt;
  return out;
}

}  // namespace ordain::detail
