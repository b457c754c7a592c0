// worker: what one call needs for itself and the next call can use again: slots, scratch and buffers, kept per thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ordain/call.h"
#include "ordain/call_options.h"
#include "ordain/decide.h"
#include "ordain/identity.h"

namespace ordain::detail {

struct Core;

/// An id's digits, without memory of their own elsewhere.
struct HexText {
  std::array<char, 32> digits{};
  std::string_view view() const { return {digits.data(), digits.size()}; }
};

/// What tells one call from another.
struct ActionFacts {
  Id128 id;
  HexText id_text;
  HexText made_trace;  ///< where the caller gave none
  std::string_view given_trace;
  std::string_view trace() const { return given_trace.empty() ? made_trace.view() : given_trace; }
  std::string_view capability;
  const Value* input = nullptr;
  const CallOptions* options = nullptr;
  std::string misfit;   ///< of what the host declared of metadata or resource; "" if there is none
  std::string problem;  ///< of the names that the caller gave; "" if there is none
};

/// Names the action and checks the names that the caller gave.
ActionFacts describe_action(const Core& core, std::string_view capability, const Value& input,
                            const CallOptions& options);

struct Worker {
  std::atomic<bool> claimed{true};   ///< by a call, or by who takes a retired program from it
  std::atomic<uint64_t> version{0};  ///< of the program below; 0: there is none
  std::shared_ptr<const Program> program;
  std::optional<Call> call;   ///< of the before stage, then
  std::optional<Call> after;  ///< of the after stage: the first one's values are still in use
  Scratch scratch;
  Arena arena{4096};      ///< values made for one call: redacted trees, the tool's output
  std::string record;     ///< what records are encoded in
  uint64_t identity = 0;  ///< serial of the identity of `context`
  std::shared_ptr<const Context> context;
  std::string attributes;  ///< of that identity, encoded for records

  /// True if it was free and is now the caller's.
  bool claim() {
    return !claimed.load(std::memory_order_relaxed) && !claimed.exchange(true, std::memory_order_acquire);
  }
  void free() { claimed.store(false, std::memory_order_release); }
  /// Forgets the program and all that belongs to it.
  void unload();

  /// Makes sure that the program is the current one and the context that of `who`.
  void refresh(Core& core, const Identity& who);
  /// Fills a call's slots. `output` is nullptr before.
  void bind(Call& facts, Stage stage, const ActionFacts& action, int64_t now_ns, const Value* output,
            int64_t elapsed_ns);

 private:
  void load(std::shared_ptr<const Program> next);
  struct ActionSlots {
    SlotId id = kNone, trace = kNone, parent = kNone, type = kNone, target = kNone, description = kNone;
  } slots_;
};

/// A worker for the time of one call. Calls may nest on one thread: a tool may call the runtime again.
class Lease {
 public:
  explicit Lease(Core& core);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Worker& operator*() { return *worker_; }
  Worker* operator->() { return worker_; }

 private:
  Core& core_;
  Worker* worker_;
};

}  // namespace ordain::detail
