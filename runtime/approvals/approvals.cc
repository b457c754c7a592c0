// approvals.cc is the state machine of approvals, as transactions on two tables. Every change names
// the state that it starts from, so that only one of two competing processes makes it.
#include "ordain/approvals.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "ordain/identity.h"
#include "runtime/approvals/earlier.h"
#include "runtime/approvals/rows.h"
#include "runtime/approvals/signing.h"
#include "runtime/approvals/store.h"
#include "runtime/approvals/votes.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

using sqlite::Statement;

namespace {

constexpr const char* kFile = "approvals.db";
constexpr int32_t kApplication = 0x4F724170;  // "OrAp"
// At most one request with a given binding is open at a time, even when processes race.
constexpr const char* kSchema =
    "CREATE TABLE approvals ("
    "id TEXT PRIMARY KEY, binding BLOB NOT NULL, state INTEGER NOT NULL, capability TEXT NOT NULL, input TEXT NOT NULL,"
    "resource TEXT NOT NULL, agent TEXT NOT NULL, principal TEXT NOT NULL, tenant TEXT NOT NULL, environment TEXT NOT "
    "NULL,"
    "session TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, rules TEXT NOT NULL, asking TEXT NOT NULL,"
    "action TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, recorded INTEGER NOT NULL,"
    "nonce BLOB NOT NULL, consumed INTEGER NOT NULL DEFAULT 0,"
    "consumed_by TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT '');"
    "CREATE UNIQUE INDEX open_requests ON approvals (binding) WHERE state IN (0, 1);"
    "CREATE INDEX bindings ON approvals (binding, state);"
    "CREATE TABLE votes ("
    "number INTEGER PRIMARY KEY, approval TEXT NOT NULL, approves INTEGER NOT NULL, grp TEXT NOT NULL, approver TEXT "
    "NOT NULL,"
    "note TEXT NOT NULL, time INTEGER NOT NULL, key INTEGER NOT NULL, signature BLOB NOT NULL);"
    "CREATE INDEX votes_of ON votes (approval);";

Result<Approval> one(sqlite::Database& database, const OperatorKeys& keys, std::string_view id, int64_t now_ns) {
  auto found = read_approvals(database, keys, "WHERE id = ?1", {id}, now_ns);
  if (!found.ok()) return found.error();
  if (found->empty()) return Error{"unknown_approval", fmt::format("there is no approval {}", id)};
  return std::move(found->front());
}

/// Finds an approval by its id or the beginning of its id.
Result<Approval> find(sqlite::Database& database, const OperatorKeys& keys, std::string_view id, int64_t now_ns) {
  if (!id_prefix(id)) return Error{"unknown_approval", fmt::format("an id is {} to 32 hex digits", kMinIdPrefix)};
  if (id.size() == kIdDigits) return one(database, keys, id, now_ns);
  auto found = read_approvals(database, keys, "WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2", {id}, now_ns);
  if (!found.ok()) return found.error();
  if (found->empty()) return Error{"unknown_approval", fmt::format("there is no approval {}", id)};
  if (found->size() > 1) return Error{"ambiguous_approval", fmt::format("several approvals begin with {}", id)};
  return std::move(found->front());
}

/// Moves one approval from `from` to `to`. @returns false if it was no longer in state `from`.
Result<bool> move_state(sqlite::Database& database, std::string_view id, ApprovalState from, ApprovalState to,
                        int64_t now_ns) {
  auto statement = database.prepare("UPDATE approvals SET state = ?1 WHERE id = ?2 AND state = ?3 AND expires > ?4");
  if (!statement.ok()) return statement.error();
  statement->bind(1, static_cast<int64_t>(to)).bind_text(2, id).bind(3, static_cast<int64_t>(from)).bind(4, now_ns);
  if (statement->step() != Statement::Step::done) return database.error();
  return database.changes() == 1;
}

Result<void> add_vote(sqlite::Database& database, const Approval& approval, const ApprovalVote& vote,
                      const RowSignature& signature) {
  auto statement = database.prepare(
      "INSERT INTO votes (approval, approves, grp, approver, note, time, key, signature) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  if (!statement.ok()) return statement.error();
  statement->bind_text(1, approval.id)
      .bind(2, vote.approve ? 1 : 0)
      .bind_text(3, vote.group)
      .bind_text(4, vote.approver);
  statement->bind_text(5, vote.note).bind(6, vote.time_ns).bind(7, signature.key);
  statement->bind_blob(8, signature.signature.data(), signature.signature.size());
  return database.write_row(*statement);
}

Error altered(std::string_view id) {
  return Error{"approval_altered", fmt::format("approval {} is not the request that its id stands for", id)};
}

Error not_pending(const Approval& approval) {
  return Error{"not_pending", fmt::format("approval {} is {}", approval.id, to_string(approval.state))};
}

Result<void> cast_vote(sqlite::Database& database, const OperatorKeys& keys, const Approval& approval,
                       const ApprovalVote& vote) {
  auto state = approval.state;
  bool open = state == ApprovalState::pending || (!vote.approve && state == ApprovalState::approved);
  if (!open) return not_pending(approval);
  if (vote.approve) {
    if (auto reason = useless(approval, vote)) return *reason;
  }
  if (vote.approve && !keys.empty() && !keys.sign) {
    return Error{"no_key", "approvals must be signed here, and there is no private key to sign with"};
  }
  auto signature = sign_row(keys, vote_bytes(approval, vote));
  if (auto added = add_vote(database, approval, vote, signature); !added.ok()) return added;
  if (vote.approve) {
    Approval after = approval;
    after.votes.push_back(vote);
    if (!after.satisfied()) return {};
  }
  auto to = vote.approve ? ApprovalState::approved : ApprovalState::rejected;
  auto moved = move_state(database, approval.id, state, to, vote.time_ns);
  if (!moved.ok()) return moved.error();
  if (!*moved) return not_pending(approval);
  return {};
}

/// Votes on the approval `id`. An approver who was shown a request approves only that one.
Result<Approval> vote_on(sqlite::Database& database, const OperatorKeys& keys, std::string_view id, ApprovalVote vote,
                         const Approval* shown = nullptr) {
  sqlite::Transaction transaction(database);
  if (auto begun = transaction.begin(); !begun.ok()) return begun.error();
  auto approval = find(database, keys, id, vote.time_ns);
  if (!approval.ok()) return approval.error();
  const bool same = shown == nullptr || shown->content == approval->content;
  if (vote.approve && (approval->altered || !same)) return altered(approval->id);
  auto checked = check_vote(*approval, std::move(vote));
  if (!checked.ok()) return checked.error();
  if (auto cast = cast_vote(database, keys, *approval, *checked); !cast.ok()) return cast.error();
  auto after = one(database, keys, approval->id, checked->time_ns);
  if (auto committed = transaction.commit(); !committed.ok()) return committed.error();
  return after;
}

/// Stores the state of requests that have expired, so that a new request with the same binding can
/// be made.
Result<void> expire(sqlite::Database& database, const ApprovalRequest& request) {
  auto statement =
      database.prepare("UPDATE approvals SET state = 3 WHERE binding = ?1 AND state IN (0, 1) AND expires <= ?2");
  if (!statement.ok()) return statement.error();
  statement->bind_blob(1, request.binding.data(), request.binding.size()).bind(2, request.now_ns);
  if (statement->step() != Statement::Step::done) return database.error();
  return {};
}

/// Uses an approval. This one statement does it, so exactly one caller sees it change a row.
Result<bool> consume(sqlite::Database& database, const ApprovalRequest& request, std::string_view id) {
  auto statement = database.prepare(
      "UPDATE approvals SET state = 4, consumed = ?1, consumed_by = ?2 WHERE id = ?3 AND state = 1 AND expires > ?1");
  if (!statement.ok()) return statement.error();
  statement->bind(1, request.now_ns).bind_text(2, request.action).bind_text(3, id);
  if (statement->step() != Statement::Step::done) return database.error();
  return database.changes() == 1;
}

/// An approved row is used only if it shows the call that it is bound to and, where there are keys,
/// if the votes that its rules need are signed by one of them. An attacker who writes a row into the
/// file cannot forge the latter.
Result<void> check_approved(const OperatorKeys& keys, const Approval& approval, const ApprovalRequest& request) {
  bool same = approval.capability == request.capability && approval.input == request.input &&
              approval.resource == request.resource && approval.agent == request.agent &&
              approval.principal == request.principal && approval.tenant == request.tenant &&
              approval.environment == request.environment && approval.asking == request.asking;
  if (!same) {
    return Error{"bad_signature", fmt::format("approval {} shows another call than it is bound to", approval.id)};
  }
  if (approval.satisfied()) return {};
  if (!keys.empty()) {
    return Error{"bad_signature", fmt::format("approval {} is not signed by an operator's key", approval.id)};
  }
  return Error{"approval_altered", fmt::format("approval {} lacks a vote that its rules need", approval.id)};
}

Result<ApprovalStore::Claimed> claim_in(sqlite::Database& database, const OperatorKeys& keys,
                                        CheckedSignatures& checked, const std::map<std::string, int64_t>& served,
                                        const ApprovalRequest& request) {
  using Claim = ApprovalStore::Claim;
  if (auto done = expire(database, request); !done.ok()) return done.error();
  std::string_view binding(reinterpret_cast<const char*>(request.binding.data()), request.binding.size());
  // Read the newest request that still matters: one that is open, or a rejection that has not
  // expired.
  auto found = read_approvals(
      database, keys,
      "WHERE binding = CAST(?1 AS BLOB) AND state IN (0, 1, 2) ORDER BY created DESC, rowid DESC LIMIT 1", {binding},
      request.now_ns);
  if (!found.ok()) return found.error();
  bool rejected =
      !found->empty() && found->front().state == ApprovalState::rejected && found->front().expires_ns > request.now_ns;
  if (rejected) return ApprovalStore::Claimed{Claim::rejected, std::move(found->front())};
  auto grant = covering_grant(database, keys, checked, request);
  if (!grant.ok()) return grant.error();
  if (*grant) return ApprovalStore::Claimed{Claim::granted, {}, std::move(**grant)};
  if (!found->empty()) {
    Approval& approval = found->front();
    if (approval.altered) return altered(approval.id);
    if (approval.state == ApprovalState::pending) return ApprovalStore::Claimed{Claim::pending, std::move(approval)};
    if (approval.state == ApprovalState::approved) {
      if (served.contains(approval.id)) {
        return Error{"bad_signature", fmt::format("approval {} was already used, and its row was reset", approval.id)};
      }
      if (auto checked = check_approved(keys, approval, request); !checked.ok()) return checked.error();
      auto used = consume(database, request, approval.id);
      if (!used.ok()) return used.error();
      if (!*used) return Error{"database_error", fmt::format("approval {} could not be consumed", approval.id)};
      approval.state = ApprovalState::consumed;
      return ApprovalStore::Claimed{Claim::consumed, std::move(approval)};
    }
  }
  auto id = insert_approval(database, request);
  if (!id.ok()) return id.error();
  auto made = one(database, keys, *id, request.now_ns);
  if (!made.ok()) return made.error();
  return ApprovalStore::Claimed{Claim::pending, std::move(*made)};
}

}  // namespace

bool detail::id_prefix(std::string_view id) {
  bool hex = std::all_of(id.begin(), id.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return hex && id.size() >= kMinIdPrefix && id.size() <= kIdDigits;
}

ApprovalStore::ApprovalStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApprovalStore::ApprovalStore(ApprovalStore&&) noexcept = default;
ApprovalStore& ApprovalStore::operator=(ApprovalStore&&) noexcept = default;
ApprovalStore::~ApprovalStore() {
  // The connection of a parent process must not be closed by its child.
  if (impl_ != nullptr && impl_->process.is_child()) (void)impl_.release();
}

Result<ApprovalStore> ApprovalStore::open(const std::string& directory, OpenMode mode, OperatorKeys keys) {
  using sqlite::Database;
  const bool creates = mode == OpenMode::read_write;
  std::string path = directory.empty() ? ":memory:" : sqlite::path_in(directory, kFile);
  if (!directory.empty() && creates) {
    if (auto made = sqlite::make_directory(directory); !made.ok()) return made.error();
  }
  if (!directory.empty() && !creates && !sqlite::file_exists(path)) {
    return Error{
        "no_database",
        fmt::format("{} does not exist: no runtime has opened this directory yet. Start the host, `ordain serve` "
                    "or `ordain mcp` with this database directory first, or name the directory that it uses",
                    path)};
  }
  const bool reads = mode == OpenMode::read_only && !directory.empty();
  auto how = reads ? Database::Open::read_only : Database::Open::read_write;
  auto database = Database::open(path, how, std::chrono::seconds(5));
  if (!database.ok()) return database.error();
  auto impl = std::make_unique<Impl>();
  impl->keys = std::move(keys);
  const sqlite::FileFormat format{kApplication, kApprovalsVersion, std::string(kSchema) + kGrantSchema};
  auto earlier = holds_earlier_approvals(*database);
  if (!earlier.ok()) return earlier.error();
  if (*earlier && reads) {
    auto copy = copy_earlier_approvals(*database, format);
    if (!copy.ok()) return copy.error();
    impl->database = std::move(*copy);
    return ApprovalStore(std::move(impl));
  }
  if (*earlier) {
    if (auto upgraded = upgrade_earlier_approvals(*database, format); !upgraded.ok()) return upgraded.error();
  }
  auto ready = reads ? database->check_file(format) : database->prepare_file(format, "", true);
  if (!ready.ok()) return ready.error();
  impl->database = std::move(*database);
  return ApprovalStore(std::move(impl));
}

Result<std::vector<Approval>> ApprovalStore::list(std::optional<ApprovalState> state, int64_t now_ns) const {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  // Rows of other states are never pending, and there may be many of them.
  const char* rows =
      state == ApprovalState::pending ? "WHERE state <= 0 ORDER BY created, rowid" : "ORDER BY created, rowid";
  auto all = read_approvals(impl_->database, impl_->keys, rows, {}, now_ns);
  if (all.ok() && state) std::erase_if(*all, [&](const Approval& approval) { return approval.state != *state; });
  return all;
}

Result<std::vector<Approval>> ApprovalStore::unfinished() const {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  return read_approvals(impl_->database, impl_->keys, "WHERE state = 4 AND outcome = '' ORDER BY created, rowid", {},
                        0);
}

Result<Approval> ApprovalStore::show(std::string_view id, int64_t now_ns) const {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  return find(impl_->database, impl_->keys, id, now_ns);
}

Result<Approval> ApprovalStore::approve(std::string_view id, std::string_view approver, std::string_view group,
                                        std::string_view note, int64_t now_ns) {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  return vote_on(impl_->database, impl_->keys, id,
                 {std::string(group), std::string(approver), std::string(note), true, now_ns});
}

Result<Approval> ApprovalStore::approve(const Approval& shown, std::string_view approver, std::string_view group,
                                        std::string_view note, int64_t now_ns) {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  return vote_on(impl_->database, impl_->keys, shown.id,
                 {std::string(group), std::string(approver), std::string(note), true, now_ns}, &shown);
}

Result<Approval> ApprovalStore::reject(std::string_view id, std::string_view approver, std::string_view group,
                                       std::string_view note, int64_t now_ns) {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  return vote_on(impl_->database, impl_->keys, id,
                 {std::string(group), std::string(approver), std::string(note), false, now_ns});
}

Result<ApprovalStore::Claimed> ApprovalStore::claim(const ApprovalRequest& request) {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  sqlite::Transaction transaction(impl_->database);
  if (auto begun = transaction.begin(); !begun.ok()) return begun.error();
  auto claimed = claim_in(impl_->database, impl_->keys, impl_->checked, impl_->served, request);
  if (!claimed.ok()) return claimed;
  if (auto committed = transaction.commit(); !committed.ok()) return committed.error();
  if (claimed->claim == Claim::consumed) {
    std::erase_if(impl_->served, [&](const auto& one) { return one.second <= request.now_ns; });
    impl_->served.emplace(claimed->approval.id, claimed->approval.expires_ns);
  }
  return claimed;
}

Result<void> ApprovalStore::finish(std::string_view id, std::string_view outcome) {
  auto lock = impl_->enter();
  if (!lock.ok()) return lock.error();
  auto statement =
      impl_->database.prepare("UPDATE approvals SET outcome = ?1 WHERE id = ?2 AND state = 4 AND outcome = ''");
  if (!statement.ok()) return statement.error();
  statement->bind_text(1, outcome).bind_text(2, id);
  if (statement->step() != Statement::Step::done) return impl_->database.error();
  return {};
}

}  // namespace ordain
