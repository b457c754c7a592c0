// AuditWriter has a queue that is swapped as a whole, a thread that commits it, and a latch that
// closes the log when a commit fails.
#include "runtime/audit/writer.h"

#include <algorithm>
#include <new>
#include <utility>

#include "ordain/time_text.h"
#include "vm/value/start_thread.h"

namespace ordain::detail {
namespace {

/// A `lost` record names at most this many actions; they are still counted beyond it.
constexpr size_t kMaxNamedLost = 65536;

std::string lost_record(const std::vector<Id128>& actions, const Error& error) {
  RecordDraft draft;
  draft.kind = RecordKind::lost;
  draft.time_ns = system_time_ns();
  draft.cause = error.code;
  draft.error = error.message;
  draft.lost = actions;
  std::string buffer;
  return std::string(encode_record(draft, buffer));
}

}  // namespace

void CloseWriter::operator()(AuditWriter* writer) const {
  if (!writer->process_.is_child()) delete writer;
}

Result<OwnedWriter> AuditWriter::open(const std::string& directory, const AuditOptions& options) {
  auto chain = AuditChain::open(directory, options);
  if (!chain.ok()) return chain.error();
  OwnedWriter out(new AuditWriter(std::move(*chain), options));
  if (!vm::start_thread(&out->thread_, [writer = out.get()] { writer->work(); })) {
    return Error{"no_thread", "the thread that writes the audit log could not be started"};
  }
  return out;
}

AuditWriter::AuditWriter(AuditChain chain, AuditOptions options)
    : chain_(std::move(chain)), options_(std::move(options)), recorded_(chain_.recorded()) {}

AuditWriter::~AuditWriter() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (indexer_.joinable()) indexer_.join();
}

bool AuditWriter::has_room(size_t bytes, size_t records) const {
  if (queue_.empty() && reserved_ == 0) return true;
  return queue_.size() + reserved_ + records <= options_.queue_records &&
         (queue_.empty() || queue_.bytes.size() + bytes <= options_.queue_bytes);
}

Admission AuditWriter::append(std::string_view body, const Id128& action, RecordRole role, Ticket* ticket,
                              const ApprovalUse* use) {
  if (process_.is_child()) return Admission::unavailable;
  std::unique_lock lock(mutex_);
  if (role != RecordRole::outcome) {
    size_t records = role == RecordRole::intent ? 2 : 1;
    auto ready = [&] { return failure_.has_value() || has_room(body.size(), records); };
    if (!ready()) {
      work_.notify_one();
      if (!room_.wait_for(lock, options_.queue_wait, ready)) return Admission::full;
    }
    if (failure_) return Admission::unavailable;
  }
  bool wake = queue_.empty() || queue_.size() == options_.queue_records / 2;
  if (ticket != nullptr) *ticket = {queue_state_, queue_.size()};
  if (use != nullptr) queue_.uses.emplace_back(queue_.size(), *use);
  try {
    queue_.add(body, action);
  } catch (...) {  // the next record is not the one that uses the approval
    if (use != nullptr) queue_.uses.pop_back();
    throw;
  }
  if (role == RecordRole::intent) ++reserved_;
  if (role == RecordRole::outcome) --reserved_;
  ++taken_;
  lock.unlock();
  if (wake) work_.notify_one();
  return Admission::taken;
}

void AuditWriter::release() {
  if (process_.is_child()) return;
  std::lock_guard lock(mutex_);
  --reserved_;
  room_.notify_all();
}

Written AuditWriter::wait(const Ticket& ticket) {
  if (process_.is_child()) return Written::no;
  std::unique_lock lock(mutex_);
  ++waiters_;
  work_.notify_one();
  done_.wait(lock, [&] { return ticket.batch->settled || failure_.has_value(); });
  --waiters_;
  if (!ticket.batch->settled || !ticket.batch->committed) return Written::no;
  const auto& refused = ticket.batch->refused;
  return std::find(refused.begin(), refused.end(), ticket.at) == refused.end() ? Written::yes : Written::refused;
}

bool AuditWriter::flush() {
  if (process_.is_child()) return false;
  std::unique_lock lock(mutex_);
  uint64_t upto = taken_, lost = lost_;
  ++waiters_;
  work_.notify_one();
  done_.wait(lock, [&] { return settled_ >= upto || failure_.has_value(); });
  --waiters_;
  return !failure_ && lost_ == lost;
}

AuditWriter::Health AuditWriter::health() const {
  if (process_.is_child()) return {false, "the log was opened before this process was forked", 0, 0, 0, ""};
  std::lock_guard lock(mutex_);
  Health out{!failure_.has_value(), "", written_, lost_, queue_.size(), checkpoint_error_};
  if (failure_) out.error = failure_->message;
  return out;
}

// Runs until the log is closed. Where there is no memory, the records at hand are given up, as after
// a commit that failed, and the log is latched until it recovers.
void AuditWriter::work() noexcept {
  for (;;) {
    try {
      if (spare_state_ == nullptr) spare_state_ = std::make_shared<BatchState>();
      return run();
    } catch (const std::bad_alloc&) {
      if (!give_up_batch()) return;
    }
  }
}

// Needs no memory. @returns false if the log is being closed.
bool AuditWriter::give_up_batch() noexcept {
  const std::lock_guard lock(mutex_);
  const size_t records = queue_.size() + writing_.size();
  failure_ = Error{"no_memory", "out of memory"};  // short enough to need none
  settled_ = taken_;                               // some may have been counted before the memory ran out
  lost_ += std::max<size_t>(records, 1);
  queue_.clear();
  writing_.clear();
  queue_state_->settled = true;  // and not committed
  if (spare_state_ != nullptr) queue_state_ = std::move(spare_state_);
  done_.notify_all();
  room_.notify_all();
  return !stop_;
}

Result<void> AuditWriter::append_batch(const RecordBatch& batch, std::string_view first) {
  try {
    return chain_.append(batch, first);
  } catch (const std::bad_alloc&) {
    return Error{"no_memory", "out of memory"};
  }
}

void AuditWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (failure_) {
      bool last = work_.wait_for(lock, options_.retry, [&] { return stop_; });
      recover(lock);
      if (!last || !failure_) continue;
      // The log is closed without having recovered: the records that came meanwhile are lost too.
      Error error = *failure_;
      std::vector<Id128> actions = std::move(queue_.actions);
      queue_.clear();
      lost_ += actions.size();
      report(lock, actions, error);
      return;
    }
    if (!idle(lock)) return;
    if (queue_.empty()) continue;
    auto hurry = [&] { return stop_ || waiters_ > 0 || queue_.size() >= options_.queue_records / 2; };
    if (!hurry()) work_.wait_for(lock, options_.linger, hurry);
    write_queue(lock);
  }
}

/// Waits for records, and signs checkpoints when they are due. @returns false when all is written
/// and signed.
bool AuditWriter::idle(std::unique_lock<std::mutex>& lock) {
  auto ready = [&] { return stop_ || !queue_.empty(); };
  auto due = chain_.checkpoint_due();
  if (!due) {
    work_.wait(lock, ready);
  } else if (!work_.wait_until(lock, std::max(*due, no_checkpoint_before_), ready)) {
    sign(lock);
    return true;
  }
  if (!queue_.empty()) return true;
  if (due) sign(lock);
  return !queue_.empty();
}

void AuditWriter::sign(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  Result<void> result = chain_.checkpoint();
  lock.lock();
  if (!result.ok()) no_checkpoint_before_ = std::chrono::steady_clock::now() + options_.retry;
  checkpoint_error_ = result.ok() ? chain_.checkpoint_error() : result.error().message;
}

/// Indexes a sealed segment on a second thread while writing goes on. If that fails, `ordain audit
/// rotate` makes up for it.
void AuditWriter::index_sealed() {
  std::string path = chain_.take_sealed();
  if (path.empty()) return;
  if (indexer_.joinable()) indexer_.join();
  (void)vm::start_thread(&indexer_, [path] {
    try {
      (void)index_segment(path);
    } catch (const std::bad_alloc&) {
    }
  });
}

void AuditWriter::write_queue(std::unique_lock<std::mutex>& lock) {
  auto next = std::make_shared<BatchState>();  // before the queue is touched
  std::swap(queue_, writing_);
  auto state = std::exchange(queue_state_, std::move(next));
  lock.unlock();
  room_.notify_all();
  Result<void> result = append_batch(writing_);
  index_sealed();
  lock.lock();
  checkpoint_error_ = chain_.checkpoint_error();
  recorded_.store(chain_.recorded(), std::memory_order_relaxed);
  state->refused = chain_.take_refused();
  written_ -= result.ok() ? state->refused.size() : 0;
  settle(result.ok(), state, writing_.size());
  if (!result.ok()) latch(lock, result.error());
  writing_.clear();
}

void AuditWriter::settle(bool committed, const std::shared_ptr<BatchState>& state, size_t records) {
  state->settled = true;
  state->committed = committed;
  settled_ += records;
  if (committed) written_ += records;
  done_.notify_all();
}

/// Gives up the batch and the records queued behind it: their callers were promised that the
/// records follow in this order.
void AuditWriter::latch(std::unique_lock<std::mutex>& lock, const Error& error) {
  failure_ = error;
  std::vector<Id128> actions = writing_.actions;
  actions.insert(actions.end(), queue_.actions.begin(), queue_.actions.end());
  auto state = std::exchange(queue_state_, std::make_shared<BatchState>());
  settle(false, state, queue_.size());
  queue_.clear();
  lost_ += actions.size();
  size_t named = std::min(actions.size(), kMaxNamedLost - std::min(kMaxNamedLost, unreported_.size()));
  unreported_.insert(unreported_.end(), actions.begin(), actions.begin() + static_cast<ptrdiff_t>(named));
  room_.notify_all();
  report(lock, actions, error);
}

void AuditWriter::report(std::unique_lock<std::mutex>& lock, const std::vector<Id128>& actions, const Error& error) {
  if (!options_.on_lost || actions.empty()) return;
  std::vector<std::string> names;
  for (const Id128& id : actions) names.push_back(id.hex());
  lock.unlock();
  try {
    options_.on_lost(names, error);
  } catch (...) {  // an exception from the host's telemetry must not stop the log
  }
  lock.lock();
}

/// Writes a record of the lost actions and the outcomes that came meanwhile. If that works, the log
/// is available again.
void AuditWriter::recover(std::unique_lock<std::mutex>& lock) {
  std::string first = lost_record(unreported_, *failure_);
  auto next = std::make_shared<BatchState>();
  std::swap(queue_, writing_);
  auto state = std::exchange(queue_state_, std::move(next));
  lock.unlock();
  Result<void> result = append_batch(writing_, first);
  lock.lock();
  if (!result.ok()) {
    for (size_t i = 0; i < queue_.size(); ++i) writing_.add(queue_.body(i), queue_.actions[i]);
    std::swap(queue_, writing_);
    writing_.clear();
    // Callers waiting for these records learn that they are not committed; the records stay queued
    // all the same.
    for (auto* pending : {&state, &queue_state_}) (*pending)->settled = true;
    queue_state_ = std::make_shared<BatchState>();
    done_.notify_all();
    return;
  }
  failure_.reset();
  unreported_.clear();
  ++written_;
  settle(true, state, writing_.size());
  writing_.clear();
}

}  // namespace ordain::detail
