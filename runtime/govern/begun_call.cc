// begun_call.cc lets a host execute a governed call by itself, between the two halves of its path.
#include "ordain/begun_call.h"

#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/govern/held_call.h"
#include "runtime/govern/plan_call.h"

namespace ordain {
namespace {

/// Stands where the path of a governed call expects its tool.
class HostTool final : public detail::GovernedTool {
 public:
  std::optional<Error> execute(Arena&, const Value&, Value*, bool*) override {
    return Error{"not_executed", "the host executes this call"};
  }
  bool deliver(const Value& output, bool redacted) override {
    if (redacted) redacted_ = Document::copy_of(output);
    return true;
  }
  const std::optional<Document>& redacted() const& { return redacted_; }

 private:
  std::optional<Document> redacted_;
};

CallOptions options_with_decisions(const Action& action, std::string_view flaw, DetachedDecision* before,
                                   DetachedDecision* after) {
  CallOptions out = detail::call_options(action, nullptr);
  out.flaw = flaw;
  out.before = before;
  out.after = after;
  return out;
}

}  // namespace

/// Everything that the call's path views, at a place that does not move.
struct BegunCall::State {
  State(std::shared_ptr<detail::Core> owner, Action given, std::string known_flaw)
      : core(std::move(owner)),
        action(std::move(given)),
        flaw(std::move(known_flaw)),
        options(options_with_decisions(action, flaw, &before, &after)),
        call(detail::hold_call(*core, action.capability, action.input.root(), options, tool)) {}

  void settle(std::optional<Error> error, bool entered) {
    detail::Governed governed = call->settle(std::move(error), entered, output.root());
    std::optional<Document> released = tool.redacted() ? *tool.redacted() : output;
    end(std::move(governed), std::move(released));
  }

  /// Keeps how the call ended, and gives its worker back.
  void end(detail::Governed&& governed, std::optional<Document>&& released) {
    ended.emplace(detail::to_outcome<Document>(std::move(governed), std::move(released)));
    executing = false;
    call.reset();
  }

  std::shared_ptr<detail::Core> core;  // first, as all else views it
  const Action action;
  const std::string flaw;
  DetachedDecision before, after;
  const CallOptions options;
  HostTool tool;
  Document output;
  std::unique_ptr<detail::HeldCall> call;
  bool executing = false;
  std::optional<Outcome<Document>> ended;
};

BegunCall::BegunCall(std::unique_ptr<State> state) : state_(std::move(state)) {}
BegunCall::BegunCall(BegunCall&&) noexcept = default;
BegunCall& BegunCall::operator=(BegunCall&& other) noexcept {
  BegunCall previous(std::move(state_));  // ends what it held
  state_ = std::move(other.state_);
  return *this;
}

BegunCall::~BegunCall() {
  if (state_ == nullptr || !state_->executing) return;
  try {
    state_->settle(Error{"abandoned", "the host did not say how the call ended"}, true);
  } catch (...) {  // no memory for the text of the outcome, which nobody reads
  }
}

bool BegunCall::may_execute() const { return state_->executing; }

const Value& BegunCall::input() const& {
  static const Value kNoInput = Value::null();
  return state_->executing ? state_->call->input() : kNoInput;
}

Id128 BegunCall::action() const {
  return state_->executing ? state_->call->progress().action : state_->ended->action();
}

std::vector<std::string> BegunCall::warnings() const {
  return state_->executing ? state_->call->progress().warnings : state_->ended->warnings();
}

std::string BegunCall::would() const {
  return state_->executing ? state_->call->progress().would : state_->ended->would();
}

const DetachedDecision& BegunCall::before() const& { return state_->before; }

const DetachedDecision& BegunCall::after() const& { return state_->after; }

bool BegunCall::redacted() const { return state_->tool.redacted().has_value(); }

Outcome<Document> BegunCall::outcome() const {
  if (state_->ended) return *state_->ended;
  return Outcome<Document>({}, {}, Failed{"not_finished", "the call has not ended yet", true});
}

Outcome<Document> BegunCall::finish(Result<Document> output) {
  if (state_->executing) {
    std::optional<Error> error;
    if (output.ok()) {
      state_->output = std::move(*output);
    } else {
      error = std::move(output).error();
    }
    state_->settle(std::move(error), true);
  }
  return outcome();
}

Outcome<Document> BegunCall::finish_unexecuted(std::string_view why) {
  if (state_->executing) state_->settle(Error{"not_executed", std::string(why)}, false);
  return outcome();
}

BegunCall Runtime::begin(Action action, std::string flaw) const {
  auto state = std::make_unique<BegunCall::State>(core_, std::move(action), std::move(flaw));
  if (std::optional<detail::Governed> stopped = state->call->start()) {
    state->end(std::move(*stopped), std::nullopt);
  } else {
    state->executing = true;
  }
  return BegunCall(std::move(state));
}

}  // namespace ordain
