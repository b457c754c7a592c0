#include "ordain/prepared_events.h"

#include "vm/wire/event.h"

namespace ordain {

struct PreparedEvents::State {
  State(const std::shared_ptr<const Program>& program, detail::Now now, detail::EventReader::Warn warn)
      : reader(program, now, std::move(warn)), arena(1 << 16), blank(program) {
    reader.keep_all_contexts();
  }

  detail::EventReader reader;
  Arena arena;
  Call blank;  ///< shows what `begin` alone sets
};

PreparedEvents::PreparedEvents(std::shared_ptr<const Program> program, int64_t now_ns,
                               std::function<void(const std::string&)> warn)
    : program_(std::move(program)),
      state_(std::make_unique<State>(program_, detail::now_at(now_ns), std::move(warn))) {}

PreparedEvents::~PreparedEvents() = default;

size_t PreparedEvents::contexts() const { return state_->reader.contexts(); }

Result<void> PreparedEvents::add(std::string_view json) {
  const detail::EventReader& reader = state_->reader;
  if (auto wrong = state_->reader.read(json)) return Error{wrong->code, wrong->message};
  const Call& call = reader.call();
  PreparedCall out;
  out.capability = call.capability();
  out.capability.name = state_->arena.copy(reader.capability());
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
      out.facts.emplace_back(slot, copy_value(state_->arena, value));
    }
  }
  calls_.push_back(std::move(out));
  return {};
}

}  // namespace ordain
