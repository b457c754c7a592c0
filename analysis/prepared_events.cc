// Prepares events: reads each one once and keeps the fields that it sets.
#include "ordain/prepared_events.h"

namespace ordain {

struct PreparedEvents::State {
  State(const std::shared_ptr<const Program>& program, EventReaderOptions reading)
      : reader(program, std::move(reading)), arena(1 << 16), blank(program) {
    reader.keep_all_contexts();
  }

  EventReader reader;
  Arena arena;
  Call blank;  ///< shows which slots `begin` alone sets
};

PreparedEvents::PreparedEvents(std::shared_ptr<const Program> program, EventReaderOptions reading)
    : program_(std::move(program)), state_(std::make_unique<State>(program_, std::move(reading))) {}

PreparedEvents::~PreparedEvents() = default;

size_t PreparedEvents::contexts() const { return state_->reader.contexts(); }

Result<void> PreparedEvents::add(std::string_view json) {
  const EventReader& reader = state_->reader;
  if (auto read = state_->reader.read(json); !read) return read;
  const Call& call = reader.call();
  PreparedCall out;
  out.capability = call.capability();
  out.capability.name = state_->arena.copy(reader.event().capability);
  out.stage = call.stage();
  out.context = &reader.context();
  if (call.error().failed) out.rejected = call.error().message;
  state_->blank.begin(out.capability, out.stage);
  const Schema& schema = program_->schema();
  for (SlotId slot = 0; out.rejected.empty() && slot < schema.slots.size(); ++slot) {
    if (schema.slots[slot].bank != Bank::call) continue;
    const uint32_t index = schema.slots[slot].index;
    const Value& value = call.slots().values[index];
    const Value& begun = state_->blank.slots().values[index];
    if (value.present() && (!begun.present() || !equal(value, begun))) {
      out.facts.emplace_back(program_->slot(slot), copy_value(state_->arena, value));
    }
  }
  calls_.push_back(std::move(out));
  return {};
}

}  // namespace ordain
