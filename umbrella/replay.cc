// replay: one thread reads, several decide chunks, and their sums are added up. No order among threads matters: each
// keeps the first examples of what it saw, and the first of all are among those.
#include "ordain/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "ordain/time_text.h"
#include "umbrella/recorded.h"
#include "umbrella/replay_tally.h"
#include "umbrella/unknown.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

constexpr size_t kChunkBytes = 512 << 10;
constexpr size_t kLongestLine = 256 << 20;
constexpr size_t kOpenCalls = 1 << 16;  // intents that may wait for their outcome, twice
constexpr size_t kOpenBytes = 128 << 20;

struct Item {
  uint64_t number = 0;
  size_t begin = 0, size = 0;                // of the body within the chunk's bytes
  size_t intent_begin = 0, intent_size = 0;  // of the intent record's, for an outcome
};

struct Chunk {
  std::string bytes;
  std::vector<Item> items;  // of a log
  uint64_t first_line = 0;  // of events; 0: the chunk is of a log
  void clear() {
    bytes.clear();
    items.clear();
    first_line = 0;
  }
  std::string_view at(size_t begin, size_t size) const { return std::string_view(bytes).substr(begin, size); }
};

/// A bounded queue of chunks, each used again.
class ChunkQueue {
 public:
  explicit ChunkQueue(size_t room) : room_(room) {}

  std::unique_ptr<Chunk> take_empty() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return full_.size() < room_; });
    if (empty_.empty()) return std::make_unique<Chunk>();
    std::unique_ptr<Chunk> out = std::move(empty_.back());
    empty_.pop_back();
    out->clear();
    return out;
  }
  void put(std::unique_ptr<Chunk> chunk) {
    std::lock_guard lock(mutex_);
    full_.push_back(std::move(chunk));
    changed_.notify_all();
  }
  /// nullptr once there will be no more.
  std::unique_ptr<Chunk> take_full() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !full_.empty(); });
    if (full_.empty()) return nullptr;
    std::unique_ptr<Chunk> out = std::move(full_.front());
    full_.pop_front();
    changed_.notify_all();
    return out;
  }
  void give_back(std::unique_ptr<Chunk> chunk) {
    std::lock_guard lock(mutex_);
    empty_.push_back(std::move(chunk));
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  const size_t room_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Chunk>> full_;
  std::vector<std::unique_ptr<Chunk>> empty_;
  bool closed_ = false;
};

/// One program's answers.
struct Side {
  explicit Side(const std::shared_ptr<const Program>& of) : program(of), binder(of), unknown(of) {}
  std::shared_ptr<const Program> program;
  FactBinder binder;
  UnknownFacts unknown;
  Scratch scratch;
  Arena arena{4096};
  Verdict verdict;
};

/// What one thread decides.
class Judge {
 public:
  Judge(const std::shared_ptr<const Program>& program, const std::shared_ptr<const Program>& against,
        const ReplayOptions& options)
      : options_(options),
        new_(program),
        old_(against == nullptr ? nullptr : std::make_unique<Side>(against)),
        tally_(options.examples),
        recorded_(new_.binder.reads_action() || (old_ != nullptr && old_->binder.reads_action())) {}

  void judge(const Chunk& chunk) {
    for (const Item& item : chunk.items) {
      judge_record(item.number, chunk.at(item.begin, item.size), chunk.at(item.intent_begin, item.intent_size));
    }
    uint64_t line = chunk.first_line;
    if (line == 0) return;
    for (std::string_view rest = chunk.bytes; !rest.empty(); ++line) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      judge_line(line, rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  ReplayTally& tally() { return tally_; }

 private:
  void judge_record(uint64_t number, std::string_view body, std::string_view intent) {
    const std::string problem = recorded_.read(body, intent);
    const RecordView& record = recorded_.record();
    const ReplayCall call{number, record.stage, record.capability, record.agent, record.approval};
    if (!problem.empty()) return tally_.indeterminate(call, "", "", problem);
    if (record.kind == RecordKind::lost || !record.decided) return tally_.skip();
    const Event& event = recorded_.event();
    const auto fill = [&](Context& context) { recorded_.fill(context); };
    if (!decide(new_, call, event, recorded_.context_key(), fill, recorded_.unknown())) return;
    if (old_ == nullptr) return tally_.compare(call, set_recorded(recorded_verdict_, record), new_.verdict);
    if (!decide(*old_, call, event, recorded_.context_key(), fill, recorded_.unknown())) return;
    tally_.compare(call, old_->verdict, new_.verdict);
  }

  void judge_line(uint64_t number, std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    if (auto wrong = parser_.parse(line)) return tally_.malformed(number, wrong->message);
    Event event = parser_.event();
    static constexpr std::string_view kNow = "now";
    std::span<const std::string_view> unknown;
    if (!event.now && options_.now_ns) {
      const auto [seconds, nanos] = timestamp_of_nanos(*options_.now_ns);
      event.now = Now{seconds, nanos};
    } else if (!event.now) {
      unknown = {&kNow, 1};
    }
    const ReplayCall call{number, event.stage, event.capability, agent_of(parser_.fact("agent")), ""};
    const auto fill = [&](Context& context) { parser_.fill(context, nullptr); };
    if (decide(new_, call, event, parser_.context_key(), fill, unknown) &&
        decide(*old_, call, event, parser_.context_key(), fill, unknown)) {
      tally_.compare(call, old_->verdict, new_.verdict);
    }
  }

  static std::string_view agent_of(const Value* agent) {
    if (agent == nullptr) return "";
    if (agent->is(Kind::map)) agent = map_find(*agent->map, "id");
    return agent != nullptr && agent->is(Kind::string) ? agent->as_text() : "";
  }

  /// Fills the side's verdict. @returns false if there is none to be had.
  template <typename Fill>
  bool decide(Side& side, const ReplayCall& call, const Event& event, std::string_view key, const Fill& fill,
              std::span<const std::string_view> unknown) {
    if (unknown.empty()) {
      side.binder.bind(event, key, fill);
      set_decided(side.verdict, *side.program,
                  ordain::decide(side.binder.call(), side.binder.context(), side.scratch, options_.decide));
      return true;
    }
    side.arena.reset();
    const auto bind = [&](const Event& as) { side.binder.bind(as, key, fill); };
    const UnknownFacts::Answer answer =
        side.unknown.decide(side.binder, event, unknown, side.arena, side.scratch, options_.decide, bind);
    if (!answer.known) {
      tally_.indeterminate(call, answer.rule, answer.path, why(answer));
      return false;
    }
    set_decided(side.verdict, *side.program, answer.decision);
    return true;
  }

  static std::string why(const UnknownFacts::Answer& answer) {
    if (answer.path == "now") return fmt::format("{} reads now, which the event does not say", answer.rule);
    if (answer.rule.empty()) return fmt::format("whether {} fits its declaration is not known", answer.path);
    return fmt::format("{} reads {}, which was redacted", answer.rule, answer.path);
  }

  const ReplayOptions& options_;
  Side new_;
  std::unique_ptr<Side> old_;
  ReplayTally tally_;
  RecordedCall recorded_;
  EventParser parser_;
  Verdict recorded_verdict_;
};

/// The threads that decide.
class Court {
 public:
  Court(const std::shared_ptr<const Program>& program, const std::shared_ptr<const Program>& against,
        const ReplayOptions& options)
      : queue_(2 * thread_count(options)) {
    for (unsigned i = 0; i < thread_count(options); ++i) {
      judges_.push_back(std::make_unique<Judge>(program, against, options));
    }
    for (auto& judge : judges_) threads_.emplace_back([this, &judge] { work(*judge); });
  }
  ~Court() { stop(); }

  ChunkQueue& queue() { return queue_; }

  /// Waits for all. @returns the sums, or what a thread failed with.
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

  void work(Judge& judge) {
    bool failed = false;
    while (auto chunk = queue_.take_full()) {
      try {
        if (!failed) judge.judge(*chunk);
      } catch (const std::exception& e) {  // out of memory; the reader must not wait for ever
        failed = true;
        std::lock_guard lock(mutex_);
        failure_ = e.what();
      }
      queue_.give_back(std::move(chunk));
    }
  }

  void stop() {
    queue_.close();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  ChunkQueue queue_;
  std::vector<std::unique_ptr<Judge>> judges_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::string failure_;
};

/// Intents that wait for their outcome: the youngest, for memory is bounded.
class OpenCalls {
 public:
  void add(std::string_view action, std::string_view body) {
    if (young_.size() >= kOpenCalls || bytes_ > kOpenBytes) {
      old_ = std::move(young_);
      young_.clear();
      bytes_ = 0;
    }
    young_[key(action)] = body;
    bytes_ += body.size();
  }
  /// "" if it is not known.
  std::string take(std::string_view action) {
    for (Map* map : {&young_, &old_}) {
      auto found = map->extract(key(action));
      if (!found.empty()) return std::move(found.mapped());
    }
    return "";
  }

 private:
  using Key = std::array<uint64_t, 2>;
  struct Hash {
    size_t operator()(const Key& key) const { return key[0]; }
  };
  using Map = std::unordered_map<Key, std::string, Hash>;
  static Key key(std::string_view action) {
    Key out{};
    std::memcpy(out.data(), action.data(), std::min(action.size(), sizeof(out)));
    return out;
  }
  Map young_, old_;
  size_t bytes_ = 0;
};

/// Gathers records into chunks.
class RecordReader {
 public:
  RecordReader(ChunkQueue& queue, const ReplayOptions& options) : queue_(queue), options_(options) {}

  bool add(uint64_t id, std::string_view body) {
    ++done_;
    RecordHead head;
    std::string intent;
    if (view_head(body, &head) && !head.action.empty()) {
      if (head.kind == RecordKind::outcome) intent = open_.take(head.action);
      if (head.kind == RecordKind::intent) open_.add(head.action, body);
    }
    if (chunk_ == nullptr) chunk_ = queue_.take_empty();
    Item item{id, chunk_->bytes.size(), body.size(), chunk_->bytes.size() + body.size(), intent.size()};
    chunk_->bytes.append(body).append(intent);
    chunk_->items.push_back(item);
    if (chunk_->bytes.size() >= kChunkBytes) pass_on();
    return true;
  }
  void pass_on() {
    if (chunk_ == nullptr) return;
    queue_.put(std::move(chunk_));
    if (options_.progress) options_.progress(done_);
  }

 private:
  ChunkQueue& queue_;
  const ReplayOptions& options_;
  OpenCalls open_;
  std::unique_ptr<Chunk> chunk_;
  uint64_t done_ = 0;
};

/// Reads whole lines into chunks.
Result<void> read_lines(std::istream& in, ChunkQueue& queue, const ReplayOptions& options) {
  std::string rest;
  uint64_t line = 1, done = 0;
  for (bool more = true; more;) {
    std::unique_ptr<Chunk> chunk = queue.take_empty();
    std::string& bytes = chunk->bytes;
    bytes.swap(rest);
    size_t end = std::string::npos;
    while (more && end == std::string::npos) {
      const size_t had = bytes.size();
      if (had > kLongestLine) return Error{"unreadable", fmt::format("line {} is too long", line)};
      bytes.resize(had + kChunkBytes);
      in.read(bytes.data() + had, kChunkBytes);
      const auto got = static_cast<size_t>(in.gcount());
      bytes.resize(had + got);
      done += got;
      more = got == kChunkBytes;
      end = bytes.rfind('\n');
    }
    if (in.bad()) return Error{"unreadable", "the events could not be read to their end"};
    if (more && end != std::string::npos) {
      rest.assign(bytes, end + 1);
      bytes.resize(end + 1);
    }
    chunk->first_line = line;
    line += static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    queue.put(std::move(chunk));
    if (options.progress) options.progress(done);
  }
  return {};
}

template <typename Read>
Result<ReplayReport> run(const std::shared_ptr<const Program>& program, const std::shared_ptr<const Program>& against,
                         const ReplayOptions& options, const Read& read) {
  const auto start = std::chrono::steady_clock::now();
  Court court(program, against, options);
  if (Result<void> done = read(court.queue()); !done) return done.error();
  Result<ReplayReport> report = court.finish();
  if (report) {
    report->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return report;
}

}  // namespace

Result<ReplayReport> replay(const AuditLog& log, const std::shared_ptr<const Program>& program,
                            const std::shared_ptr<const Program>& against, const ReplayOptions& options) {
  return run(program, against, options, [&](ChunkQueue& queue) {
    RecordReader reader(queue, options);
    Result<void> done = log.for_each_body(1, [&](uint64_t id, std::string_view body) { return reader.add(id, body); });
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
  return run(program, against, options, [&](ChunkQueue& queue) { return read_lines(events, queue, options); });
}

}  // namespace ordain
