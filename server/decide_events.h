// EventDecider decides events as JSON with the program in force, on any number of threads.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "ordain/event.h"
#include "ordain/runtime.h"

namespace ordain::server {

/// Decides events without executing, asking or recording anything. Thread-safe: each decision takes
/// a reader and a Scratch out of a pool.
class EventDecider {
 public:
  /// Sees one decision. The reader's and the decision's views live until it returns.
  using Visit = std::function<void(const EventReader& reader, const Decision& decision)>;

  /// @param telemetry counts the decisions; may be nullptr
  EventDecider(Runtime runtime, DecideOptions options, std::shared_ptr<Telemetry> telemetry);

  /// Decides one event, listing every matching rule. @returns error "bad_json" or "bad_event".
  Result<void> decide(std::string_view event, const Visit& visit) const;
  /// The same for an event whose host's facts and agent's texts are apart.
  Result<void> decide(const EventParts& parts, const Visit& visit) const;

 private:
  struct Worker {
    explicit Worker(std::shared_ptr<const Program> of) : program(of), reader(std::move(of)) {}
    std::shared_ptr<const Program> program;
    EventReader reader;
    Scratch scratch;
  };
  std::unique_ptr<Worker> take_worker() const;
  void give_back(std::unique_ptr<Worker> worker) const;
  template <typename Text>
  Result<void> decide_text(const Text& text, const Visit& visit) const;

  Runtime runtime_;
  DecideOptions options_;
  std::shared_ptr<Telemetry> telemetry_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace ordain::server
