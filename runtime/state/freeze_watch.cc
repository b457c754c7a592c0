// freeze_watch.cc looks at frozen.json, and publishes what it says.
#include "runtime/state/freeze_watch.h"

#include <utility>

#include "vm/value/start_thread.h"

namespace ordain::state {
namespace {

/// Stands for what a file says that cannot be read: everything may be frozen.
Freeze freeze_for(const Error& error) {
  Freeze out;
  out.because = "what is frozen cannot be read: " + error.message;
  out.by = "ordain";
  return out;
}

}  // namespace

FreezeWatch::FreezeWatch(std::string directory) : directory_(std::move(directory)) {}

FreezeWatch::~FreezeWatch() {
  {
    const std::lock_guard lock(ending_mutex_);
    ends_ = true;
  }
  ending_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FreezeWatchDeleter::operator()(FreezeWatch* watch) const {
  if (!watch->process_.is_child()) delete watch;
}

Result<void> FreezeWatch::start() {
  if (directory_.empty()) return {};
  look();
  if (vm::start_thread(&thread_, [this] { keep_looking(); })) return {};
  return Error{"no_thread", "the thread that watches for freezes could not be started"};
}

void FreezeWatch::keep_looking() {
  std::unique_lock lock(ending_mutex_);
  while (!ending_.wait_for(lock, kFreezeLookEvery, [this] { return ends_; })) {
    lock.unlock();
    try {
      look();
    } catch (...) {  // out of memory: the next look may succeed
    }
    lock.lock();
  }
}

/// What was read stays in force until a file says otherwise: one that was deleted lifts nothing.
void FreezeWatch::look() {
  const std::lock_guard lock(look_mutex_);
  const auto mark = mark_of_freezes(directory_);
  if (mark.ok() && !*mark) return publish(read_);
  if (mark.ok() && seen_ == *mark) return publish(read_);
  auto read = mark.ok() ? read_freezes(directory_) : Result<List>(mark.error());
  if (!read.ok()) {
    List all = read_;
    all.push_back(freeze_for(read.error()));
    return publish(std::move(all));
  }
  read_ = std::move(*read);
  seen_ = *mark;
  publish(read_);
}

void FreezeWatch::publish(List list) {
  if (list.empty() && !any_.load(std::memory_order_relaxed)) return;
  auto next = std::make_shared<const List>(std::move(list));
  const std::lock_guard lock(list_mutex_);
  list_ = std::move(next);
  any_.store(!list_->empty(), std::memory_order_release);
}

/// A forked child must not wait for a lock that a thread of its parent held.
std::shared_ptr<const FreezeWatch::List> FreezeWatch::list() const {
  std::unique_lock lock(list_mutex_, std::defer_lock);
  if (!process_.is_child()) {
    lock.lock();
  } else if (!lock.try_lock()) {
    const Error forked{"forked", "the process was forked while it was read"};
    return std::make_shared<const List>(List{freeze_for(forked)});
  }
  return list_;
}

std::optional<Freeze> FreezeWatch::search(std::string_view capability, std::string_view agent) const {
  const std::shared_ptr<const List> all = list();
  for (const Freeze& freeze : *all) {
    if (freezes(freeze, capability, agent)) return freeze;
  }
  return std::nullopt;
}

std::vector<Freeze> FreezeWatch::all() const { return *list(); }

Result<void> FreezeWatch::change(const std::function<Result<void>(std::vector<Freeze>&)>& change) {
  if (!directory_.empty()) {
    auto changed = change_freezes(directory_, change);
    look();
    return changed;
  }
  const std::lock_guard lock(look_mutex_);
  List next = read_;
  if (auto changed = change(next); !changed.ok()) return changed;
  read_ = std::move(next);
  publish(read_);
  return {};
}

}  // namespace ordain::state
