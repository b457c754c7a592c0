// AuditChain appends records so that ids have no gaps across all processes. Sequence numbers and
// hashes run within the chain of one process, and one Merkle tree covers the records of all chains.
#include "runtime/audit/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <new>

#include "runtime/audit/checkpoint.h"

namespace ordain::detail {
namespace {

using Step = sqlite::Statement::Step;
constexpr auto kNow = [] { return std::chrono::steady_clock::now(); };

bool copy_hash(std::string_view bytes, Sha256::Hash* out) {
  if (bytes.size() != out->size()) return false;
  std::memcpy(out->data(), bytes.data(), bytes.size());
  return true;
}

Error broken(std::string message) { return Error{"audit_chain_broken", std::move(message)}; }

}  // namespace

void RecordBatch::add(std::string_view body, const Id128& action) {
  // Room is made first, so that a lack of memory cannot leave half of a record behind.
  const auto make_room = [](auto& items) {
    if (items.size() == items.capacity()) items.reserve(std::max<size_t>(16, items.size() * 2));
  };
  make_room(ends);
  make_room(actions);
  bytes.append(body);
  ends.push_back(bytes.size());
  actions.push_back(action);
  // The writer thread has read this memory before, so its lines are in that thread's cache: fetch
  // the next record's lines back ahead of time.
  constexpr size_t kLine = 64, kAhead = 9 * kLine;
  const size_t until = std::min(bytes.size() + kAhead, bytes.capacity());
  for (size_t at = bytes.size() + kLine; at < until; at += kLine) __builtin_prefetch(bytes.data() + at, 1);
}

void RecordBatch::clear() {
  constexpr size_t kKeep = 8 << 20;  // do not keep the memory of a burst of large records
  bytes.clear();
  if (bytes.capacity() > kKeep) bytes.shrink_to_fit();
  ends.clear();
  actions.clear();
  uses.clear();
}

std::string_view RecordBatch::body(size_t at) const {
  size_t begin = at == 0 ? 0 : ends[at - 1];
  return std::string_view(bytes).substr(begin, ends[at] - begin);
}

Result<AuditChain> AuditChain::open(const std::string& directory, const AuditOptions& options) {
  AuditChain chain;
  // The host may change its working directory while the log is open.
  std::error_code ignored;
  chain.directory_ = std::filesystem::absolute(directory, ignored).string();
  chain.options_ = options;
  if (!options.checkpoint_file.empty()) {
    chain.options_.checkpoint_file = std::filesystem::absolute(options.checkpoint_file, ignored).string();
  }
  chain.hasher_ = std::make_unique<Sha256>();
  auto segments = list_segments(directory);
  if (!segments.ok()) return segments.error();
  uint64_t number = segments->empty() ? 1 : segments->back().number;
  if (auto used = chain.use_segment(number, segments->empty()); !used.ok()) return used.error();
  if (auto covered = chain.checkpoint(); !covered.ok()) return covered.error();
  if (chain.last_.step() == Step::row) chain.state_.next_id = static_cast<uint64_t>(chain.last_.integer(0)) + 1;
  chain.last_.reset();
  return chain;
}

AuditChain::~AuditChain() = default;

/// Switches to a segment. Every segment begins new chains.
Result<void> AuditChain::use_segment(uint64_t number, bool create) {
  for (auto* old : {&last_, &own_, &tail_, &insert_, &sealed_now_, &covered_, &uncounted_, &sign_}) *old = {};
  std::string path = segment_path(directory_, number);
  if (!create && !sqlite::file_exists(path)) return broken(path + ": the segment is missing");
  bool full = options_.durability != Durability::async;
  auto database = create_segment(path, new_log(), full, options_.busy_wait);
  if (!database.ok()) return database.error();
  database_ = std::move(*database);
  auto head = read_segment_head(database_, path);
  if (!head.ok()) return head.error();
  segment_ = std::move(*head);
  struct Named {
    sqlite::Statement* statement;
    const char* sql;
  };
  const Named statements[] = {
      {&last_, "SELECT id, hash FROM records ORDER BY id DESC LIMIT 1"},
      {&own_, "SELECT hash FROM records WHERE id = ? AND chain = ? AND sequence = ?"},
      {&tail_, "SELECT id, sequence, hash FROM records WHERE id > ? AND chain = ? ORDER BY id DESC LIMIT 1"},
      {&insert_, "INSERT INTO records (id, chain, sequence, body, hash) VALUES (?, ?, ?, ?, ?)"},
      {&sealed_now_, "SELECT sealed FROM segment"},
      {&covered_, "SELECT size, frontier FROM checkpoints ORDER BY size DESC LIMIT 1"},
      {&uncounted_, "SELECT id, hash FROM records WHERE id > ? ORDER BY id"},
      {&sign_, "INSERT INTO checkpoints (size, note, frontier) VALUES (?, ?, ?)"},
  };
  for (const Named& named : statements) {
    auto prepared = database_.prepare(named.sql);
    if (!prepared.ok()) return prepared.error();
    *named.statement = std::move(*prepared);
  }
  chain_ = Id128::random();
  state_ = State{};
  state_.tree = segment_.base;
  state_.next_id = segment_.first;
  unsure_ = false;
  signed_at_ = kNow();
  return {};
}

Result<bool> AuditChain::sealed() {
  auto step = sealed_now_.step();
  bool yes = step == Step::row && sealed_now_.integer(0) != 0;
  Error error = step == Step::failed ? database_.error() : Error{};
  sealed_now_.reset();
  if (step == Step::failed) return error;
  if (step == Step::done) return broken("the segment's head was removed");
  return yes;
}

/// Reads the heads, then runs `body` in a write transaction of the newest segment: all or nothing.
template <typename Body>
Result<void> AuditChain::write(Body body) {
  for (;;) {
    auto placed = database_.check_place();
    if (!placed.ok()) {
      // A sealed segment may be removed; records go to the next.
      auto closed = sealed();
      if (!closed.ok() || !*closed) return placed;
    } else {
      sqlite::Transaction transaction(database_);
      if (auto begun = transaction.begin(); !begun.ok()) return begun;
      auto closed = sealed();
      if (!closed.ok()) return closed.error();
      if (!*closed) {
        State before = state_;
        bool committing = false;
        Result<void> result;
        try {
          result = read_head();
          if (result.ok()) before = state_;
          if (result.ok()) result = body();
        } catch (const std::bad_alloc&) {  // what was appended so far is rolled back, and so is our state
          result = Error{"no_memory", "out of memory"};
        }
        if (result.ok()) {
          committing = true;
          result = transaction.commit();
        }
        unsure_ = result.ok() ? false : unsure_ || committing;
        if (!result.ok()) state_ = std::move(before);
        if (result.ok()) publish();
        return result;
      }
    }
    if (auto moved = use_segment(segment_.number + 1, false); !moved.ok()) return moved;
  }
}

Result<void> AuditChain::append(const RecordBatch& batch, std::string_view first) {
  auto result = write([&]() -> Result<void> {
    if (!first.empty()) {
      if (auto inserted = insert(first); !inserted.ok()) return inserted;
    }
    if (auto inserted = insert_batch(batch); !inserted.ok()) return inserted;
    if (!options_.key) return {};
    bool due =
        state_.tree.size >= static_cast<uint64_t>(std::max<int64_t>(state_.covered, 0)) + options_.checkpoint_records ||
        kNow() - signed_at_ >= options_.checkpoint_every;
    return due ? add_checkpoint() : Result<void>();
  });
  if (!result.ok()) used_ = {};  // it may have read records that were rolled back
  bool full = options_.segment_records > 0 && state_.next_id - segment_.first >= options_.segment_records;
  // A failed rotation is tried again after the next batch; the records are safe in this segment.
  if (result.ok() && full) (void)rotate();
  return result;
}

/// Finds where the next record goes. The first record of a chain continues from the last record of
/// the whole log, whichever process wrote that.
Result<void> AuditChain::read_head() {
  uint64_t last_id = segment_.first - 1;
  state_.last = segment_.previous;
  auto step = last_.step();
  if (step == Step::row) {
    last_id = static_cast<uint64_t>(last_.integer(0));
    copy_hash(last_.blob(1), &state_.last);
  }
  Error error = step == Step::failed ? database_.error() : Error{};
  last_.reset();
  if (step == Step::failed) return error;
  state_.next_id = last_id + 1;
  state_.note.clear();
  if (unsure_) {
    if (auto found = find_own_tail(); !found.ok()) return found;
  }
  if (state_.sequence == 0) {
    state_.head = state_.last;
  } else {
    own_.bind(1, static_cast<int64_t>(state_.own_id)).bind_blob(2, chain_.bytes.data(), chain_.bytes.size());
    own_.bind(3, static_cast<int64_t>(state_.sequence));
    Sha256::Hash found{};
    bool same = own_.step() == Step::row && copy_hash(own_.blob(0), &found) && found == state_.head;
    own_.reset();
    if (!same) {
      return broken(fmt::format("record {}, written by this process, was changed or removed", state_.own_id));
    }
  }
  if (!options_.key) return {};
  if (auto covered = read_covered(); !covered.ok()) return covered;
  return catch_up();
}

/// Called after a commit whose outcome is unknown: continues the chain from what the file holds.
Result<void> AuditChain::find_own_tail() {
  tail_.bind(1, static_cast<int64_t>(state_.own_id)).bind_blob(2, chain_.bytes.data(), chain_.bytes.size());
  auto step = tail_.step();
  if (step == Step::row && copy_hash(tail_.blob(2), &state_.head)) {
    state_.own_id = static_cast<uint64_t>(tail_.integer(0));
    state_.sequence = static_cast<uint64_t>(tail_.integer(1));
  }
  Error error = step == Step::failed ? database_.error() : Error{};
  tail_.reset();
  if (step == Step::failed) return error;
  return {};
}

/// Reads how many records the last checkpoint covers. The tree's right edge is stored with it, so
/// those records need not be read again.
Result<void> AuditChain::read_covered() {
  auto step = covered_.step();
  Error error = step == Step::failed ? database_.error() : Error{};
  state_.covered = step == Step::row ? covered_.integer(0) : -1;
  if (step == Step::row && static_cast<uint64_t>(state_.covered) > state_.tree.size) {
    CompactTree tree;
    if (CompactTree::parse(static_cast<uint64_t>(state_.covered), covered_.blob(1), &tree)) state_.tree = tree;
  }
  covered_.reset();
  if (step == Step::failed) return error;
  return {};
}

/// Adds to the tree the records that other processes wrote.
Result<void> AuditChain::catch_up() {
  if (state_.tree.size >= state_.next_id) {
    return broken(fmt::format("record {}, which existed before, is missing", state_.next_id));
  }
  if (state_.tree.size + 1 == state_.next_id) return {};
  uncounted_.bind(1, static_cast<int64_t>(state_.tree.size));
  Result<void> result;
  Step step;
  while ((step = uncounted_.step()) == Step::row) {
    Sha256::Hash hash;
    if (static_cast<uint64_t>(uncounted_.integer(0)) != state_.tree.size + 1 || !copy_hash(uncounted_.blob(1), &hash)) {
      result = broken(fmt::format("record {} is missing or damaged", state_.tree.size + 1));
      break;
    }
    state_.tree.add(*hasher_, leaf_hash(*hasher_, hash));
  }
  if (step == Step::failed) result = database_.error();
  uncounted_.reset();
  return result;
}

Result<void> AuditChain::insert_batch(const RecordBatch& batch) {
  refused_.clear();
  auto use = batch.uses.begin();
  for (size_t i = 0; i < batch.size(); ++i) {
    if (use != batch.uses.end() && use->first == i && was_used((use++)->second)) {
      refused_.push_back(i);
      continue;
    }
    if (auto inserted = insert(batch.body(i)); !inserted.ok()) return inserted;
  }
  return {};
}

/// The transaction keeps all other processes from using the approval at the same time. If part of
/// the log cannot be read, the approval counts as used.
bool AuditChain::was_used(const ApprovalUse& use) {
  auto found = used_.contains(database_, segment_, directory_, use.approval, use.since);
  return !found.ok() || *found;
}

Result<void> AuditChain::insert(std::string_view body) {
  RecordPlace place{state_.next_id, chain_, state_.sequence + 1};
  Sha256::Hash hash = chain_hash(*hasher_, state_.head, place, body);
  insert_.bind(1, static_cast<int64_t>(place.id)).bind_blob(2, chain_.bytes.data(), chain_.bytes.size());
  insert_.bind(3, static_cast<int64_t>(place.sequence)).bind_blob(4, body.data(), body.size());
  insert_.bind_blob(5, hash.data(), hash.size());
  if (auto inserted = database_.write_row(insert_); !inserted.ok()) return inserted;
  state_.own_id = place.id;
  state_.sequence = place.sequence;
  state_.head = state_.last = hash;
  ++state_.next_id;
  if (options_.key) state_.tree.add(*hasher_, leaf_hash(*hasher_, hash));
  return {};
}

// --- checkpoints ---

Result<void> AuditChain::add_checkpoint() {
  if (state_.covered == static_cast<int64_t>(state_.tree.size)) return {};
  Checkpoint made{options_.key->public_key().name() + "/" + segment_.log.hex(), state_.tree.size,
                  state_.tree.root(*hasher_)};
  state_.note = sign_note(*options_.key, made.text());
  std::string frontier = state_.tree.frontier();
  sign_.bind(1, static_cast<int64_t>(made.size)).bind_text(2, state_.note);
  sign_.bind_blob(3, frontier.data(), frontier.size());
  if (auto inserted = database_.write_row(sign_); !inserted.ok()) return inserted;
  state_.covered = static_cast<int64_t>(made.size);
  signed_at_ = kNow();
  return {};
}

/// Appends the last committed checkpoint to the external checkpoint file. If that fails, the next
/// checkpoint is appended instead, which covers more records.
void AuditChain::publish() {
  if (!state_.note.empty()) unpublished_ = state_.note;
  if (unpublished_.empty() || options_.checkpoint_file.empty()) return;
  auto appended = append_note(options_.checkpoint_file, unpublished_);
  checkpoint_error_ = appended.ok() ? "" : appended.error().message;
  if (appended.ok()) unpublished_.clear();
}

std::optional<std::chrono::steady_clock::time_point> AuditChain::checkpoint_due() const {
  if (!options_.key || state_.covered == static_cast<int64_t>(state_.tree.size)) return std::nullopt;
  return signed_at_ + options_.checkpoint_every;
}

Result<void> AuditChain::checkpoint() {
  if (!options_.key) return {};
  return write([&] { return add_checkpoint(); });
}

// --- segments ---

Result<bool> AuditChain::rotate() {
  bool done = false;
  std::string path;
  auto result = write([&] {
    path = segment_path(directory_, segment_.number);
    return begin_next(&done);
  });
  if (!result.ok()) return result.error();
  if (!done) return false;
  sealed_ = path;
  if (auto moved = use_segment(segment_.number + 1, false); !moved.ok()) return moved.error();
  return true;
}

/// Creates the next segment, then marks this one as sealed in the current transaction. A process
/// that is stopped in between leaves an unused file, which the next rotation replaces.
Result<void> AuditChain::begin_next(bool* done) {
  if (state_.next_id == segment_.first) return {};
  if (auto counted = catch_up(); !counted.ok()) return counted;
  if (options_.key) {
    if (auto covered = add_checkpoint(); !covered.ok()) return covered;
  }
  SegmentHead next;
  next.number = segment_.number + 1;
  next.log = segment_.log;
  next.first = state_.next_id;
  next.previous = state_.last;
  next.base = state_.tree;
  auto select = database_.prepare("SELECT note FROM checkpoints WHERE size = ?");
  if (!select.ok()) return select.error();
  select->bind(1, static_cast<int64_t>(next.first - 1));
  if (select->step() == Step::row) next.checkpoint = select->text(0);
  select->reset();
  std::string path = segment_path(directory_, next.number);
  (void)sqlite::remove_database(path);  // what an attempt that was interrupted has left
  {
    auto made = create_segment(path, next, true, options_.busy_wait);
    if (!made.ok()) return made.error();
  }
  if (auto durable = sqlite::sync_directory(directory_); !durable.ok()) return durable;
  auto mark = database_.prepare("UPDATE segment SET sealed = 1");
  if (!mark.ok()) return mark.error();
  auto marked = database_.write_row(*mark);
  *done = marked.ok();
  return marked;
}

}  // namespace ordain::detail
