// LiveProgram holds the program in force, which can be replaced while threads decide.
//
// Publication works by epochs. A reader announces, in a cache line of its own, the epoch in which
// it looks at the current program. Publishing swaps one pointer, begins a new epoch and retires the
// old program, which is freed once no reader announces an earlier epoch and it has no other owner.
// A reader therefore never waits, shares no counter with other readers, and never frees a program:
// a thread of the LiveProgram does that.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "ordain/call.h"
#include "ordain/export.h"
#include "ordain/program.h"

namespace ordain {

namespace detail {

/// One thread's announcement. It is made when the thread first pins, and reused by another thread
/// after this one ends.
struct alignas(64) EpochReader {
  std::atomic<uint64_t> epoch{0};  ///< when the outermost pin was taken; 0: no pin is held
  uint32_t depth = 0;              ///< pins held; only the owning thread uses it
  std::atomic<bool> taken{true};
  EpochReader* next = nullptr;
};

ORDAIN_API EpochReader& epoch_reader();           ///< of the calling thread
ORDAIN_API extern std::atomic<uint64_t> g_epoch;  ///< begins at 1

struct PublishedProgram {
  std::shared_ptr<const Program> program;
  uint64_t version;
};

}  // namespace detail

/// The current program, which can be replaced under load. Thread-safe. Must outlive its pins and
/// everything that refers to it.
class ORDAIN_API LiveProgram {
 public:
  /// @param first must not be nullptr.
  explicit LiveProgram(std::shared_ptr<const Program> first);
  ~LiveProgram();
  LiveProgram(const LiveProgram&) = delete;
  LiveProgram& operator=(const LiveProgram&) = delete;

  /// Keeps the current program from being freed. Hold a pin for one decision or for several in a
  /// row, not while waiting. A pin belongs to the thread that took it. Pins nest.
  class Pin {
   public:
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() {
      if (--reader_.depth == 0) reader_.epoch.store(0, std::memory_order_release);
    }
    const Program& operator*() const& { return *published_->program; }
    const Program& operator*() const&& = delete;  // the program may be freed when the pin is gone
    const Program* operator->() const& { return published_->program.get(); }
    const Program* operator->() const&& = delete;
    /// Use this to keep the program for longer than the pin. Copying it changes a counter that all
    /// threads share.
    const std::shared_ptr<const Program>& shared() const& { return published_->program; }
    std::shared_ptr<const Program> shared() const&& { return published_->program; }
    uint64_t version() const { return published_->version; }

   private:
    friend class LiveProgram;
    Pin(detail::EpochReader& reader, const std::atomic<const detail::PublishedProgram*>& current) : reader_(reader) {
      if (reader_.depth++ == 0) {
        reader_.epoch.store(detail::g_epoch.load(std::memory_order_acquire), std::memory_order_seq_cst);
      }
      published_ = current.load(std::memory_order_seq_cst);  // after the announcement, for all threads
    }
    detail::EpochReader& reader_;
    const detail::PublishedProgram* published_;
  };

  /// Pins the current program. Never waits. A thread's first pin allocates its announcement, unless
  /// it can reuse that of a thread that has ended.
  Pin pin() const { return Pin(detail::epoch_reader(), current_); }

  /// Changes with every publication. It costs one load, so compare it before doing anything costly.
  /// It may change right after.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  /// Returns the current program, of which the caller becomes an owner.
  std::shared_ptr<const Program> current() const { return pin().shared(); }

  /// Puts `next` in force for every pin taken from now on. Does not wait for readers: the old
  /// program is freed in the background when its last reader has left it. @returns false, and
  /// changes nothing, if `next` is nullptr.
  bool publish(std::shared_ptr<const Program> next);

  /// Frees the retired programs that nobody uses any more. A background thread does this while
  /// there are any; call it to have it done now. @returns how many are left.
  size_t collect();

  /// Sets a function that is called before retired programs are examined, so that caches can
  /// release programs other than the current one. It runs on the collecting thread and must not
  /// publish. Set it before the first publication.
  void on_collect(std::function<void()> release) { release_ = std::move(release); }

 private:
  struct Reclaimer;
  static void release_contexts(const std::unordered_set<const Program*>& retired);

  std::atomic<const detail::PublishedProgram*> current_;
  std::atomic<uint64_t> version_{1};
  std::function<void()> release_;
  std::mutex mutex_;  ///< taken by publishers and the reclaimer, never by readers
  struct Retired {
    std::unique_ptr<const detail::PublishedProgram> published;
    uint64_t epoch;  ///< readers in this epoch or a later one cannot see the program
  };
  std::list<Retired> retired_;
  std::mutex collect_mutex_;
  std::unique_ptr<Reclaimer> reclaimer_;  ///< started by the first publication
};

/// The facts about who acts, filled again when the program changes. Make one for each agent or
/// session; any number of threads may share it. What it holds of a retired program is released when
/// that program is collected.
class ORDAIN_API LiveContext {
 public:
  using Fill = std::function<void(Context&)>;

  /// @param fill sets the attributes of an empty context. It runs on the threads that need the
  /// context, perhaps on several at once.
  explicit LiveContext(Fill fill);
  ~LiveContext();
  LiveContext(const LiveContext&) = delete;
  LiveContext& operator=(const LiveContext&) = delete;

  /// Returns the facts in the slots of `program`, which are made on first use and then shared. It
  /// takes a lock: keep the result while the program stays the same, as LiveCall does.
  std::shared_ptr<const Context> of(const std::shared_ptr<const Program>& program) const;

 private:
  friend class LiveProgram;
  Fill fill_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Context> context_;
};

/// What one thread needs to decide with the program in force: a Call and a Context of the same
/// program. Not thread-safe. An idle LiveCall keeps its program alive until it is refreshed or
/// destroyed.
class ORDAIN_API LiveCall {
 public:
  /// Both arguments must outlive the LiveCall.
  LiveCall(const LiveProgram& live, const LiveContext& who) : live_(live), who_(who) { refresh(); }

  /// Switches to the current program if it has changed; begin every call with this. It costs one
  /// load if nothing changed.
  /// @returns true if the program changed: slots and capabilities must then be resolved again.
  bool refresh();

  const Program& program() const& { return *program_; }
  const Program& program() const&& = delete;
  Call& call() & { return *call_; }
  const Context& context() const& { return *context_; }
  const Context& context() const&& = delete;

 private:
  const LiveProgram& live_;
  const LiveContext& who_;
  uint64_t version_ = 0;
  std::shared_ptr<const Program> program_;
  std::optional<Call> call_;
  std::shared_ptr<const Context> context_;
};

}  // namespace ordain
