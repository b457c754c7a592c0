// Telemetry reports a runtime's decisions and executions to a host's monitoring; Metrics counts
// them in the OpenMetrics text format.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "ordain/audit.h"
#include "ordain/decide.h"
#include "ordain/export.h"

namespace ordain {

/// The state of the runtime.
struct RuntimeHealth {
  bool audit_available = true;  ///< false: the last batch failed and the log has not recovered
  std::string audit_error;      ///< of that batch
  uint64_t records_written = 0;
  uint64_t records_lost = 0;
  size_t queue_depth = 0;
  std::string checkpoint_error;  ///< why the last checkpoint was not signed or not appended to its file
};

/// One decision of a governed call. Views live until the event's function returns.
struct DecisionEvent {
  Stage stage = Stage::before;
  Effect effect = Effect::deny;
  DecisionCode code = DecisionCode::default_effect;
  std::string_view rule, capability;
  bool observed = false;
  std::chrono::nanoseconds elapsed{0};  ///< time for deciding, including host rules and a remote
};

/// One executed tool.
struct ExecutionEvent {
  OutcomeStatus status = OutcomeStatus::none;
  std::string_view capability;
  std::chrono::nanoseconds elapsed{0};
};

/// Receives events on the threads of the calls, several at once. The functions should be quick and
/// cannot fail.
class ORDAIN_API Telemetry {
 public:
  virtual ~Telemetry() = default;
  virtual void decided(const DecisionEvent&) noexcept {}
  virtual void executed(const ExecutionEvent&) noexcept {}
  /// The log or a sink did not take a record; `where` is "audit" or "sink".
  virtual void write_failed(std::string_view /*where*/) noexcept {}
};

/// Counts events. Give it to RuntimeOptions::telemetry and serve `text` where your monitoring asks
/// for it.
class ORDAIN_API Metrics final : public Telemetry {
 public:
  Metrics();
  ~Metrics() override;
  void decided(const DecisionEvent& event) noexcept override;
  void executed(const ExecutionEvent& event) noexcept override;
  void write_failed(std::string_view where) noexcept override;

  /// Writes OpenMetrics text with the terminating "# EOF": decisions by stage, effect and rule; a
  /// histogram of the time that deciding takes; executions by status; failed writes; and from
  /// `health` the queue's depth and the records written and lost.
  std::string text(const RuntimeHealth& health) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordain
