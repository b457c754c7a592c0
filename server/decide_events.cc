// Decides events with pooled readers. A reader belongs to one program, so those of an earlier
// program are dropped.
#include "server/decide_events.h"

#include <chrono>
#include <utility>

namespace ordain::server {
namespace {

constexpr size_t kMostIdleWorkers = 16;

}  // namespace

EventDecider::EventDecider(Runtime runtime, DecideOptions options, std::shared_ptr<Telemetry> telemetry)
    : runtime_(std::move(runtime)), options_(options), telemetry_(std::move(telemetry)) {}

std::unique_ptr<EventDecider::Worker> EventDecider::take_worker() const {
  std::shared_ptr<const Program> program = runtime_.program();
  std::vector<std::unique_ptr<Worker>> outdated;  // freed after the lock
  {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      std::unique_ptr<Worker> worker = std::move(idle_.back());
      idle_.pop_back();
      if (worker->program == program) return worker;
      outdated.push_back(std::move(worker));
    }
  }
  return std::make_unique<Worker>(std::move(program));
}

void EventDecider::give_back(std::unique_ptr<Worker> worker) const {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdleWorkers) idle_.push_back(std::move(worker));
}

template <typename Text>
Result<void> EventDecider::decide_text(const Text& text, const Visit& visit) const {
  std::unique_ptr<Worker> worker = take_worker();
  const EventReader& reader = worker->reader;
  Result<void> read = worker->reader.read(text);
  if (read) {
    const auto start = std::chrono::steady_clock::now();
    const Decision decision = decide_all(reader.call(), reader.context(), worker->scratch, options_);
    if (telemetry_ != nullptr) {
      const bool named = decision.rule < worker->program->rules().size();
      telemetry_->decided({.stage = reader.call().stage(),
                           .effect = decision.effect,
                           .code = decision.code,
                           .rule = named ? std::string_view(worker->program->rules()[decision.rule].name) : "",
                           .capability = reader.event().capability,
                           .elapsed = std::chrono::steady_clock::now() - start});
    }
    visit(reader, decision);
  }
  give_back(std::move(worker));
  return read;
}

Result<void> EventDecider::decide(std::string_view event, const Visit& visit) const {
  return decide_text(event, visit);
}

Result<void> EventDecider::decide(const EventParts& parts, const Visit& visit) const {
  return decide_text(parts, visit);
}

}  // namespace ordain::server
