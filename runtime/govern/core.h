// core is the state that all handles of one runtime share.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "ordain/live_program.h"
#include "ordain/runtime.h"
#include "ordain/time_text.h"
#include "runtime/audit/writer.h"
#include "runtime/govern/shared_state.h"
#include "runtime/govern/worker.h"
#include "runtime/identity/fork.h"
#include "runtime/state/freeze_watch.h"

namespace ordain::detail {

struct Core {
  Core(std::shared_ptr<const Program> first, RuntimeOptions given, Identity who, ApprovalStore store)
      : options(std::move(given)),
        identity(std::move(who)),
        approvals(std::move(store)),
        digest_key(options.audit.digest_key ? *options.audit.digest_key : DigestKey::generate()),
        digest_key_id(digest_key.id()),
        live(std::move(first)) {
    live.on_collect([this] { release_idle(); });
  }

  RuntimeOptions options;
  Identity identity;
  mutable ApprovalStore approvals;
  OwnedWriter audit;           ///< nullptr if nothing is recorded
  const DigestKey digest_key;  ///< of redacted values
  const std::array<uint8_t, 8> digest_key_id;
  DigestKey secret_key = DigestKey::generate();  ///< of secret fields; opening the database directory sets it
  OwnedState state{new SharedState(options)};    ///< what calls remember

  state::OwnedFreezeWatch freezes{new state::FreezeWatch(options.database)};  ///< what an operator stopped

  const ProcessMark process;

  std::mutex workers_mutex;
  std::vector<std::unique_ptr<Worker>> workers;  ///< all; a thread claims the one it uses
  std::atomic<size_t> held_workers{0};           ///< of these, in calls that hosts hold

  // The host's own rules. Adding one replaces the whole list.
  std::mutex host_rules_mutex;
  std::shared_ptr<const std::vector<HostRule>> host_rules;
  std::atomic<bool> has_host_rules{false};
  std::shared_ptr<const std::vector<HostRule>> current_host_rules() {
    std::lock_guard lock(host_rules_mutex);
    return host_rules;
  }
  const uint64_t serial = next_serial();

  LiveProgram live;  ///< last, because its thread reads the workers

  /// Releases retired programs from the workers that no call uses.
  void release_idle();
  int64_t now() const { return options.clock ? options.clock() : system_time_ns(); }
  int64_t stopwatch() const;
  static uint64_t next_serial();
};

/// Implements Runtime::authorize.
Authorization authorize(Core& core, std::string_view capability, const Value& input, const CallOptions& options);

/// Passes a record to the sinks. @returns false if one of them failed.
bool pass_to_sinks(Core& core, std::string_view body);

struct Ruling;
struct ActionFacts;

/// Copies the ruling, with all its texts and values, out of program and scratch.
DetachedDecision detach(const Program& program, const Ruling& ruling, const ActionFacts& action, int64_t now_ns);

}  // namespace ordain::detail
