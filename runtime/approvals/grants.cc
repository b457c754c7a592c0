// grants.cc keeps grants as rows of one table. It decides here rather than in SQL whether a grant
// covers a call, because that takes globs and signatures.
#include "ordain/grants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ordain/identity.h"
#include "runtime/approvals/signing.h"
#include "runtime/approvals/store.h"
#include "runtime/audit/json_line.h"
#include "runtime/identity/text.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace detail {

const char* const kGrantSchema =
    "CREATE TABLE grants (id TEXT PRIMARY KEY, capability TEXT NOT NULL, scope TEXT NOT NULL, agent TEXT NOT NULL,"
    "principal TEXT NOT NULL, tenant TEXT NOT NULL, environment TEXT NOT NULL, session TEXT NOT NULL,"
    "granted_by TEXT NOT NULL, note TEXT NOT NULL, starts INTEGER NOT NULL, ends INTEGER NOT NULL,"
    "created INTEGER NOT NULL, key INTEGER NOT NULL, signature BLOB NOT NULL, revoked INTEGER NOT NULL DEFAULT 0,"
    "revoked_by TEXT NOT NULL DEFAULT '', revoked_note TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX grant_ends ON grants (ends)";

}  // namespace detail

namespace {

using sqlite::Statement;

constexpr std::array<std::string_view, 5> kStates = {"active", "future", "expired", "revoked", "unsigned"};

/// The texts of a grant, in the order of their columns.
template <typename G>
auto texts_of(G& grant) {
  return std::array{&grant.id,     &grant.capability,  &grant.scope,   &grant.agent,      &grant.principal,
                    &grant.tenant, &grant.environment, &grant.session, &grant.granted_by, &grant.note};
}

GrantState state_of(const Grant& grant, const OperatorKeys& keys, int64_t now_ns) {
  if (!keys.empty() && grant.signed_by.empty()) return GrantState::unsigned_;
  if (grant.revoked_ns != 0) return GrantState::revoked;
  if (grant.until_ns <= now_ns) return GrantState::expired;
  return grant.from_ns > now_ns ? GrantState::future : GrantState::active;
}

Grant read_row(Statement& row, const OperatorKeys& keys, CheckedSignatures& checked, int64_t now_ns) {
  Grant out;
  int column = 0;
  for (std::string* text : texts_of(out)) *text = row.text(column++);
  out.from_ns = row.integer(10);
  out.until_ns = row.integer(11);
  out.created_ns = row.integer(12);
  out.revoked_ns = row.integer(15);
  out.revoked_by = row.text(16);
  out.revoked_note = row.text(17);
  out.signed_by = checked.signer(keys, grant_bytes(out), {row.integer(13), std::string(row.blob(14))});
  if (!out.signed_by.empty()) out.key = static_cast<uint32_t>(row.integer(13));
  out.state = state_of(out, keys, now_ns);
  return out;
}

/// Reads the grants that `tail` (WHERE, ORDER BY) selects. `text` is parameter ?1 and `number` is
/// ?2, if it uses them.
Result<std::vector<Grant>> read_grants(sqlite::Database& database, const OperatorKeys& keys, CheckedSignatures& checked,
                                       const std::string& tail, std::string_view text, int64_t now_ns) {
  auto rows = database.prepare(
      "SELECT id, capability, scope, agent, principal, tenant, environment, session, granted_by, note, starts, ends, "
      "created, key, signature, revoked, revoked_by, revoked_note FROM grants " +
      tail);
  if (!rows.ok()) return rows.error();
  rows->bind_text(1, text).bind(2, now_ns);
  std::vector<Grant> out;
  for (;;) {
    auto step = rows->step();
    if (step == Statement::Step::failed) return database.error();
    if (step == Statement::Step::done) return out;
    out.push_back(read_row(*rows, keys, checked, now_ns));
  }
}

Result<void> insert(sqlite::Database& database, const Grant& grant, const RowSignature& signature) {
  auto row = database.prepare(
      "INSERT INTO grants (id, capability, scope, agent, principal, tenant, environment, session, granted_by, note, "
      "starts, ends, created, key, signature) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!row.ok()) return row.error();
  int at = 1;
  for (const std::string* text : texts_of(grant)) row->bind_text(at++, *text);
  row->bind(at, grant.from_ns).bind(at + 1, grant.until_ns).bind(at + 2, grant.created_ns).bind(at + 3, signature.key);
  row->bind_blob(at + 4, signature.signature.data(), signature.signature.size());
  return database.write_row(*row);
}

Error invalid(std::string message) { return Error{"invalid_grant", std::move(message)}; }

std::string problem_of(const Grant& grant, int64_t now_ns) {
  for (const std::string* text : texts_of(grant)) {
    if (auto problem = text_problem(*text); !problem.empty()) return "a text of the grant is " + problem;
  }
  if (grant.capability.empty()) return "capability: a name or a glob is needed; * for all";
  if (grant.granted_by.empty()) return "granted_by: a name is needed";
  if (grant.until_ns <= now_ns) return "until: a grant must end in the future";
  if (grant.until_ns <= grant.from_ns) return "until: must be after from";
  return "";
}

bool covers(const Grant& grant, const ApprovalRequest& request) {
  auto fits = [](const std::string& wanted, const std::string& given) { return wanted.empty() || wanted == given; };
  const auto& scopes = request.scopes;
  return grant.state == GrantState::active && glob_matches(grant.capability, request.capability) &&
         (grant.scope.empty() || std::find(scopes.begin(), scopes.end(), grant.scope) != scopes.end()) &&
         fits(grant.agent, request.agent) && fits(grant.principal, request.principal) &&
         fits(grant.tenant, request.tenant) && fits(grant.environment, request.environment) &&
         fits(grant.session, request.session);
}

std::string time_json(int64_t time_ns) { return time_ns == 0 ? "null" : '"' + format_time(time_ns) + '"'; }

}  // namespace

std::string_view to_string(GrantState state) { return kStates[static_cast<size_t>(state)]; }

std::string to_json(const Grant& grant) {
  JsonLine line;
  line.text("id", grant.id).text("state", to_string(grant.state)).text("capability", grant.capability);
  line.text("scope", grant.scope).text("agent", grant.agent).text("principal", grant.principal);
  line.text("tenant", grant.tenant).text("environment", grant.environment).text("session", grant.session);
  line.raw("from", time_json(grant.from_ns)).raw("until", time_json(grant.until_ns));
  line.text("granted_by", grant.granted_by).text("note", grant.note).raw("created", time_json(grant.created_ns));
  line.raw("revoked", time_json(grant.revoked_ns)).text("revoked_by", grant.revoked_by);
  line.text("revoked_note", grant.revoked_note).text("signed_by", grant.signed_by);
  return line.done();
}

namespace detail {

Result<std::optional<Grant>> covering_grant(sqlite::Database& database, const OperatorKeys& keys,
                                            CheckedSignatures& checked, const ApprovalRequest& request) {
  auto found = read_grants(database, keys, checked,
                           "WHERE ?1 = '' AND ends > ?2 AND revoked = 0 ORDER BY created, rowid", "", request.now_ns);
  if (!found.ok()) return found.error();
  for (Grant& grant : *found) {
    if (covers(grant, request)) return std::optional(std::move(grant));
  }
  return std::optional<Grant>();
}

}  // namespace detail

Result<Grant> ApprovalStore::create_grant(Grant grant, int64_t now_ns) {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  if (auto problem = problem_of(grant, now_ns); !problem.empty()) return invalid(problem);
  if (!impl_->keys.empty() && !impl_->keys.sign) {
    return Error{"no_key", "grants must be signed here, and there is no private key to sign with"};
  }
  grant.id = Id128::random().hex();
  grant.created_ns = now_ns;
  grant.revoked_ns = 0;
  grant.revoked_by = grant.revoked_note = "";
  std::string bytes = grant_bytes(grant);
  auto signature = sign_row(impl_->keys, bytes);
  if (auto added = insert(impl_->database, grant, signature); !added.ok()) return added.error();
  grant.signed_by = signer(impl_->keys, bytes, signature);
  grant.key = grant.signed_by.empty() ? 0 : static_cast<uint32_t>(signature.key);
  grant.state = state_of(grant, impl_->keys, now_ns);
  return grant;
}

Result<std::vector<Grant>> ApprovalStore::grants(int64_t now_ns) const {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  return read_grants(impl_->database, impl_->keys, impl_->checked, "WHERE ?1 = '' AND ?2 = ?2 ORDER BY created, rowid",
                     "", now_ns);
}

Result<Grant> ApprovalStore::revoke_grant(std::string_view id, std::string_view by, std::string_view note,
                                          int64_t now_ns) {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  if (by.empty() || !text_problem(by).empty() || !text_problem(note).empty()) {
    return invalid("revoked_by: a name is needed, and name and note in UTF-8");
  }
  if (!id_prefix(id)) return Error{"unknown_grant", fmt::format("an id is {} to 32 hex digits", kMinIdPrefix)};
  sqlite::Transaction transaction(impl_->database);
  if (auto begun = transaction.begin(); !begun.ok()) return begun.error();
  const std::string by_id = "WHERE substr(id, 1, length(?1)) = ?1 AND ?2 = ?2 LIMIT 2";
  auto found = read_grants(impl_->database, impl_->keys, impl_->checked, by_id, id, now_ns);
  if (!found.ok()) return found.error();
  if (found->empty()) return Error{"unknown_grant", fmt::format("there is no grant {}", id)};
  if (found->size() > 1) return Error{"ambiguous_grant", fmt::format("several grants begin with {}", id)};
  Grant& grant = found->front();
  if (grant.revoked_ns != 0) return Error{"already_revoked", fmt::format("grant {} is revoked", grant.id)};
  grant.revoked_ns = std::max<int64_t>(now_ns, 1);
  grant.revoked_by = by;
  grant.revoked_note = note;
  auto update = impl_->database.prepare(
      "UPDATE grants SET revoked = ?1, revoked_by = ?2, revoked_note = ?3 WHERE id = ?4 AND revoked = 0");
  if (!update.ok()) return update.error();
  update->bind(1, grant.revoked_ns).bind_text(2, by).bind_text(3, note).bind_text(4, grant.id);
  if (auto written = impl_->database.write_row(*update); !written.ok()) return written.error();
  if (auto committed = transaction.commit(); !committed.ok()) return committed.error();
  grant.state = state_of(grant, impl_->keys, now_ns);
  return grant;
}

}  // namespace ordain
