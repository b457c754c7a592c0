// AuditChain: ids without gaps across all processes, sequence and hash within this one's chain.
#include "runtime/audit_chain.h"

#include <fmt/format.h>

#include <algorithm>

namespace ordain::detail {

void RecordBatch::add(std::string_view body, const Id128& action) {
  bytes.append(body);
  ends.push_back(bytes.size());
  actions.push_back(action);
}

void RecordBatch::clear() {
  constexpr size_t kKeep = 8 << 20;  // a burst of large records must not be kept for ever
  bytes.clear();
  if (bytes.capacity() > kKeep) bytes.shrink_to_fit();
  ends.clear();
  actions.clear();
}

std::string_view RecordBatch::body(size_t at) const {
  size_t begin = at == 0 ? 0 : ends[at - 1];
  return std::string_view(bytes).substr(begin, ends[at] - begin);
}

Result<AuditChain> AuditChain::open(const std::string& directory, const AuditOptions& options) {
  using sqlite::Database;
  AuditChain chain;
  auto database = Database::open(sqlite::path_in(directory, kAuditFile), Database::Open::read_write, options.busy_wait);
  if (!database.ok()) return database.error();
  chain.database_ = std::move(*database);
  bool full = options.durability != Durability::async;
  if (auto ready = chain.database_.prepare_file(kAuditApplication, kAuditVersion, kAuditSchema, full); !ready.ok()) {
    return ready.error();
  }
  struct Named {
    sqlite::Statement* statement;
    const char* sql;
  };
  const Named statements[] = {
      {&chain.last_, "SELECT id, hash FROM records ORDER BY id DESC LIMIT 1"},
      {&chain.own_, "SELECT hash FROM records WHERE id = ? AND chain = ? AND sequence = ?"},
      {&chain.tail_, "SELECT id, sequence, hash FROM records WHERE id > ? AND chain = ? ORDER BY id DESC LIMIT 1"},
      {&chain.insert_, "INSERT INTO records (id, chain, sequence, body, hash) VALUES (?, ?, ?, ?, ?)"},
  };
  for (const Named& named : statements) {
    auto prepared = chain.database_.prepare(named.sql);
    if (!prepared.ok()) return prepared.error();
    *named.statement = std::move(*prepared);
  }
  chain.hasher_ = std::make_unique<Sha256>();
  chain.chain_ = Id128::random();
  return chain;
}

Result<void> AuditChain::append(const RecordBatch& batch, std::string_view first) {
  auto before = std::tuple(own_id_, sequence_, head_);
  Result<void> result;
  bool committing = false;
  {
    sqlite::Transaction transaction(database_);
    result = transaction.begin();
    if (result.ok()) result = read_head();
    if (result.ok()) before = std::tuple(own_id_, sequence_, head_);
    if (result.ok() && !first.empty()) result = insert(first);
    for (size_t i = 0; result.ok() && i < batch.size(); ++i) result = insert(batch.body(i));
    if (result.ok()) {
      committing = true;
      result = transaction.commit();
    }
  }
  if (result.ok()) {
    unsure_ = false;
    return result;
  }
  unsure_ = unsure_ || committing;
  std::tie(own_id_, sequence_, head_) = before;
  return result;
}

/// Where the next record goes. The first record of a chain continues from the last of the whole log, whoever wrote it.
Result<void> AuditChain::read_head() {
  uint64_t last_id = 0;
  Sha256::Hash last_hash{};
  auto step = last_.step();
  if (step == sqlite::Statement::Step::failed) {
    Error error = database_.error();
    last_.reset();
    return error;
  }
  if (step == sqlite::Statement::Step::row) {
    last_id = static_cast<uint64_t>(last_.integer(0));
    auto hash = last_.blob(1);
    if (hash.size() == last_hash.size()) std::copy(hash.begin(), hash.end(), last_hash.begin());
  }
  last_.reset();
  next_id_ = last_id + 1;
  if (unsure_) {
    if (auto found = find_own_tail(); !found.ok()) return found;
  }
  if (sequence_ == 0) {
    head_ = last_hash;
    return {};
  }
  own_.bind(1, static_cast<int64_t>(own_id_)).bind_blob(2, chain_.bytes.data(), chain_.bytes.size());
  own_.bind(3, static_cast<int64_t>(sequence_));
  bool same = own_.step() == sqlite::Statement::Step::row &&
              own_.blob(0) == std::string_view(reinterpret_cast<const char*>(head_.data()), head_.size());
  own_.reset();
  if (!same)
    return Error{"audit_chain_broken",
                 fmt::format("record {}, written by this process, was changed or removed", own_id_)};
  return {};
}

/// After a commit whose result is not known: the chain goes on from what is there.
Result<void> AuditChain::find_own_tail() {
  tail_.bind(1, static_cast<int64_t>(own_id_)).bind_blob(2, chain_.bytes.data(), chain_.bytes.size());
  auto step = tail_.step();
  if (step == sqlite::Statement::Step::row && tail_.blob(2).size() == head_.size()) {
    own_id_ = static_cast<uint64_t>(tail_.integer(0));
    sequence_ = static_cast<uint64_t>(tail_.integer(1));
    auto hash = tail_.blob(2);
    std::copy(hash.begin(), hash.end(), head_.begin());
  }
  tail_.reset();
  if (step == sqlite::Statement::Step::failed) return database_.error();
  return {};
}

Result<void> AuditChain::insert(std::string_view body) {
  RecordPlace place{next_id_, chain_, sequence_ + 1};
  Sha256::Hash hash = chain_hash(*hasher_, head_, place, body);
  insert_.bind(1, static_cast<int64_t>(place.id)).bind_blob(2, chain_.bytes.data(), chain_.bytes.size());
  insert_.bind(3, static_cast<int64_t>(place.sequence)).bind_blob(4, body.data(), body.size());
  insert_.bind_blob(5, hash.data(), hash.size());
  bool inserted = insert_.step() == sqlite::Statement::Step::done;
  Error error = inserted ? Error{} : database_.error();
  insert_.reset();
  if (!inserted) return error;
  own_id_ = place.id;
  sequence_ = place.sequence;
  head_ = hash;
  ++next_id_;
  return {};
}

}  // namespace ordain::detail
