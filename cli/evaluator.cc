#include "cli/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "cli/input.h"
#include "cli/terminal.h"
#include "ordain/decision_json.h"

namespace ordain::cli {
namespace {

using Clock = std::chrono::steady_clock;

// The lines of a chunk that are not blank, and their numbers.
class Lines {
 public:
  explicit Lines(const detail::Chunk& chunk) : rest_(chunk.text), number_(chunk.first_line - 1) {}

  bool next(std::string_view* line) {
    while (!rest_.empty()) {
      const size_t end = std::min(rest_.find('\n'), rest_.size());
      *line = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      if (!is_blank(*line)) return true;
    }
    return false;
  }
  uint64_t number() const { return number_; }

 private:
  std::string_view rest_;
  uint64_t number_;
};

std::string text_line(uint64_t line, const EventReader& reader, const Decision& decision, bool colour) {
  static constexpr std::array<int, 3> kColours = {32, 33, 31};
  const std::string effect = coloured(fmt::format("{:<16}", to_string(decision.effect)),
                                      kColours[static_cast<size_t>(decision.effect)], colour);
  std::string notes;
  for (const Obligation& obligation : decision.obligations) {
    notes += obligation.kind == RuleKind::redact ? fmt::format("; redact {}", obligation.path)
                                                 : fmt::format("; warn: {}", obligation.reason);
  }
  const std::string rule = decision.rule == kNone ? std::string(to_string(decision.code))
                                                  : reader.call().program().rules()[decision.rule].name;
  return fmt::format("{:>5}  {:<6}  {} {:<30} {:<28} {}{}\n", line, to_string(reader.call().stage()), effect,
                     reader.event().capability, rule, decision.reason, notes);
}

}  // namespace

void Warnings::print(const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (printed_.insert(message).second) complain(message);
}

void Tally::add(const Tally& other) {
  for (size_t i = 0; i < effects.size(); ++i) effects[i] += other.effects[i];
  malformed += other.malformed;
  latency.add(other.latency);
}

Evaluator::Evaluator(const Evaluation& evaluation) : evaluation_(evaluation), colour_(wants_colour(stdout)) {}

void Evaluator::decide_lines(detail::Chunk& chunk) {
  Lines lines(chunk);
  for (std::string_view line; recorded_ && lines.next(&line);) {
    EventReader& reader = current_reader();
    if (const auto read = reader.read(line); !read) {
      ++tally_.malformed;
      write_malformed(lines.number(), read.error(), &chunk.out);
      continue;
    }
    const Decision decision = decide_event(reader);
    if (evaluation_.recorder != nullptr) recorded_ = evaluation_.recorder->add(reader, decision);
    write_decision(lines.number(), decision, &chunk.out);
  }
}

EventReader& Evaluator::current_reader() {
  if (!scratch_) scratch_.emplace();
  if (!reader_ || evaluation_.live.version() != version_) {
    const auto pin = evaluation_.live.pin();
    version_ = pin.version();
    EventReaderOptions reading{.warn = [this](const std::string& message) { evaluation_.warnings->print(message); }};
    if (!evaluation_.clock_per_event) reading.now = evaluation_.now;
    reader_.emplace(pin.shared(), std::move(reading));
  }
  return *reader_;
}

Decision Evaluator::decide_event(const EventReader& reader) {
  // Neither printed nor recorded, a decision needs no list of every rule that matches.
  const bool all = evaluation_.format != DecisionFormat::none || evaluation_.recorder != nullptr;
  const auto start = Clock::now();
  const Decision out = (all ? decide_all : decide)(reader.call(), reader.context(), *scratch_, evaluation_.decide);
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start);
  tally_.latency.add(static_cast<uint64_t>(took.count()));
  ++tally_.effects[static_cast<size_t>(out.effect)];
  return out;
}

void Evaluator::write_decision(uint64_t line, const Decision& decision, std::string* out) const {
  if (evaluation_.format == DecisionFormat::json) {
    *out += decision_json(reader_->call(), decision, line) + "\n";
  } else if (evaluation_.format == DecisionFormat::text) {
    *out += text_line(line, *reader_, decision, colour_);
  }
}

void Evaluator::write_malformed(uint64_t line, const Error& error, std::string* out) const {
  if (evaluation_.format == DecisionFormat::json) {
    *out += error_json(error, line) + "\n";
  } else if (evaluation_.format == DecisionFormat::text) {
    *out += fmt::format("{:>5}  malformed: {}\n", line, error.message);
  }
}

}  // namespace ordain::cli
