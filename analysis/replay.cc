// Replays: one thread reads (replay_chunks), several decide chunks, and their sums are added up.
// The order among threads does not matter: each keeps the first examples that it sees, and the
// first examples of all are among them.
#include "ordain/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "analysis/late_outcomes.h"
#include "analysis/recorded.h"
#include "analysis/replay_chunks.h"
#include "analysis/replay_fold.h"
#include "analysis/replay_tally.h"
#include "analysis/story_world.h"
#include "analysis/unknown.h"
#include "ordain/time_text.h"
#include "vm/value/start_thread.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

/// The answers of one program.
struct Side {
  explicit Side(const std::shared_ptr<const Program>& of) : program(of), binder(of), unknown(of) {}
  std::shared_ptr<const Program> program;
  FactBinder binder;
  UnknownFacts unknown;
  Scratch scratch;
  Arena arena{4096};
  Verdict verdict;
};

/// What one thread needs to judge calls.
class Judge {
 public:
  Judge(const std::shared_ptr<const Program>& program, const std::shared_ptr<const Program>& against,
        const ReplayOptions& options)
      : options_(options),
        new_(program),
        old_(against == nullptr ? nullptr : std::make_unique<Side>(against)),
        tally_(options.examples),
        recorded_(new_.binder.reads_action() || (old_ != nullptr && old_->binder.reads_action())) {}

  void judge(const ReplayChunk& chunk) {
    for (const ReplayChunk::Item& item : chunk.items) {
      judge_record(item.number, chunk.at(item.begin, item.size), chunk.at(item.intent_begin, item.intent_size));
    }
    if (chunk.first_line == 0) return;
    for_each_line(chunk, [this](uint64_t number, std::string_view line) { judge_line(number, line); });
  }

  ReplayTally& tally() { return tally_; }

 private:
  void judge_record(uint64_t number, std::string_view body, std::string_view intent) {
    const std::string problem = recorded_.read(body, intent);
    const RecordView& record = recorded_.record();
    const ReplayCall call{number, record.stage, record.capability, record.agent, record.approval};
    if (!problem.empty()) return tally_.indeterminate(call, "", "", problem);
    if (record.kind == RecordKind::lost || !record.decided) return tally_.skip();
    const EventFacts& event = recorded_.event();
    const auto fill = [&](Context& context) { recorded_.fill(context); };
    misfit_ = record.code == DecisionCode::invalid_input;
    if (!decide(new_, call, event, recorded_.context_key(), fill, recorded_.unknown())) return;
    if (old_ == nullptr) return tally_.compare(call, set_recorded(recorded_verdict_, record), new_.verdict);
    if (!decide(*old_, call, event, recorded_.context_key(), fill, recorded_.unknown())) return;
    tally_.compare(call, old_->verdict, new_.verdict);
  }

  void judge_line(uint64_t number, std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    if (auto parsed = parser_.parse(line); !parsed) return tally_.malformed(number, parsed.error().message);
    EventFacts event = parser_.event();
    misfit_ = false;
    const std::span<const std::string_view> unknown = set_time(event, options_.now_ns);
    const ReplayCall call{number, event.stage, event.capability, story_id(event.agent), ""};
    const auto fill = [&](Context& context) { parser_.fill(context, nullptr); };
    if (decide(new_, call, event, parser_.context_key(), fill, unknown) &&
        decide(*old_, call, event, parser_.context_key(), fill, unknown)) {
      tally_.compare(call, old_->verdict, new_.verdict);
    }
  }

  /// Fills the side's verdict. @returns false if it cannot be determined.
  template <typename Fill>
  bool decide(Side& side, const ReplayCall& call, const EventFacts& event, std::string_view key, const Fill& fill,
              std::span<const std::string_view> unknown) {
    if (unknown.empty()) {
      side.binder.bind(event, key, fill);
      set_decided(side.verdict, *side.program,
                  ordain::decide(side.binder.call(), side.binder.context(), side.scratch, options_.decide));
      return true;
    }
    side.arena.reset();
    const auto bind = [&](const EventFacts& as) { side.binder.bind(as, key, fill); };
    const UnknownFacts::Answer answer =
        side.unknown.decide(side.binder, event, unknown, side.arena, side.scratch, options_.decide, bind);
    if (!answer.known) {
      tally_.indeterminate(call, answer.rule, answer.path, why(side, answer));
      return false;
    }
    if (misfit_ && answer.decision.effect != Effect::deny) {
      // Perhaps the value that the record does not hold was what did not fit.
      const UnknownFacts::Answer unfit{{}, false, "", unknown.front()};
      tally_.indeterminate(call, "", unfit.path, why(side, unfit));
      return false;
    }
    set_decided(side.verdict, *side.program, answer.decision);
    return true;
  }

  static std::string why(const Side& side, const UnknownFacts::Answer& answer) {
    return explain_unknown(*side.program, side.binder.call().capability().id, answer);
  }

  const ReplayOptions& options_;
  Side new_;
  std::unique_ptr<Side> old_;
  ReplayTally tally_;
  RecordedCall recorded_;
  EventParser parser_;
  Verdict recorded_verdict_;
  bool misfit_ = false;  ///< the call of the record did not fit its declaration
};

/// The threads that decide. If fewer can be started than are wanted, those decide all calls, and if there are none, the
/// thread that reads does.
class Court {
 public:
  Court(const std::shared_ptr<const Program>& program, const std::shared_ptr<const Program>& against,
        const ReplayOptions& options)
      : queue_(2 * thread_count(options)) {
    for (unsigned i = 0; i < thread_count(options); ++i) {
      judges_.push_back(std::make_unique<Judge>(program, against, options));
    }
    threads_.reserve(judges_.size());
    for (auto& judge : judges_) {
      threads_.emplace_back();
      if (!threads_.back().start([this, &judge] { work(*judge); })) break;
      has_threads_ = true;
    }
    if (!has_threads_) queue_.serve([this](ReplayChunk& chunk) { judge(*judges_[0], chunk); });
  }
  ~Court() { stop(); }

  ChunkQueue& queue() { return queue_; }

  /// Waits for all threads. @returns the sums, or the error of a thread that failed.
  Result<ReplayReport> finish() {
    stop();
    if (!failure_.empty()) return Error{"internal", failure_};
    for (size_t i = 1; i < judges_.size(); ++i) judges_[0]->tally().add(std::move(judges_[i]->tally()));
    return judges_[0]->tally().finish();
  }

 private:
  static unsigned thread_count(const ReplayOptions& options) {
    return options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  }

  void work(Judge& by) noexcept {
    while (auto chunk = queue_.take_full()) {
      judge(by, *chunk);
      queue_.give_back(std::move(chunk));
    }
  }

  // After a failure, which is out of memory, the rest is passed over: the reader must not wait forever.
  void judge(Judge& by, const ReplayChunk& chunk) {
    try {
      if (!failed_) by.judge(chunk);
    } catch (const std::exception& e) {
      std::lock_guard lock(mutex_);
      failure_ = e.what();
      failed_ = true;
    }
  }

  void stop() {
    queue_.close();
    threads_.clear();  // waits for them
  }

  ChunkQueue queue_;
  std::vector<std::unique_ptr<Judge>> judges_;
  std::mutex mutex_;
  std::string failure_;
  std::atomic<bool> failed_ = false;
  bool has_threads_ = false;
  std::vector<vm::JoinedThread> threads_;  // last: they use the rest
};

using ReplayClock = std::chrono::steady_clock;

double seconds_since(ReplayClock::time_point start) {
  return std::chrono::duration<double>(ReplayClock::now() - start).count();
}

template <typename Read>
Result<ReplayReport> run(const std::shared_ptr<const Program>& program, const std::shared_ptr<const Program>& against,
                         const ReplayOptions& options, const Read& read) {
  const auto start = ReplayClock::now();
  Court court(program, against, options);
  if (Result<void> done = read(court.queue()); !done) return done.error();
  Result<ReplayReport> report = court.finish();
  if (report) report->seconds = seconds_since(start);
  return report;
}

/// Decides the calls in their order, on this thread.
template <typename Read>
Result<ReplayReport> run_in_order(const std::shared_ptr<const Program>& program,
                                  const std::shared_ptr<const Program>& against, const ReplayOptions& options,
                                  const Read& read) {
  const auto start = ReplayClock::now();
  auto fold = ReplayFold::make(program, against, options);
  if (!fold.ok()) return fold.error();
  if (Result<void> done = read(**fold); !done) return done.error();
  ReplayReport report = (*fold)->finish();
  report.seconds = seconds_since(start);
  return report;
}

constexpr uint64_t kRecordsBetweenProgress = 4096;

Result<void> read_in_order(const AuditLog& log, const ReplayOptions& options, ReplayFold& fold) {
  auto late = LateOutcomes::find(log);
  if (!late.ok()) return late.error();
  fold.expect_outcomes(std::move(*late));
  uint64_t done = 0;
  return log.for_each_body(1, [&](uint64_t id, std::string_view body) {
    fold.add_record(id, body);
    if (++done % kRecordsBetweenProgress == 0 && options.progress) options.progress(done);
    return true;
  });
}

}  // namespace

Result<ReplayReport> replay(const AuditLog& log, const std::shared_ptr<const Program>& program,
                            const std::shared_ptr<const Program>& against, const ReplayOptions& options) {
  if (folds_state(*program, against.get())) {
    return run_in_order(program, against, options, [&](ReplayFold& fold) { return read_in_order(log, options, fold); });
  }
  return run(program, against, options, [&](ChunkQueue& queue) {
    RecordReader reader(queue, options);
    Result<void> done = log.for_each_body(1, [&](uint64_t id, std::string_view body) {
      reader.add(id, body);
      return true;
    });
    reader.pass_on();
    return done;
  });
}

Result<ReplayReport> replay(std::istream& events, const std::shared_ptr<const Program>& program,
                            const std::shared_ptr<const Program>& against, const ReplayOptions& options) {
  if (against == nullptr) {
    return Error{"needs_against",
                 "events hold no verdict to compare with; give the policies that they were decided by"};
  }
  if (folds_state(*program, against.get())) {
    return run_in_order(program, against, options, [&](ReplayFold& fold) {
      ChunkQueue queue(1);
      queue.serve([&](ReplayChunk& chunk) {
        for_each_line(chunk, [&](uint64_t number, std::string_view line) { fold.judge_line(number, line); });
      });
      return read_lines(events, queue, options);
    });
  }
  return run(program, against, options, [&](ChunkQueue& queue) { return read_lines(events, queue, options); });
}

}  // namespace ordain
