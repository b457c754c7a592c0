// OpenCalls governs calls that a client of the daemon executes: a call begins in one request, and
// its outcome comes in another.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "ordain/event.h"
#include "ordain/runtime.h"

namespace ordain::server {

struct OpenCallOptions {
  size_t most = 64;                           ///< calls that may be open at once
  std::chrono::milliseconds wait{3'600'000};  ///< for an outcome; then the call is recorded as failed
};

/// The answer to a call that begins.
struct BegunCall {
  std::string id;  ///< of the call, 32 hex digits
  std::string decision;
  std::string input;  ///< JSON of the input to execute, if `redact` changed it; else ""
};

/// The answer to a reported outcome.
struct EndedCall {
  std::string decision;
  std::string output;  ///< JSON of the output to pass on, if `redact` changed it; else ""
};

/// Each open call is one call of Runtime::call, whose tool waits on a thread of its own for the
/// outcome. So the path of a governed call, its records and its approvals are the usual ones.
/// Thread-safe.
class OpenCalls {
 public:
  OpenCalls(Runtime runtime, OpenCallOptions options);
  ~OpenCalls();
  OpenCalls(const OpenCalls&) = delete;
  OpenCalls& operator=(const OpenCalls&) = delete;

  /// Decides the call that the event describes and records it; the event's `now` does not count.
  /// Once this returns an allowing decision, the intent is on record, and the call is open.
  /// @param flaw as EventReader::flaw
  /// @returns error "bad_event" (an after stage, or an identity that does not fit), "too_many_calls",
  /// "stopping" or "no_thread"; the call has then not begun
  Result<BegunCall> begin(const Event& event, std::string_view flaw);

  /// Ends an open call with the output of its tool, or with the tool's error. @returns error
  /// "unknown_call" if no call of this id is open.
  Result<EndedCall> finish(std::string_view id, Result<Document> outcome);

  /// Ends all open calls: they are recorded as failed, because their outcomes are not known. No
  /// call begins any more. Returns when all is recorded.
  void stop();

  size_t count() const;

 private:
  struct Call;
  struct Entry;
  std::unique_ptr<Entry> start(std::shared_ptr<Call> call) const;
  void drop_ended();

  Runtime runtime_;
  const OpenCallOptions options_;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  size_t beginning_ = 0;  ///< calls that are neither open yet nor refused
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> open_;
};

}  // namespace ordain::server
