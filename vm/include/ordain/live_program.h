// LiveProgram: the program in force, where another may take its place while threads decide.
//
// Publication is by epoch. A reader announces, in a cache line of its own, the epoch in which it looks at the current
// program; publishing swaps one pointer, begins a new epoch and retires the old program, which is freed once no reader
// announces an earlier epoch and nobody else owns it. So a reader never waits, shares no counter with other readers,
// and never frees a program: a thread of the LiveProgram's own does.
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
#include "ordain/program.h"

namespace ordain {

namespace detail {

/// One thread's announcement. Made when a thread first pins, handed on when the thread ends.
struct alignas(64) EpochReader {
  std::atomic<uint64_t> epoch{0};  ///< in which the outermost pin was taken; 0: none is held
  uint32_t depth = 0;              ///< pins held; of the owning thread alone
  std::atomic<bool> taken{true};
  EpochReader* next = nullptr;
};

EpochReader& epoch_reader();           ///< of the calling thread
extern std::atomic<uint64_t> g_epoch;  ///< begins at 1

struct PublishedProgram {
  std::shared_ptr<const Program> program;
  uint64_t version;
};

}  // namespace detail

/// The current program, replaced under load. Thread-safe. Must outlive its pins and what refers to it.
class LiveProgram {
 public:
  /// @param first must not be nullptr.
  explicit LiveProgram(std::shared_ptr<const Program> first);
  ~LiveProgram();
  LiveProgram(const LiveProgram&) = delete;
  LiveProgram& operator=(const LiveProgram&) = delete;

  /// Keeps one program from being freed while it lives; for one decision or a batch of them, not for a wait. It belongs
  /// to the thread that took it. Pins nest.
  class Pin {
   public:
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() {
      if (--reader_.depth == 0) reader_.epoch.store(0, std::memory_order_release);
    }
    const Program& operator*() const { return *published_->program; }
    const Program* operator->() const { return published_->program.get(); }
    /// To keep the program for longer than the pin; copying it touches a counter that all threads share.
    const std::shared_ptr<const Program>& shared() const { return published_->program; }
    uint64_t version() const { return published_->version; }

   private:
    friend class LiveProgram;
    Pin(detail::EpochReader& reader, const std::atomic<const detail::PublishedProgram*>& current) : reader_(reader) {
      if (reader_.depth++ == 0) {
        reader_.epoch.store(detail::g_epoch.load(std::memory_order_acquire), std::memory_order_seq_cst);
      }
      published_ = current.load(std::memory_order_seq_cst);  // after the announcement, in one order for all threads
    }
    detail::EpochReader& reader_;
    const detail::PublishedProgram* published_;
  };

  /// Never waits. A thread's first pin allocates its announcement, unless one that has ended left it one.
  Pin pin() const { return Pin(detail::epoch_reader(), current_); }

  /// Changes with every publication. One load: compare it before doing anything costly. It may change right after.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  /// The current program, owned by the caller as well.
  std::shared_ptr<const Program> current() const { return pin().shared(); }

  /// Puts `next` in force for every pin taken from now on. Does not wait for readers: the old program is freed in the
  /// background when the last of them has left it. @returns false, and changes nothing, for nullptr.
  bool publish(std::shared_ptr<const Program> next);

  /// Frees the retired programs that nobody uses any more. Called in the background while there are any; call it to
  /// have it done now. @returns how many are left.
  size_t collect();

  /// Called before retired programs are looked at, so that caches may let go of those that are not the current one.
  /// On the thread that collects; must not publish. Set it before the first publication.
  void on_collect(std::function<void()> release) { release_ = std::move(release); }

 private:
  struct Reclaimer;
  static void release_contexts(const std::unordered_set<const Program*>& retired);

  std::atomic<const detail::PublishedProgram*> current_;
  std::atomic<uint64_t> version_{1};
  std::function<void()> release_;
  std::mutex mutex_;  ///< of publishers and the reclaimer; readers never take it
  struct Retired {
    std::unique_ptr<const detail::PublishedProgram> published;
    uint64_t epoch;  ///< readers of it or a later one do not see it
  };
  std::list<Retired> retired_;
  std::mutex collect_mutex_;
  std::unique_ptr<Reclaimer> reclaimer_;  ///< started by the first publication
};

/// The facts about who acts, filled in anew when the program changes. One for each agent or session; any number of
/// threads may share it. What it holds of a retired program is let go when that is collected.
class LiveContext {
 public:
  using Fill = std::function<void(Context&)>;

  /// @param fill sets the attributes of an empty context; called on threads that need it, perhaps on several at once.
  explicit LiveContext(Fill fill);
  ~LiveContext();
  LiveContext(const LiveContext&) = delete;
  LiveContext& operator=(const LiveContext&) = delete;

  /// The facts in the slots of `program`: made on first use, then shared. Takes a lock: keep the result while the
  /// program stays the same, as LiveCall does.
  std::shared_ptr<const Context> of(const std::shared_ptr<const Program>& program) const;

 private:
  friend class LiveProgram;
  Fill fill_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Context> context_;
};

/// What one thread needs to decide with the program in force: a Call and a Context of one and the same program. Not
/// thread-safe. An idle one keeps its program alive until it is refreshed or destroyed.
class LiveCall {
 public:
  /// Both must outlive it.
  LiveCall(const LiveProgram& live, const LiveContext& who) : live_(live), who_(who) { refresh(); }

  /// Goes over to the current program if it is another one; begin every call with it. One load if it is not.
  /// @returns true if the program changed: resolved slots and capabilities must be resolved again.
  bool refresh();

  const Program& program() const { return *program_; }
  Call& call() { return *call_; }
  const Context& context() const { return *context_; }

 private:
  const LiveProgram& live_;
  const LiveContext& who_;
  uint64_t version_ = 0;
  std::shared_ptr<const Program> program_;
  std::optional<Call> call_;
  std::shared_ptr<const Context> context_;
};

}  // namespace ordain
