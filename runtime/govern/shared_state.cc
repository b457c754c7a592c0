// shared_state.cc opens the store of a runtime, and renews its lease while it lives.
#include "runtime/govern/shared_state.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "runtime/state/zones.h"
#include "vm/value/start_thread.h"

namespace ordain::detail {
namespace {

constexpr std::chrono::minutes kRenewEvery{5};  // a third of the lease

/// A host that sets the time sets it for ages, too.
state::ClockReading host_clock_reading(int64_t now_ns) {
  state::ClockReading out;
  out.boot_ns = out.wall_ns = now_ns;
  return out;
}

}  // namespace

std::string_view state_code(const Error& error) {
  constexpr std::array<std::string_view, 4> kOwn = {"missing_context", "evaluation_error", "state_full",
                                                    "unknown_zone"};
  const auto found = std::find(kOwn.begin(), kOwn.end(), error.code);
  return found != kOwn.end() ? *found : "state_unavailable";
}

SharedState::~SharedState() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  ending_.notify_all();
  if (renewer_.joinable()) renewer_.join();
}

void SharedStateDeleter::operator()(SharedState* state) const {
  if (!state->process_.is_child()) delete state;
}

Result<state::Store*> SharedState::open(const Program& program) {
  if (process_.is_child()) return Error{"database_error", "the state was opened before this process was forked"};
  const std::lock_guard lock(mutex_);
  if (store_ != nullptr) return store_.get();
  state::StoreOptions options;
  if (options_.clock) options.clock = [clock = options_.clock] { return host_clock_reading(clock()); };
  options.zone_offset = state::zones_of(program);
  options.full_sync = options_.audit.durability == Durability::sync;
  auto opened = options_.database.empty() ? state::Store::make_local(std::move(options))
                                          : state::Store::open(options_.database, std::move(options));
  if (!opened.ok()) return opened.error();
  store_ = std::move(*opened);
  // Without the thread, holds of calls that run for longer than a lease end early.
  (void)vm::start_thread(&renewer_, [this] { keep_renewing(); });
  return store_.get();
}

void SharedState::keep_renewing() {
  std::unique_lock lock(mutex_);
  while (!ending_.wait_for(lock, kRenewEvery, [this] { return ends_; })) {
    state::Store& store = *store_;
    lock.unlock();
    try {
      (void)store.renew();  // if it fails, the next may not
    } catch (...) {         // out of memory: likewise
    }
    lock.lock();
  }
}

}  // namespace ordain::detail
