// OpenAction is what the runtime keeps of an action that the host executes by itself, until the host
// reports how it ended.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ordain/identity.h"
#include "ordain/json.h"
#include "ordain/runtime.h"
#include "runtime/state/metering.h"

namespace ordain::detail {

struct OpenAction {
  OpenAction(Identity identity, uint64_t of_core) : who(std::move(identity)), core(of_core) {}

  const Identity who;
  const uint64_t core;  ///< serial of the core that authorized it, whose store `call` uses
  std::shared_ptr<const Program> program;
  std::shared_ptr<const state::Meter> meter;  ///< used by `call`
  std::unique_ptr<state::MeteredCall> call;   ///< nullptr if nothing is remembered of the action
  Id128 id;                                   ///< of the action, in its records
  std::string trace;
  bool observed = false;    ///< authorized under observe
  bool hides_keys = false;  ///< its records have digests in place of the keys of states
  std::string capability;
  Document input, resource, metadata;
  std::vector<std::string> approved_by;

  std::mutex mutex;
  bool reported = false;
};

}  // namespace ordain::detail
