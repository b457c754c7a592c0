// A BegunCall is a governed call that the host executes by itself: it begins in one place, and its
// outcome comes in another, perhaps on another thread and much later.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/export.h"
#include "ordain/plan.h"

namespace ordain {

/// One call between its beginning, by Runtime::begin, and its end. It takes the path that every
/// governed call takes, and occupies no thread meanwhile:
///
///     BegunCall call = runtime.begin({.capability = "pay", .input = input});
///     if (!call.may_execute()) return explain(call.outcome());
///     Outcome<Document> outcome = call.finish(pay(call.input()));
///
/// A call that is destroyed before it was finished is recorded as failed, with code "abandoned",
/// because nobody knows what it did. It keeps the runtime open. Use it from one thread at a time; the
/// threads may differ. In a child process that was forked meanwhile, no outcome can be recorded.
class ORDAIN_API BegunCall {
 public:
  using LendsViews = void;  ///< input(), before() and after() live as long as the call

  BegunCall(BegunCall&&) noexcept;
  BegunCall& operator=(BegunCall&&) noexcept;
  ~BegunCall();

  /// @returns whether the host may execute the call now, once
  bool may_execute() const;
  /// @returns the input after `redact`, with which the call must be executed; null if it may not be
  const Value& input() const&;
  const Value& input() const&& = delete;
  /// The id of the call in the audit log.
  Id128 action() const;
  /// The messages of `warn` rules so far.
  std::vector<std::string> warnings() const;
  /// As Outcome::would.
  std::string would() const;
  /// @returns how the call ended, once it has: it may not execute, or it was finished. Before that it says Failed with
  /// code "not_finished".
  Outcome<Document> outcome() const;
  /// The rules' own decision before the call, and the one on its output, as CallOptions::before and CallOptions::after
  /// say. Each is as it was made where no such decision was taken: the call was stopped first, or it has not ended.
  const DetachedDecision& before() const&;
  const DetachedDecision& before() const&& = delete;
  const DetachedDecision& after() const&;
  const DetachedDecision& after() const&& = delete;
  /// @returns whether rules changed the output that `outcome` has
  bool redacted() const;

  /// Ends the call with the output of its tool, or with the tool's error: the after rules decide, and the outcome is
  /// recorded. @returns what `outcome` returns from now on. If the call has ended before, that is not changed.
  Outcome<Document> finish(Result<Document> output);
  /// Ends a call that the host did not execute after all, and that had no effect: it is recorded as failed with code
  /// "not_executed". An approval that it used is spent.
  Outcome<Document> finish_unexecuted(std::string_view why);

 private:
  friend class Runtime;
  struct State;
  explicit BegunCall(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ordain
