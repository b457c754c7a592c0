// Keeps begun calls by their ids, counts whose they are, and ends those that nobody ends with one thread.
#include "server/open_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "ordain/plan.h"
#include "server/call_json.h"
#include "server/json_object.h"

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

/// The action that the event describes; all but the identity.
Action action_of(const Event& event) {
  Action out;
  out.capability = event.capability;
  if (event.input != nullptr) out.input = Document::copy_of(*event.input);
  if (event.resource != nullptr) out.resource = Document::copy_of(*event.resource);
  if (event.metadata != nullptr) out.metadata = Document::copy_of(*event.metadata);
  out.type = action_text(event, "type");
  out.target = action_text(event, "target");
  out.description = action_text(event, "description");
  out.trace = action_text(event, "trace_id");
  out.parent = action_text(event, "parent_id");
  if (event.risk) out.risk = ActionRisk(*event.risk);
  return out;
}

/// A text that differs for different clients. The length keeps the two names apart, whatever is in them.
std::string client_name(std::string_view credential, const Who& who) {
  return fmt::format("{} {}:{}{}", credential, who.agent.size(), who.agent, who.session);
}

}  // namespace

/// A place that is given back when the scope is left, unless it was kept.
class OpenCalls::Place {
 public:
  Place(OpenCalls& calls, const Share& share) : calls_(&calls), share_(share) {}
  ~Place() {
    if (calls_ != nullptr) calls_->free_place(share_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  void keep() { calls_ = nullptr; }

 private:
  OpenCalls* calls_;
  const Share& share_;
};

OpenCalls::OpenCalls(Runtime runtime, OpenCallOptions options) : runtime_(std::move(runtime)), options_(options) {}

OpenCalls::~OpenCalls() { stop(); }

Result<CallStart> OpenCalls::begin(const Event& event, std::string_view flaw, std::string_view credential,
                                   size_t bytes) {
  if (event.stage != Stage::before) return Error{"bad_event", "a call begins in the before stage"};
  Action action = action_of(event);
  auto attributes = identity_attributes(event);
  if (!attributes) return Error{"bad_event", attributes.error().message};
  Who who;
  who.attributes = std::move(*attributes);
  auto identity = runtime_.identity(std::move(who));
  if (!identity) return Error{"bad_event", identity.error().message};
  action.identity = *identity;

  const Share share{std::string(credential), client_name(credential, identity->who()), bytes};
  if (auto taken = take_place(share); !taken) return taken.error();
  Place place(*this, share);
  std::string capability = action.capability;
  BegunCall call = runtime_.begin(std::move(action), std::string(flaw));
  CallStart out;
  if (!call.may_execute()) {
    const Outcome<Document> ended = call.outcome();
    out.id = ended.action().hex();
    out.decision = before_json(capability, call.before(), &ended);
    return out;
  }
  out.id = call.action().hex();
  out.decision = before_json(capability, call.before(), nullptr);
  if (redacts(call.before())) out.input = to_json(call.input());
  if (!open(out.id, {std::move(call), std::move(capability), share, {}})) {
    return Error{"stopping", "the service is stopping"};
  }
  place.keep();
  return out;
}

/// Takes a place for a call that is about to open.
Result<void> OpenCalls::take_place(const Share& share) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return Error{"stopping", "the service is stopping"};
  const auto room_of = [](const auto& rooms, const std::string& name) {
    const auto found = rooms.find(name);
    return found == rooms.end() ? Room() : found->second;
  };
  const auto is_full = [&](const Room& room, size_t calls, size_t bytes) {
    // A single request may be larger than a share.
    return room.calls >= calls || (room.calls > 0 && room.bytes + share.bytes > bytes);
  };
  const size_t most_bytes = options_.most_bytes;
  const size_t of_credential = options_.most - options_.most / 4;
  const Room client = room_of(clients_, share.client), credential = room_of(credentials_, share.credential);
  const std::pair<const Room*, bool> rooms[] = {
      {&client, is_full(client, std::min(options_.most_of_client, of_credential), most_bytes / 8)},
      {&credential, is_full(credential, of_credential, most_bytes - most_bytes / 4)},
      {&all_, is_full(all_, options_.most, most_bytes)}};
  static constexpr std::string_view kWhose[] = {"of this agent in this session", "with this credential", "altogether"};
  for (size_t i = 0; i < std::size(rooms); ++i) {
    if (!rooms[i].second) continue;
    return Error{"too_many_calls", fmt::format("{} calls {} wait for their outcomes already, with {} bytes",
                                               rooms[i].first->calls, kWhose[i], rooms[i].first->bytes)};
  }
  if (!watched_) watched_ = watcher_.start([this] { watch_deadlines(); });
  if (!watched_) return Error{"no_thread", "the system has no thread that could watch the calls"};
  Room& client_room = clients_[share.client];
  Room& credential_room = credentials_[share.credential];  // the first room stays without calls if this throws
  for (Room* room : {&client_room, &credential_room, &all_}) {
    ++room->calls;
    room->bytes += share.bytes;
  }
  ++busy_;
  return {};
}

/// Gives back the place of a call that is about to open or to end.
void OpenCalls::free_place(const Share& share) noexcept {
  const std::lock_guard lock(mutex_);
  const auto leave = [&](auto& rooms, const std::string& name) {
    const auto found = rooms.find(name);
    if (--found->second.calls == 0) {
      rooms.erase(found);
    } else {
      found->second.bytes -= share.bytes;
    }
  };
  leave(clients_, share.client);
  leave(credentials_, share.credential);
  --all_.calls;
  all_.bytes -= share.bytes;
  --busy_;
  changed_.notify_all();
}

/// Keeps a call that has begun. @returns false if the service stops; the call was then not executed
bool OpenCalls::open(const std::string& id, OpenCall call) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      const auto deadline = deadlines_.emplace(Clock::now() + options_.wait, id);
      call.deadline = deadline;
      try {
        open_.emplace(id, std::move(call));
      } catch (...) {
        deadlines_.erase(deadline);
        throw;
      }
      --busy_;
      changed_.notify_all();
      return true;
    }
  }
  (void)call.call.finish_unexecuted("the service is stopping");
  return false;
}

/// Takes a call out, to end it. The lock is held. Its place stays taken.
OpenCalls::OpenCall OpenCalls::take(Calls::iterator at) {
  OpenCall out = std::move(at->second);
  deadlines_.erase(out.deadline);
  open_.erase(at);
  ++busy_;
  return out;
}

Result<CallEnd> OpenCalls::finish(std::string_view id, std::string_view credential, Result<Document> outcome) {
  std::unique_lock lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end() || found->second.share.credential != credential) {
    return Error{"unknown_call", "no call of this id is open"};
  }
  OpenCall call = take(found);
  lock.unlock();
  const Place place(*this, call.share);
  const Outcome<Document> ended = call.call.finish(std::move(outcome));
  CallEnd out;
  out.decision = after_json(call.capability, call.call.after(), ended);
  if (ended.has_value() && redacts(call.call.after())) out.output = ended.value().json();
  return out;
}

/// Ends a call that was taken, and whose outcome nobody reported.
void OpenCalls::end_unknown(OpenCall call, bool in_time) noexcept {
  try {
    (void)call.call.finish(in_time ? Error{"stopped", "the service stopped before an outcome was reported"}
                                   : Error{"no_outcome", fmt::format("no outcome was reported within {} s",
                                                                     options_.wait.count() / 1000)});
  } catch (const std::exception&) {  // no memory for the texts; the call's own end records it
  }
  free_place(call.share);
}

/// Ends calls whose time is over, until the service stops.
void OpenCalls::watch_deadlines() noexcept {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (deadlines_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto [deadline, id] = std::pair<Clock::time_point, std::string_view>(*deadlines_.begin());
    if (Clock::now() < deadline) {
      changed_.wait_until(lock, deadline);
      continue;
    }
    OpenCall call = take(open_.find(id));
    lock.unlock();
    end_unknown(std::move(call), false);
    lock.lock();
  }
}

void OpenCalls::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  while (!open_.empty()) {
    OpenCall call = take(open_.begin());
    lock.unlock();
    end_unknown(std::move(call), true);
    lock.lock();
  }
  changed_.wait(lock, [&] { return busy_ == 0; });
}

size_t OpenCalls::count() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

}  // namespace ordain::server
