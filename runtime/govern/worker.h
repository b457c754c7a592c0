// worker holds the memory that one call needs and the next can reuse: slots, scratch and buffers,
// kept per thread.
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
#include "runtime/state/metering.h"

namespace ordain::detail {

struct Core;

/// The digits of an id, stored inline.
struct HexText {
  std::array<char, 32> digits{};
  std::string_view view() const { return {digits.data(), digits.size()}; }
};

/// The facts that distinguish one call from another.
struct ActionFacts {
  Id128 id;
  HexText id_text;
  HexText made_trace;  ///< used if the caller gave no trace
  std::string_view given_trace;
  std::string_view trace() const { return given_trace.empty() ? made_trace.view() : given_trace; }
  std::string_view capability;
  const Value* input = nullptr;
  const CallOptions* options = nullptr;
  std::string misfit;   ///< why the facts cannot be bound, such as metadata that does not fit its declaration; or ""
  std::string problem;  ///< what is wrong with the names that the caller gave; "" if nothing is
};

/// Gives the action an id and checks the names that the caller gave.
ActionFacts describe_action(const Core& core, std::string_view capability, const Value& input,
                            const CallOptions& options);

struct Worker {
  /// @param map_now as for Scratch
  explicit Worker(bool map_now = true) : scratch(Scratch::kUsualBytes, map_now), maps_now(map_now) {}

  std::atomic<bool> claimed{true};   ///< by a call, or to release its retired program
  std::atomic<uint64_t> version{0};  ///< of the program below; 0 without one
  std::shared_ptr<const Program> program;
  std::optional<Call> call;   ///< of the before stage
  std::optional<Call> after;  ///< of the after stage: values of the first are still in use
  Scratch scratch;
  const bool maps_now;    ///< whether its scratches are mapped at once
  Arena arena{4096};      ///< values made for one call: redacted trees, the tool's output
  std::string record;     ///< the buffer that records are encoded in
  uint64_t identity = 0;  ///< serial of the identity of `context`
  std::shared_ptr<const Context> context;
  std::string attributes;                     ///< of that identity, encoded for records
  std::shared_ptr<const state::Meter> meter;  ///< of the program; nullptr until a call needs it
  std::unique_ptr<Scratch> meter_scratch;     ///< likewise: decisions stay in the other

  /// @returns true if the worker was free and the caller has now claimed it
  bool claim() {
    return !claimed.load(std::memory_order_relaxed) && !claimed.exchange(true, std::memory_order_acquire);
  }
  void free() { claimed.store(false, std::memory_order_release); }
  /// Releases the program and everything that belongs to it.
  void unload();

  /// Ensures that the program is the current one and that the context is that of `who`.
  void refresh(Core& core, const Identity& who);
  /// Whether the call that is bound reads or changes state.
  bool is_metered() const { return state::is_metered(*program, call->capability()); }
  /// Opens the store and defines what the program declares, unless that is done. @returns the store, or its error
  Result<state::Store*> prepare_meter(Core& core);
  /// The facts of one stage as metering takes them.
  state::CallFacts facts_for_meter(const Core& core, Call& facts, const Identity& who);

  /// Fills a call's slots. `output` is nullptr in the before stage.
  void bind(Call& facts, Stage stage, const ActionFacts& action, int64_t now_ns, const Value* output,
            int64_t elapsed_ns);

 private:
  void load(std::shared_ptr<const Program> next);
  struct ActionSlots {
    SlotRef id, trace, parent, type, target, description;
  } slots_;
};

/// How long a lease lasts.
enum class LeaseKind : uint8_t {
  passing,  ///< until a call returns
  held,     ///< until the host says how its call ended, which may take hours
};

/// Holds a worker for the duration of one call. Calls may nest on one thread: a tool may call the
/// runtime again. Of the calls that hosts hold, the first few take workers that others use later;
/// each further one takes a worker for itself, which needs little memory and is freed with the call.
class Lease {
 public:
  explicit Lease(Core& core, LeaseKind kind = LeaseKind::passing);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Worker& operator*() { return *worker_; }
  Worker* operator->() { return worker_; }

 private:
  /// @returns a worker of the core; nullptr in a forked child that has none at hand
  Worker* claim_shared();

  Core& core_;
  const LeaseKind kind_;
  Worker* worker_ = nullptr;
  std::unique_ptr<Worker> own_;  ///< in a forked child, and for the many calls that hosts hold
};

}  // namespace ordain::detail
