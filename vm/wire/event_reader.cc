// EventReader turns an event's JSON into the call and the context of one program.
#include <fmt/format.h>

#include "vm/wire/event.h"

namespace ordain {

struct EventReader::State {
  State(std::shared_ptr<const Program> program, EventReaderOptions options)
      : now(options.now), parser(std::move(options.warn)), binder(std::move(program)) {}

  template <typename Text>
  Result<void> read(const Text& text) {
    event = detail::EventFacts();
    Result<void> parsed = parser.parse(text);
    if (!parsed) {
      binder.reject(parsed.error().message);
      return parsed;
    }
    event = parser.event();
    if (!event.now) event.now = now ? *now : timestamp_of_nanos(system_time_ns());
    std::vector<std::string> unknown;
    binder.bind(event, parser.context_key(), [&](Context& context) { parser.fill(context, &unknown); }, &unknown);
    for (const std::string& name : unknown) parser.warn_once(name, "undeclared attribute");
    return parsed;
  }

  std::optional<TimeParts> now;
  detail::EventParser parser;
  detail::FactBinder binder;
  detail::EventFacts event;
};

EventReader::EventReader(std::shared_ptr<const Program> program, EventReaderOptions options)
    : state_(std::make_unique<State>(std::move(program), std::move(options))) {
  state_->binder.reject("no event was read");
}
EventReader::EventReader(EventReader&&) noexcept = default;
EventReader& EventReader::operator=(EventReader&&) noexcept = default;
EventReader::~EventReader() = default;

Result<void> EventReader::read(std::string_view json) { return state_->read(json); }
Result<void> EventReader::read(const EventParts& parts) { return state_->read(parts); }

const Call& EventReader::call() const& { return state_->binder.call(); }
Call& EventReader::call() & { return state_->binder.call(); }
const Context& EventReader::context() const& { return state_->binder.context(); }
const Event& EventReader::event() const& { return state_->event; }
const std::string& EventReader::flaw() const& { return state_->parser.flaw(); }

void EventReader::keep_all_contexts() { state_->binder.keep_all_contexts(); }
size_t EventReader::contexts() const { return state_->binder.contexts(); }

}  // namespace ordain
