// Runs each open call on a thread, which waits for the outcome inside the call's tool.
#include "server/open_calls.h"

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "ordain/plan.h"
#include "server/call_json.h"
#include "server/json_object.h"
#include "vm/value/start_thread.h"

namespace ordain::server {
namespace {

/// @returns an object of the attributes that the event gives about who acts
Result<Document> identity_attributes(const Event& event) {
  const std::pair<std::string_view, const Value*> roots[] = {{"agent", event.agent},
                                                             {"principal", event.principal},
                                                             {"tenant", event.tenant},
                                                             {"environment", event.environment},
                                                             {"session", event.session}};
  JsonObject out;
  for (const auto& [name, value] : roots) {
    if (value != nullptr) out.raw(name, to_json(*value));
  }
  return Document::parse(out.close());
}

std::string action_text(const Event& event, std::string_view name) {
  if (event.action == nullptr) return "";
  return std::string(text_member(*event.action, name).value_or(""));
}

}  // namespace

/// One call. The client's requests and the call's thread share it.
struct OpenCalls::Call {
  // What the event says; set before the thread starts.
  std::string capability, flaw;
  std::string type, target, description, trace, parent;
  Document input, resource, metadata;
  std::optional<double> risk;
  std::optional<Identity> identity;

  std::mutex mutex;
  std::condition_variable changed;
  bool began = false;                        ///< the intent is on record, and the tool waits
  bool closed = false;                       ///< the tool takes no outcome any more
  bool stop = false;                         ///< the service stops
  std::optional<Result<Document>> reported;  ///< the outcome from the client
  std::optional<Outcome<Document>> ended;    ///< set when the call is over
  std::string effective;                     ///< JSON of the input to execute
  DetachedDecision before, after;

  CallOptions options() {
    CallOptions out;
    out.identity = &*identity;
    out.trace = trace;
    out.parent = parent;
    out.type = type;
    out.target = target;
    out.description = description;
    if (risk) out.risk = ActionRisk(*risk);
    out.resource = resource.root();
    out.metadata = metadata.root();
    out.flaw = flaw;
    out.before = &before;
    out.after = &after;
    return out;
  }

  /// The tool: lets the client know that the call may run, and waits for its outcome.
  Result<Document> wait_for_outcome(const Value& input, std::chrono::milliseconds most) {
    std::string text = to_json(input);
    std::unique_lock lock(mutex);
    effective = std::move(text);
    began = true;
    changed.notify_all();
    changed.wait_for(lock, most, [&] { return reported.has_value() || stop; });
    closed = true;
    if (reported) return std::move(*reported);
    if (stop) return Error{"stopped", "the service stopped before an outcome was reported"};
    return Error{"no_outcome", fmt::format("no outcome was reported within {} s", most.count() / 1000)};
  }

  void run(const Runtime& runtime, std::chrono::milliseconds most) {
    try {
      end(runtime.call(
          capability, input, [&](const Value& effective_input) { return wait_for_outcome(effective_input, most); },
          options()));
    } catch (const std::exception&) {
      end(Outcome<Document>({}, {}, Denied{"", "out of memory", "no_memory", ""}));
    }
  }

  void end(Outcome<Document> outcome) {
    const std::lock_guard lock(mutex);
    closed = true;
    ended.emplace(std::move(outcome));
    changed.notify_all();
  }

  bool is_over() {
    const std::lock_guard lock(mutex);
    return ended.has_value();
  }
};

/// A call with its thread, which is joined when the entry is destroyed.
struct OpenCalls::Entry {
  std::shared_ptr<Call> call;
  vm::JoinedThread thread;
};

OpenCalls::OpenCalls(Runtime runtime, OpenCallOptions options) : runtime_(std::move(runtime)), options_(options) {}

OpenCalls::~OpenCalls() { stop(); }

std::unique_ptr<OpenCalls::Entry> OpenCalls::start(std::shared_ptr<Call> call) const {
  auto entry = std::make_unique<Entry>();
  entry->call = call;
  const bool started = entry->thread.start(
      [call = std::move(call), runtime = runtime_, most = options_.wait] { call->run(runtime, most); });
  return started ? std::move(entry) : nullptr;
}

Result<BegunCall> OpenCalls::begin(const Event& event, std::string_view flaw) {
  if (event.stage != Stage::before) return Error{"bad_event", "a call begins in the before stage"};
  auto call = std::make_shared<Call>();
  call->capability = event.capability;
  call->flaw = flaw;
  call->input = event.input != nullptr ? Document::copy_of(*event.input) : empty_object();
  if (event.resource != nullptr) call->resource = Document::copy_of(*event.resource);
  if (event.metadata != nullptr) call->metadata = Document::copy_of(*event.metadata);
  call->type = action_text(event, "type");
  call->target = action_text(event, "target");
  call->description = action_text(event, "description");
  call->trace = action_text(event, "trace_id");
  call->parent = action_text(event, "parent_id");
  call->risk = event.risk;
  auto attributes = identity_attributes(event);
  if (!attributes) return Error{"bad_event", attributes.error().message};
  Who who;
  who.attributes = std::move(*attributes);
  auto identity = runtime_.identity(std::move(who));
  if (!identity) return Error{"bad_event", identity.error().message};
  call->identity = *identity;

  drop_ended();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{"stopping", "the service is stopping"};
    if (open_.size() + beginning_ >= options_.most) {
      return Error{"too_many_calls", fmt::format("{} calls are open already", options_.most)};
    }
    ++beginning_;
  }
  std::unique_ptr<Entry> entry = start(call);
  BegunCall out;
  bool opens = false;
  if (entry != nullptr) {
    std::unique_lock lock(call->mutex);
    call->changed.wait(lock, [&] { return call->began || call->ended.has_value(); });
    opens = !call->ended.has_value();
    out.id = call->before.id;
    out.decision = before_json(call->capability, call->before, opens ? nullptr : &*call->ended);
    if (opens && redacts(call->before)) out.input = call->effective;
    if (out.id.empty() && !opens) out.id = call->ended->action().hex();
  }
  const std::lock_guard lock(mutex_);
  --beginning_;
  if (entry == nullptr) return Error{"no_thread", "the system has no thread for the call"};
  if (!opens) return out;
  if (stopping_) {  // `stop` has not seen this call
    const std::lock_guard call_lock(call->mutex);
    call->stop = true;
    call->changed.notify_all();
    return Error{"stopping", "the service is stopping"};
  }
  open_.emplace(out.id, std::move(entry));
  return out;
}

Result<EndedCall> OpenCalls::finish(std::string_view id, Result<Document> outcome) {
  std::unique_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end()) return Error{"unknown_call", "no call of this id is open"};
    entry = std::move(found->second);
    open_.erase(found);
  }
  Call& call = *entry->call;
  std::unique_lock lock(call.mutex);
  if (call.closed) return Error{"unknown_call", "the call was open for too long and is recorded as failed"};
  call.reported.emplace(std::move(outcome));
  call.changed.notify_all();
  call.changed.wait(lock, [&] { return call.ended.has_value(); });
  EndedCall out;
  out.decision = after_json(call.capability, call.after, *call.ended);
  if (call.ended->has_value() && redacts(call.after)) out.output = call.ended->value().json();
  return out;
}

void OpenCalls::drop_ended() {
  std::vector<std::unique_ptr<Entry>> ended;  // joined after the lock
  const std::lock_guard lock(mutex_);
  for (auto at = open_.begin(); at != open_.end();) {
    if (!at->second->call->is_over()) {
      ++at;
      continue;
    }
    ended.push_back(std::move(at->second));
    at = open_.erase(at);
  }
}

void OpenCalls::stop() {
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> open;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    open.swap(open_);
  }
  for (const auto& [id, entry] : open) {
    const std::lock_guard lock(entry->call->mutex);
    entry->call->stop = true;
    entry->call->changed.notify_all();
  }
}

size_t OpenCalls::count() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

}  // namespace ordain::server
