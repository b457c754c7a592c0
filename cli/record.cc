#include "cli/record.h"

#include "cli/terminal.h"

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

bool Recorder::add(const detail::EventReader& reader, const Decision& decision) {
  DecidedFacts facts;
  facts.capability = reader.capability();
  facts.stage = reader.call().stage();
  facts.time_ns = reader.now().seconds * 1'000'000'000 + reader.now().nanos;
  facts.who = {reader.fact("agent"), reader.fact("principal"), reader.fact("tenant"), reader.fact("environment"),
               reader.fact("session")};
  facts.input = reader.fact("input");
  facts.output = reader.fact("output");
  facts.resource = reader.fact("resource");
  facts.metadata = reader.fact("metadata");
  facts.action = reader.fact("action");
  facts.risk = reader.risk();
  facts.rejected = reader.flaw();
  return check(recorder_->add(reader.call().program(), facts, decision));
}

bool Recorder::close() { return check(recorder_->flush()); }

}  // namespace ordain::cli
