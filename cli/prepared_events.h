// Events read once and then decided again and again, without reading JSON each time.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/event.h"

namespace ordain::cli {

/// One call: what a host that has resolved its slots once would set. Views into the PreparedEvents that made it.
struct PreparedCall {
  CapabilityRef capability;
  Stage stage = Stage::before;
  const Context* context = nullptr;
  std::vector<std::pair<SlotId, Value>> facts;
  std::string rejected;  ///< why the facts do not fit; "" if they do

  /// Begins the call anew and sets every field of it.
  void fill(Call& call) const {
    call.begin(capability, stage);
    for (const auto& [slot, value] : facts) call.set(slot, value);
    if (!rejected.empty()) call.reject(rejected);
  }
};

/// The events of a run, for one program. Contexts are made once per distinct agent, principal, tenant, environment and
/// session. Filling from it is thread-safe once all have been added.
class PreparedEvents {
 public:
  PreparedEvents(std::shared_ptr<const Program> program, EventReaderOptions reading);

  /// Reads one event. On an error, as of EventReader::read, it keeps nothing.
  Result<void> add(std::string_view line);

  const std::vector<PreparedCall>& calls() const { return calls_; }
  size_t contexts() const { return reader_.contexts(); }
  const std::shared_ptr<const Program>& program() const { return program_; }

 private:
  std::shared_ptr<const Program> program_;
  EventReader reader_;
  Arena arena_;
  Call blank_;  ///< what `begin` alone sets
  std::vector<PreparedCall> calls_;
};

}  // namespace ordain::cli
