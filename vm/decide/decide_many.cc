// Decides many calls. Threads take blocks of calls from a counter; blocks are large enough to
// avoid contention on the counter, and small enough that no thread waits long for the last one.
#include "ordain/decide_many.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <thread>
#include <vector>

#include "vm/decide/decide_run.h"
#include "vm/value/start_thread.h"

namespace ordain {
namespace {

constexpr size_t kBlock = 64;

void decide_one(const CallInContext& asked, size_t index, Scratch& scratch, const EachDecision& each,
                const DecideManyOptions& options) {
  if (asked.call == nullptr || asked.context == nullptr) {
    Decision denied;
    vm::refuse(DecisionCode::invalid_input, "the call or its context is missing", &denied);
    return each(index, denied);
  }
  each(index, options.all ? decide_all(*asked.call, *asked.context, scratch, options.decide)
                          : decide(*asked.call, *asked.context, scratch, options.decide));
}

class Batch {
 public:
  Batch(std::span<const CallInContext> calls, const EachDecision& each, const DecideManyOptions& options)
      : calls_(calls), each_(each), options_(options) {}

  // Without memory for a scratch, another thread has to do the work.
  void help() noexcept {
    try {
      work();
    } catch (const std::bad_alloc&) {
    }
  }

  void work() {
    Scratch scratch;
    for (size_t first = next_.fetch_add(kBlock); first < calls_.size(); first = next_.fetch_add(kBlock)) {
      const size_t end = std::min(first + kBlock, calls_.size());
      for (size_t i = first; i < end; ++i) decide_one(calls_[i], i, scratch, each_, options_);
    }
  }

 private:
  std::span<const CallInContext> calls_;
  const EachDecision& each_;
  const DecideManyOptions& options_;
  std::atomic<size_t> next_ = 0;
};

}  // namespace

void decide_many(std::span<const CallInContext> calls, const EachDecision& each, const DecideManyOptions& options) {
  if (calls.empty() || !each) return;
  const size_t blocks = (calls.size() + kBlock - 1) / kBlock;
  const size_t wanted = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  Batch batch(calls, each, options);
  std::vector<vm::JoinedThread> others(std::min(wanted, blocks) - 1);
  for (vm::JoinedThread& thread : others) {
    if (!thread.start([&batch] { batch.help(); })) break;
  }
  batch.work();
}

void decide_many(const CallSource& next, const EachDecision& each, const DecideManyOptions& options) {
  if (!next || !each) return;
  Scratch scratch;
  size_t index = 0;
  while (const CallInContext* asked = next()) decide_one(*asked, index++, scratch, each, options);
}

}  // namespace ordain
