// OpenCalls governs calls that a client of the daemon executes: a call begins in one request, and
// its outcome comes in another.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "ordain/begun_call.h"
#include "ordain/event.h"
#include "ordain/runtime.h"
#include "vm/value/start_thread.h"

namespace ordain::server {

struct OpenCallOptions {
  size_t most = 8192;             ///< calls that may be open at once
  size_t most_of_client = 1024;   ///< of these, calls of one client
  size_t most_bytes = 256 << 20;  ///< of the requests that began the open calls; a client may have an eighth of them
  std::chrono::milliseconds wait{3'600'000};  ///< for an outcome; then the call is recorded as failed
};

/// The answer to a call that begins.
struct CallStart {
  std::string id;  ///< of the call, 32 hex digits
  std::string decision;
  std::string input;  ///< JSON of the input to execute, if `redact` changed it; else ""
};

/// The answer to a reported outcome.
struct CallEnd {
  std::string decision;
  std::string output;  ///< JSON of the output to pass on, if `redact` changed it; else ""
};

/// Each open call is one BegunCall, so its path, its records and its approvals are the usual ones, and no thread waits
/// for its outcome. A client is an agent in a session behind one credential: one client's calls leave room for those of
/// others, and the calls behind one credential, whatever they say of agents and sessions, take at most three quarters
/// of the room. Thread-safe.
class OpenCalls {
 public:
  OpenCalls(Runtime runtime, OpenCallOptions options);
  ~OpenCalls();
  OpenCalls(const OpenCalls&) = delete;
  OpenCalls& operator=(const OpenCalls&) = delete;

  /// Decides the call that the event describes and records it; the event's `now` does not count.
  /// Once this returns an allowing decision, the intent is on record, and the call is open. Any other call takes no
  /// room once this returns.
  /// @param flaw as EventReader::flaw
  /// @param credential by which the client is known; see Caller::credential
  /// @param bytes of the request
  /// @returns error "bad_event" (an after stage, or an identity that does not fit), "too_many_calls",
  /// "stopping" or "no_thread"; the call has then not begun
  Result<CallStart> begin(const Event& event, std::string_view flaw, std::string_view credential, size_t bytes);

  /// Ends an open call with the output of its tool, or with the tool's error.
  /// @param credential by which the client is known; ids stand in the audit log, so an id alone proves nothing
  /// @returns error "unknown_call" if no call of this id that began with the same credential is open
  Result<CallEnd> finish(std::string_view id, std::string_view credential, Result<Document> outcome);

  /// Ends all open calls: they are recorded as failed, because their outcomes are not known. No
  /// call begins any more. Returns when all is recorded.
  void stop();

  size_t count() const;

 private:
  using Clock = std::chrono::steady_clock;

  /// Room that calls take together.
  struct Room {
    size_t calls = 0, bytes = 0;
  };
  /// Whose room a call takes, and how much.
  struct Share {
    std::string credential, client;
    size_t bytes = 0;
  };
  using Deadlines = std::multimap<Clock::time_point, std::string>;
  struct OpenCall {
    BegunCall call;
    std::string capability;
    Share share;
    Deadlines::iterator deadline;
  };
  using Calls = std::map<std::string, OpenCall, std::less<>>;
  class Place;

  Result<void> take_place(const Share& share);
  void free_place(const Share& share) noexcept;
  bool open(const std::string& id, OpenCall call);
  OpenCall take(Calls::iterator at);
  void end_unknown(OpenCall call, bool in_time) noexcept;
  void watch_deadlines() noexcept;

  Runtime runtime_;
  const OpenCallOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  size_t busy_ = 0;  ///< places of calls that are about to open or to end
  Room all_;         ///< of all places
  std::map<std::string, Room, std::less<>> credentials_, clients_;
  Calls open_;
  Deadlines deadlines_;  ///< of the open calls, with their ids
  bool watched_ = false;
  vm::JoinedThread watcher_;  ///< last, because it uses all else
};

}  // namespace ordain::server
