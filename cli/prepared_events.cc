#include "cli/prepared_events.h"

namespace ordain::cli {

PreparedEvents::PreparedEvents(std::shared_ptr<const Program> program, EventReaderOptions reading)
    : program_(program), reader_(program, std::move(reading)), arena_(1 << 16), blank_(program) {
  reader_.keep_all_contexts();
}

Result<void> PreparedEvents::add(std::string_view line) {
  if (auto read = reader_.read(line); !read) return read;
  const Call& call = reader_.call();
  PreparedCall out;
  out.capability = call.capability();
  out.capability.name = arena_.copy(reader_.event().capability);
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
  return {};
}

}  // namespace ordain::cli
