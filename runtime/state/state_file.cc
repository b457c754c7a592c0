// state_file.cc reads and writes state.db.
#include "runtime/state/state_file.h"

#include <fmt/format.h>

#include <optional>

#include "runtime/state/snapshot.h"

namespace ordain::state {
namespace {

using Step = sqlite::Statement::Step;

constexpr const char* kStateFile = "state.db";
constexpr int32_t kStateApplication = 0x4F725374;  // "OrSt"
constexpr size_t kPartBytes = 1 << 20;

constexpr const char* kStateTables =
    "CREATE TABLE head (number INTEGER PRIMARY KEY, base INTEGER NOT NULL);"
    "CREATE TABLE snapshot (part INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE ops (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL);";

}  // namespace

Error StateFile::damaged(const char* why) const { return Error{"bad_state", fmt::format("{}: {}", path_, why)}; }

Result<StateFile> StateFile::open(const std::string& directory, bool full, std::chrono::milliseconds busy_wait) {
  if (auto made = sqlite::make_directory(directory); !made.ok()) return made.error();
  StateFile out;
  out.path_ = sqlite::path_in(directory, kStateFile);
  auto database = sqlite::Database::open(out.path_, sqlite::Database::Open::read_write, busy_wait);
  if (!database.ok()) return database.error();
  out.database_ = std::make_unique<sqlite::Database>(std::move(*database));
  const sqlite::FileFormat format{kStateApplication, kStateVersion, kStateTables};
  if (auto ready = out.database_->prepare_file(format, "INSERT INTO head VALUES (1, 0);", full); !ready.ok())
    return ready.error();
  if (auto prepared = out.prepare(); !prepared.ok()) return prepared.error();
  return out;
}

Result<void> StateFile::prepare() {
  auto base = database_->prepare("SELECT base FROM head");
  if (!base.ok()) return base.error();
  select_base_ = std::move(*base);
  auto ops = database_->prepare("SELECT sequence, body FROM ops WHERE sequence >= ?1 ORDER BY sequence");
  if (!ops.ok()) return ops.error();
  select_ops_ = std::move(*ops);
  auto insert = database_->prepare("INSERT INTO ops (sequence, body) VALUES (?1, ?2)");
  if (!insert.ok()) return insert.error();
  insert_op_ = std::move(*insert);
  return {};
}

Result<void> StateFile::begin() {
  transaction_ = std::make_unique<sqlite::Transaction>(*database_);
  auto begun = transaction_->begin();
  if (!begun.ok()) transaction_.reset();
  return begun;
}

Result<void> StateFile::commit() {
  auto committed = transaction_->commit();
  transaction_.reset();
  return committed;
}

void StateFile::roll_back() { transaction_.reset(); }

Result<uint64_t> StateFile::read_base() {
  const Step step = select_base_.step();
  const bool readable = step == Step::row && select_base_.is_integer(0) && select_base_.integer(0) >= 0;
  const auto base = readable ? static_cast<uint64_t>(select_base_.integer(0)) : 0;
  const Error failure = step == Step::failed ? database_->error() : damaged("its head is missing or makes no sense");
  select_base_.reset();
  if (!readable) return failure;
  return base;
}

Result<Ledger> StateFile::read_snapshot(uint64_t base, const Limits& limits) {
  auto select = database_->prepare("SELECT part, body FROM snapshot ORDER BY part");
  if (!select.ok()) return select.error();
  std::string bytes;
  int64_t parts = 0;
  Step step = select->step();
  for (; step == Step::row; step = select->step()) {
    if (!select->is_blob(1) || select->integer(0) != ++parts) return damaged("a part of its snapshot is missing");
    bytes.append(select->blob(1));
  }
  if (step == Step::failed) return database_->error();
  auto ledger = load_ledger(bytes, limits);
  if (!ledger.ok()) return damaged(ledger.error().message.c_str());
  if (ledger->sequence != base) return damaged("its snapshot is not the one that its head names");
  return ledger;
}

/// Also reads the ledger's last op again: if that is missing, the file is an older copy.
Result<void> StateFile::read_ops(Ledger& ledger) {
  const bool overlap = ledger.sequence > base_;
  select_ops_.bind(1, static_cast<int64_t>(overlap ? ledger.sequence : ledger.sequence + 1));
  bool found_last = !overlap;
  std::optional<Error> failure;
  Step step = select_ops_.step();
  for (; step == Step::row && !failure; step = failure ? step : select_ops_.step()) {
    const auto sequence = static_cast<uint64_t>(select_ops_.integer(0));
    if (!found_last && sequence == ledger.sequence) {
      found_last = true;
      continue;
    }
    Op op;
    const bool read = select_ops_.is_blob(1) && decode_op(select_ops_.blob(1), &op) && op.sequence == sequence;
    if (!found_last || !read) {
      failure = damaged(found_last ? "an op makes no sense" : "ops that this process has seen are missing");
    } else if (auto applied = apply_op(ledger, op); !applied.ok()) {
      failure = damaged(applied.error().message.c_str());
    }
  }
  if (step == Step::failed && !failure) failure = database_->error();
  if (!found_last && !failure) failure = damaged("ops that this process has seen are missing");
  select_ops_.reset();
  if (failure) return *failure;
  return {};
}

Result<void> StateFile::catch_up(Ledger& ledger, bool reload) {
  auto base = read_base();
  if (!base.ok()) return base.error();
  base_ = *base;
  if (reload || base_ > ledger.sequence) {
    Ledger fresh;
    fresh.limits = ledger.limits;
    if (base_ != 0) {
      auto read = read_snapshot(base_, ledger.limits);
      if (!read.ok()) return read.error();
      fresh = std::move(*read);
    }
    ledger = std::move(fresh);
  }
  return read_ops(ledger);
}

Result<void> StateFile::append(uint64_t sequence, std::string_view op) {
  insert_op_.bind(1, static_cast<int64_t>(sequence)).bind_blob(2, op.data(), op.size());
  return database_->write_row(insert_op_);
}

Result<void> StateFile::run(sqlite::Statement& statement) {
  const bool done = statement.step() == Step::done;
  const Error failure = done ? Error{} : database_->error();
  statement.reset();
  if (!done) return failure;
  return {};
}

Result<void> StateFile::write_parts(std::string_view snapshot) {
  auto insert = database_->prepare("INSERT INTO snapshot (part, body) VALUES (?1, ?2)");
  if (!insert.ok()) return insert.error();
  int64_t part = 0;
  while (!snapshot.empty()) {
    const std::string_view body = snapshot.substr(0, kPartBytes);
    insert->bind(1, ++part).bind_blob(2, body.data(), body.size());
    if (auto written = database_->write_row(*insert); !written.ok()) return written;
    snapshot.remove_prefix(body.size());
  }
  return {};
}

Result<bool> StateFile::compact(Ledger& ledger, uint64_t ops) {
  if (ledger.sequence - base_ < ops) return false;
  const std::string snapshot = save_ledger(ledger);
  for (const char* sql : {"DELETE FROM snapshot", "DELETE FROM ops"}) {
    auto remove = database_->prepare(sql);
    if (!remove.ok()) return remove.error();
    if (auto removed = run(*remove); !removed.ok()) return removed.error();
  }
  if (auto written = write_parts(snapshot); !written.ok()) return written.error();
  auto update = database_->prepare("UPDATE head SET base = ?1");
  if (!update.ok()) return update.error();
  update->bind(1, static_cast<int64_t>(ledger.sequence));
  if (auto written = database_->write_row(*update); !written.ok()) return written.error();
  return true;
}

}  // namespace ordain::state
