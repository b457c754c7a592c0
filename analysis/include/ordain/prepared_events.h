// PreparedEvents are calls that are read from JSON once and can then be decided many times
// without reading them again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/call.h"
#include "ordain/event.h"
#include "ordain/export.h"
#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain {

/// One call, with the fields that a host sets after it has resolved its slots. It refers to its
/// PreparedEvents.
struct PreparedCall {
  CapabilityRef capability;
  Stage stage = Stage::before;
  const Context* context = nullptr;
  std::vector<std::pair<SlotRef, Value>> facts;
  std::string rejected;  ///< why the facts do not fit their declarations; "" if they do

  /// Begins `call` again and sets all its fields.
  void fill(Call& call) const {
    call.begin(capability, stage);
    for (const auto& [slot, value] : facts) call.set(slot, value);
    if (!rejected.empty()) call.reject(rejected);
  }
};

/// Events for one program. Each distinct caller (agent, principal, tenant, environment and session)
/// gets one context. Adding events is not thread-safe; once all are added, several threads may fill
/// calls from them.
class ORDAIN_API PreparedEvents {
 public:
  /// @param reading how events are read, as for an EventReader.
  explicit PreparedEvents(std::shared_ptr<const Program> program, EventReaderOptions reading = {});
  ~PreparedEvents();
  PreparedEvents(const PreparedEvents&) = delete;
  PreparedEvents& operator=(const PreparedEvents&) = delete;

  /// Reads one event, a JSON object as described in docs/cli.md.
  /// @returns error "bad_json" or "bad_event", and then keeps nothing of the event. Facts that do
  /// not fit their declarations are not an error here; the decision denies them.
  Result<void> add(std::string_view json);

  const std::vector<PreparedCall>& calls() const& { return calls_; }  ///< in the order of `add`
  const std::vector<PreparedCall>& calls() const&& = delete;
  size_t contexts() const;  ///< how many distinct callers there are
  const std::shared_ptr<const Program>& program() const& { return program_; }
  std::shared_ptr<const Program> program() const&& { return program_; }

 private:
  struct State;  // what reading needs

  std::shared_ptr<const Program> program_;
  std::unique_ptr<State> state_;
  std::vector<PreparedCall> calls_;
};

}  // namespace ordain
