#include "cli/prepared_events.h"

namespace ordain::cli {

PreparedEvents::PreparedEvents(std::shared_ptr<const Program> program, Now now, EventReader::Warn warn)
    : program_(program), reader_(program, now, std::move(warn)), arena_(1 << 16), blank_(program) {}

std::optional<EventError> PreparedEvents::add(std::string_view line) {
  if (auto wrong = reader_.read(line)) return wrong;
  const Call& call = reader_.call();
  PreparedCall out;
  out.capability = call.capability();
  out.capability.name = arena_.copy(reader_.capability());
  out.stage = call.stage();
  out.context = &reader_.context();
  if (call.error().failed) out.rejected = call.error().message;
  blank_.begin(out.capability, out.stage);
  const Schema& schema = program_->schema();
  for (SlotId slot = 0; out.rejected.empty() && slot < schema.slots.size(); ++slot) {
    if (schema.slots[slot].bank != Bank::call) continue;
    const uint32_t index = schema.slots[slot].index;
    const Value& value = call.slots().values[index];
    const Value& begun = blank_.slots().values[index];
    if (value.present() && (!begun.present() || !equal(value, begun))) {
      out.facts.emplace_back(slot, copy_value(arena_, value));
    }
  }
  calls_.push_back(std::move(out));
  return std::nullopt;
}

}  // namespace ordain::cli
