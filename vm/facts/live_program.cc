// Publishes programs by epoch: announcements of readers, the list of retired programs, and the
// thread that frees them.
#include "ordain/live_program.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <new>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "vm/value/start_thread.h"

namespace ordain {
namespace detail {

std::atomic<uint64_t> g_epoch{1};

namespace {

// All announcements ever made. They are never freed; there are as many as there were threads at the
// same time.
std::atomic<EpochReader*> g_readers{nullptr};

EpochReader* claim_reader() {
  for (EpochReader* at = g_readers.load(std::memory_order_acquire); at != nullptr; at = at->next) {
    bool free = false;
    if (at->taken.compare_exchange_strong(free, true, std::memory_order_acq_rel)) return at;
  }
  auto* made = new EpochReader;
  made->next = g_readers.load(std::memory_order_relaxed);
  while (!g_readers.compare_exchange_weak(made->next, made, std::memory_order_acq_rel)) {
  }
  return made;
}

thread_local EpochReader* t_reader = nullptr;

struct HandOn {
  ~HandOn() {
    if (t_reader == nullptr || t_reader->depth != 0) return;
    t_reader->taken.store(false, std::memory_order_release);
    t_reader = nullptr;
  }
};

// Returns the earliest epoch that a reader announces; UINT64_MAX if none does.
uint64_t oldest_reader() {
  uint64_t oldest = UINT64_MAX;
  for (EpochReader* at = g_readers.load(std::memory_order_seq_cst); at != nullptr; at = at->next) {
    const uint64_t epoch = at->epoch.load(std::memory_order_seq_cst);
    if (epoch != 0) oldest = std::min(oldest, epoch);
  }
  return oldest;
}

// All LiveContexts, so that contexts of retired programs can be released.
struct Contexts {
  std::mutex mutex;
  std::unordered_set<const LiveContext*> all;
};
Contexts& contexts() {
  static Contexts& made = *new Contexts;  // outlives every static LiveContext
  return made;
}

}  // namespace

EpochReader& epoch_reader() {
  if (t_reader == nullptr) {
    thread_local HandOn hand_on;
    (void)hand_on;
    t_reader = claim_reader();
  }
  return *t_reader;
}

}  // namespace detail

// Collects until nothing is left, then sleeps until another program is retired.
struct LiveProgram::Reclaimer {
  ~Reclaimer() {
    {
      std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_one();
    if (thread.joinable()) thread.join();
  }

  /// Starts the thread, unless it runs. @returns false if it cannot be started.
  bool start(LiveProgram& live) noexcept {
    return thread.joinable() || vm::start_thread(&thread, [this, &live] { run(live); });
  }

  void run(LiveProgram& live) {
    constexpr std::chrono::milliseconds kFirst{2}, kLast{1000};
    std::unique_lock lock(mutex);
    while (!stop) {
      wake.wait(lock, [&] { return stop || work; });
      for (auto pause = kFirst; !stop; pause = work ? kFirst : std::min(pause * 2, kLast)) {
        work = false;
        wake.wait_for(lock, pause, [&] { return stop; });
        if (stop) return;
        lock.unlock();
        size_t left = 1;
        try {
          left = live.collect();
        } catch (const std::bad_alloc&) {  // once more after the pause
        }
        lock.lock();
        if (left == 0 && !work) break;
      }
    }
  }

  void notify() {
    {
      std::lock_guard lock(mutex);
      work = true;
    }
    wake.notify_one();
  }

  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false, work = false;
  std::thread thread;  // last: it uses the rest
};

LiveProgram::LiveProgram(std::shared_ptr<const Program> first)
    : current_(new detail::PublishedProgram{std::move(first), 1}) {}

LiveProgram::~LiveProgram() {
  reclaimer_.reset();
  delete current_.load();
}

bool LiveProgram::publish(std::shared_ptr<const Program> next) {
  if (next == nullptr) return false;
  std::unique_lock lock(mutex_);
  if (reclaimer_ == nullptr) reclaimer_ = std::make_unique<Reclaimer>();
  const uint64_t version = version_.load(std::memory_order_relaxed) + 1;
  auto published = std::make_unique<detail::PublishedProgram>(detail::PublishedProgram{std::move(next), version});
  retired_.emplace_back();  // before the swap, so that nothing can fail after it
  retired_.back().epoch = UINT64_MAX;
  // A reader that still gets the old pointer has announced an epoch before the one that begins
  // here: had it read the new epoch, it would also have to see the new pointer. The reader
  // announced its epoch before it loaded the pointer, so before the swap in the total order of
  // sequentially consistent operations. Hence oldest_reader() sees the announcement.
  retired_.back().published.reset(current_.exchange(published.release(), std::memory_order_seq_cst));
  retired_.back().epoch = detail::g_epoch.fetch_add(1, std::memory_order_seq_cst) + 1;
  version_.store(version, std::memory_order_release);
  if (reclaimer_->start(*this)) {
    reclaimer_->notify();
    return true;
  }
  lock.unlock();
  try {
    collect();  // without the thread, each publication frees what earlier ones retired
  } catch (const std::bad_alloc&) {
  }
  return true;
}

size_t LiveProgram::collect() {
  std::lock_guard collecting(collect_mutex_);
  if (release_) release_();
  std::list<Retired> free;
  std::unique_lock lock(mutex_);
  // A program that was put in force again later is freed with that later publication.
  std::unordered_set<const Program*> later{current_.load()->program.get()};
  std::unordered_set<const Program*> gone;
  const uint64_t oldest = detail::oldest_reader();
  for (auto at = retired_.end(); at != retired_.begin();) {
    --at;
    const Program* program = at->published->program.get();
    const bool last = later.insert(program).second;
    if (last) gone.insert(program);
    if (!last && at->epoch <= oldest) free.splice(free.end(), retired_, at++);
  }
  if (!gone.empty()) release_contexts(gone);
  for (auto at = retired_.begin(); at != retired_.end();) {
    const auto next = std::next(at);
    // After its epoch, the program can be reached only through an owner, so a sole owner remains
    // the sole owner.
    if (at->epoch <= oldest && at->published->program.use_count() == 1) free.splice(free.end(), retired_, at);
    at = next;
  }
  const size_t left = retired_.size();
  lock.unlock();  // freeing code and tables takes a while; publishers need not wait for it
  return left;
}

void LiveProgram::release_contexts(const std::unordered_set<const Program*>& retired) {
  auto& contexts = detail::contexts();
  std::lock_guard lock(contexts.mutex);
  for (const LiveContext* context : contexts.all) {
    std::unique_lock own(context->mutex_, std::try_to_lock);  // a context that is being filled is in use
    if (own && context->context_ != nullptr && retired.contains(&context->context_->program())) {
      context->context_.reset();
    }
  }
}

LiveContext::LiveContext(Fill fill) : fill_(std::move(fill)) {
  auto& contexts = detail::contexts();
  std::lock_guard lock(contexts.mutex);
  contexts.all.insert(this);
}

LiveContext::~LiveContext() {
  auto& contexts = detail::contexts();
  std::lock_guard lock(contexts.mutex);
  contexts.all.erase(this);
}

std::shared_ptr<const Context> LiveContext::of(const std::shared_ptr<const Program>& program) const {
  const auto held = [&] { return context_ != nullptr && context_->shared_program() == program; };
  {
    std::lock_guard lock(mutex_);
    if (held()) return context_;
  }
  // This is not done under the lock: a thread that is interrupted while it fills would keep all
  // others waiting.
  auto made = std::make_shared<Context>(program);
  fill_(*made);
  std::lock_guard lock(mutex_);
  if (!held()) context_ = std::move(made);
  return context_;
}

bool LiveCall::refresh() {
  if (live_.version() == version_) return false;
  {
    auto pin = live_.pin();
    version_ = pin.version();
    program_ = pin.shared();
  }
  call_.emplace(program_);
  context_ = who_.of(program_);
  return true;
}

}  // namespace ordain
