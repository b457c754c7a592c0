// What one thread of `ordain eval` does with its share of the lines: read events, decide them, record and write the
// decisions, count.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "analysis/event_stories.h"
#include "analysis/line_stream.h"
#include "cli/record.h"
#include "cli/table.h"
#include "ordain/decide.h"
#include "ordain/event.h"
#include "ordain/latency.h"
#include "ordain/live_program.h"

namespace ordain::cli {

/// How decisions are printed.
enum class DecisionFormat { none, text, json };

/// Prints each distinct warning once, across threads.
class Warnings {
 public:
  void print(const std::string& message);

 private:
  std::mutex mutex_;
  std::set<std::string> printed_;
};

/// What the evaluators of one run share.
struct Evaluation {
  const LiveProgram& live;
  TimeParts now;                 ///< of events that do not say theirs
  bool clock_per_event = false;  ///< their `now` is the time when they are read: a service, not a replay
  DecideOptions decide;
  DecisionFormat format = DecisionFormat::text;
  Recorder* recorder = nullptr;             ///< if set, there is one evaluator only
  detail::EventStories* stories = nullptr;  ///< likewise: events are decided with what those before them left
  Warnings* warnings = nullptr;
};

/// How many events were decided, how, and how fast.
struct Tally {
  std::array<uint64_t, 3> effects{};  ///< by Effect
  uint64_t malformed = 0;
  LatencyHistogram latency;  ///< of deciding, in nanoseconds

  void add(const Tally& other);
};

class Evaluator {
 public:
  explicit Evaluator(const Evaluation& evaluation);

  /// Decides every line of the chunk, each by the program that is current when it is read, and fills `chunk.out`.
  void decide_lines(detail::Chunk& chunk);

  const Tally& tally() const { return tally_; }
  bool recorded() const { return recorded_; }  ///< false once the recorder failed; then nothing more is decided

 private:
  EventReader& current_reader();
  Decision decide_event(EventReader& reader);
  void write_decision(uint64_t line, const Decision& decision, std::string* out) const;
  void write_malformed(uint64_t line, const Error& error, std::string* out) const;

  const Evaluation& evaluation_;
  const bool colour_;
  const TableLayout layout_;
  uint64_t version_ = 0;  // of the reader's program
  std::optional<EventReader> reader_;
  std::optional<Scratch> scratch_;  // made for the first line: with few lines, most threads get none
  bool recorded_ = true;
  Tally tally_;
};

}  // namespace ordain::cli
