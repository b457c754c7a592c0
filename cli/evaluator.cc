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

// A line of text; on a terminal, the reason follows on a second one if it does not fit.
const std::vector<Column>& line_columns() {
  static const std::vector<Column> kColumns = {{"event", 5, 0, true},  {"stage", 7},     {"effect", 16},
                                               {"capability", 30, 16}, {"rule", 28, 16}, {"reason", 0, 30}};
  return kColumns;
}

Row row_of(uint64_t line, const EventReader& reader, const Decision& decision) {
  static constexpr std::array<int, 3> kColours = {32, 33, 31};
  std::string reason(decision.reason);
  for (const Obligation& obligation : decision.obligations) {
    reason += obligation.kind == RuleKind::redact ? fmt::format("; redact {}", obligation.path)
                                                  : fmt::format("; warn: {}", obligation.reason);
  }
  return {std::to_string(line),
          std::string(to_string(reader.call().stage())),
          {std::string(to_string(decision.effect)), kColours[static_cast<size_t>(decision.effect)]},
          std::string(reader.event().capability),
          decision.rule == kNone ? std::string(to_string(decision.code))
                                 : reader.call().program().rules()[decision.rule].name,
          std::move(reason)};
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

Evaluator::Evaluator(const Evaluation& evaluation)
    : evaluation_(evaluation), colour_(wants_colour(stdout)), layout_(line_columns(), terminal_width(stdout)) {}

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
  if (!scratch_) scratch_.emplace(Scratch::kUsualBytes, false);
  if (!reader_ || evaluation_.live.version() != version_) {
    const auto pin = evaluation_.live.pin();
    version_ = pin.version();
    EventReaderOptions reading{.warn = [this](const std::string& message) { evaluation_.warnings->print(message); }};
    if (!evaluation_.clock_per_event) reading.now = evaluation_.now;
    reader_.emplace(pin.shared(), std::move(reading));
  }
  return *reader_;
}

Decision Evaluator::decide_event(EventReader& reader) {
  // Neither printed nor recorded, a decision needs no list of every rule that matches.
  const bool all = evaluation_.format != DecisionFormat::none || evaluation_.recorder != nullptr;
  const auto start = Clock::now();
  const Decision out = evaluation_.stories != nullptr ? evaluation_.stories->decide(reader, *scratch_)
                       : all ? decide_all(reader.call(), reader.context(), *scratch_, evaluation_.decide)
                             : decide(reader.call(), reader.context(), *scratch_, evaluation_.decide);
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start);
  tally_.latency.add(static_cast<uint64_t>(took.count()));
  ++tally_.effects[static_cast<size_t>(out.effect)];
  return out;
}

void Evaluator::write_decision(uint64_t line, const Decision& decision, std::string* out) const {
  if (evaluation_.format == DecisionFormat::json) {
    *out += decision_json(reader_->call(), decision, line) + "\n";
  } else if (evaluation_.format == DecisionFormat::text) {
    *out += layout_.line_of(row_of(line, *reader_, decision), colour_);
  }
}

void Evaluator::write_malformed(uint64_t line, const Error& error, std::string* out) const {
  if (evaluation_.format == DecisionFormat::json) {
    *out += error_json(error, line) + "\n";
  } else if (evaluation_.format == DecisionFormat::text) {
    *out += format_for_terminal("{:>5}  malformed: {}\n", line, error.message);
  }
}

}  // namespace ordain::cli
