// approval_signing writes sized texts and integers in a fixed order, which docs/approvals.md gives.
#include "runtime/approvals/signing.h"

#include <algorithm>

#include "runtime/approvals/store.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/keys/sha256.h"

namespace ordain::detail {
namespace {

void add_texts(std::string& out, const std::vector<std::string>& texts) {
  append_u32(out, static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) append_sized(out, text);
}

/// Writes the request as it was made and as an approver sees it.
void add_request(std::string& out, const Approval& approval) {
  out.append(reinterpret_cast<const char*>(approval.binding.data()), approval.binding.size());
  for (const std::string* text : {&approval.capability, &approval.input, &approval.resource, &approval.agent,
                                  &approval.principal, &approval.tenant, &approval.environment, &approval.session,
                                  &approval.rule, &approval.reason, &approval.action}) {
    append_sized(out, *text);
  }
  add_texts(out, approval.rules);
  append_u32(out, static_cast<uint32_t>(approval.asking.size()));
  for (const AskingRule& rule : approval.asking) {
    append_sized(out, rule.rule);
    add_texts(out, rule.from);
    append_u32(out, rule.need);
    out.push_back(rule.distinct ? 1 : 0);
    append_u64(out, static_cast<uint64_t>(rule.expires_seconds));
  }
  append_u64(out, static_cast<uint64_t>(approval.created_ns));
  append_u64(out, static_cast<uint64_t>(approval.expires_ns));
}

std::string signer_of(const PublicKey& key, std::string_view bytes, const RowSignature& row) {
  Signature signature;
  if (key.id() != static_cast<uint32_t>(row.key) || row.signature.size() != signature.size()) return "";
  std::copy(row.signature.begin(), row.signature.end(), signature.begin());
  return key.verify(bytes, signature) ? key.name() : "";
}

}  // namespace

Digest content_digest(const Approval& approval, const Nonce& nonce) {
  std::string bytes;
  append_sized(bytes, "ordain approval request 2");
  bytes.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  append_u64(bytes, static_cast<uint64_t>(approval.recorded));
  add_request(bytes, approval);
  Sha256 hasher;
  hasher.add(bytes);
  return hasher.finish();
}

std::string id_of(const Digest& content) { return to_hex(content).substr(0, kIdDigits); }

std::string vote_bytes(const Approval& approval, const ApprovalVote& vote) {
  std::string out;
  append_sized(out, "ordain approval vote 2");
  append_sized(out, approval.id);
  add_request(out, approval);
  out.push_back(vote.approve ? 1 : 0);
  for (const std::string* text : {&vote.group, &vote.approver, &vote.note}) append_sized(out, *text);
  append_u64(out, static_cast<uint64_t>(vote.time_ns));
  return out;
}

std::string grant_bytes(const Grant& grant) {
  std::string out;
  append_sized(out, "ordain grant 1");
  for (const std::string* text : {&grant.id, &grant.capability, &grant.scope, &grant.agent, &grant.principal,
                                  &grant.tenant, &grant.environment, &grant.session, &grant.granted_by, &grant.note}) {
    append_sized(out, *text);
  }
  for (int64_t time : {grant.from_ns, grant.until_ns, grant.created_ns}) append_u64(out, static_cast<uint64_t>(time));
  return out;
}

RowSignature sign_row(const OperatorKeys& keys, std::string_view bytes) {
  if (!keys.sign) return {};
  Signature signature = keys.sign->sign(bytes);
  return {keys.sign->public_key().id(), std::string(signature.begin(), signature.end())};
}

std::string CheckedSignatures::signer(const OperatorKeys& keys, std::string_view bytes, const RowSignature& signature) {
  constexpr size_t kMost = 4096;
  if (keys.empty()) return "";
  std::string what;
  append_sized(what, bytes);
  append_u64(what, static_cast<uint64_t>(signature.key));
  append_sized(what, signature.signature);
  if (auto known = signers_.find(what); known != signers_.end()) return known->second;
  if (signers_.size() >= kMost) signers_.clear();
  ++verifications_;
  return signers_[what] = detail::signer(keys, bytes, signature);
}

std::string signer(const OperatorKeys& keys, std::string_view bytes, const RowSignature& signature) {
  if (keys.sign) {
    if (auto name = signer_of(keys.sign->public_key(), bytes, signature); !name.empty()) return name;
  }
  for (const PublicKey& key : keys.trust) {
    if (auto name = signer_of(key, bytes, signature); !name.empty()) return name;
  }
  return "";
}

}  // namespace ordain::detail
