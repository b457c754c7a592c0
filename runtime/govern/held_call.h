// held_call is a governed call that stands still between its two halves while the host executes it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "runtime/govern/core.h"

namespace ordain::detail {

/// Holds a worker from its making to its end. Use it from one thread at a time; the threads may differ.
class HeldCall {
 public:
  HeldCall() = default;
  HeldCall(const HeldCall&) = delete;
  HeldCall& operator=(const HeldCall&) = delete;
  virtual ~HeldCall() = default;

  /// Decides, asks, and records the intent. Call it once. @returns nothing if the call may execute; else why it may not
  virtual std::optional<Governed> start() = 0;
  /// @returns the input after `redact`, which lives as long as the call
  virtual const Value& input() const = 0;
  /// @returns the call's id, its warnings so far, and what enforce would have done; after `start`, before `settle`
  virtual const Governed& progress() const = 0;
  /// Decides on the output, or records the error, after `start` let the call begin. Call it once.
  /// @param entered whether the tool may have had an effect
  /// @param output must live as long as the call
  virtual Governed settle(std::optional<Error> error, bool entered, const Value& output) = 0;
};

/// Everything that is given must live as long as the result; the tool is asked for its mistake and for delivery, and
/// never executed. May throw std::bad_alloc.
std::unique_ptr<HeldCall> hold_call(Core& core, std::string_view capability, const Value& input,
                                    const CallOptions& options, GovernedTool& tool);

}  // namespace ordain::detail
