#include "cli/record.h"

#include "cli/terminal.h"
#include "ordain/time_text.h"

namespace ordain::cli {
namespace {

// Complains of an error. @returns whether there was none
bool check(const Result<void>& done) {
  if (!done) complain(done.error().message);
  return done.ok();
}

}  // namespace

std::unique_ptr<Recorder> Recorder::open(const Where& where) {
  AuditOptions options{.durability = Durability::async, .queue_wait = std::chrono::seconds(60)};
  options.checkpoint_file = where.checkpoints;
  if (!where.key.empty()) {
    auto key = PrivateKey::load(where.key);
    if (!key) {
      complain(key.error().message);
      return nullptr;
    }
    options.key = *key;
  }
  auto recorder = DecisionRecorder::open(where.directory, options);
  if (!recorder) {
    complain(recorder.error().message);
    return nullptr;
  }
  auto out = std::make_unique<Recorder>();
  out->recorder_ = std::move(*recorder);
  return out;
}

bool Recorder::add(const EventReader& reader, const Decision& decision) {
  const Event& event = reader.event();
  DecidedFacts facts;
  facts.capability = event.capability;
  facts.stage = event.stage;
  if (__builtin_mul_overflow(event.now->seconds, int64_t{1'000'000'000}, &facts.time_ns) ||
      __builtin_add_overflow(facts.time_ns, int64_t{event.now->nanos}, &facts.time_ns)) {
    complain("an event's `now` is " + format_timestamp(event.now->seconds, event.now->nanos) +
             "; records hold times of the years 1678 to 2261");
    return false;
  }
  facts.who = {event.agent, event.principal, event.tenant, event.environment, event.session};
  facts.input = event.input;
  facts.output = event.output;
  facts.resource = event.resource;
  facts.metadata = event.metadata;
  facts.action = event.action;
  facts.risk = event.risk;
  facts.rejected = reader.flaw();
  return check(recorder_->add(reader.call().program(), facts, decision));
}

bool Recorder::close() { return check(recorder_->flush()); }

}  // namespace ordain::cli
