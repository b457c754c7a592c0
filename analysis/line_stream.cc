// Streams lines: one thread reads chunks, several work on them, and the calling thread gets them
// back in order.
#include "analysis/line_stream.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "analysis/byte_order_mark.h"
#include "vm/value/start_thread.h"

namespace ordain::detail {
namespace {

// Cuts the input into chunks that end with a line.
class ChunkReader {
 public:
  ChunkReader(int descriptor, size_t chunk_bytes) : descriptor_(descriptor), chunk_bytes_(chunk_bytes) {}

  bool failed() const { return failed_; }
  /// Whether the last chunk ended because no more input was available yet.
  bool waits() const { return waits_; }
  /// Whether the last chunk ended with the input.
  bool ended() const { return end_; }

  // Returns false at the end.
  bool next(Chunk* out) {
    out->text.clear();
    out->out.clear();
    out->text.swap(rest_);
    size_t line_end = std::string::npos;
    waits_ = false;
    while (!end_) {
      const size_t before = out->text.size();
      out->text.resize(before + chunk_bytes_);
      const ssize_t got = ::read(descriptor_, out->text.data() + before, chunk_bytes_);
      out->text.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        end_ = true;
        failed_ = got < 0;
        break;
      }
      const size_t newline = std::string_view(out->text).substr(before).rfind('\n');
      if (newline == std::string_view::npos) continue;
      line_end = before + newline + 1;
      waits_ = static_cast<size_t>(got) < chunk_bytes_;
      break;
    }
    if (line_end != std::string::npos) {
      rest_.assign(out->text, line_end);
      out->text.resize(line_end);
    }
    if (line_ == 1) remove_byte_order_mark(out->text);
    out->first_line = line_;
    line_ += static_cast<uint64_t>(std::count(out->text.begin(), out->text.end(), '\n'));
    return !out->text.empty();
  }

 private:
  int descriptor_;
  size_t chunk_bytes_;
  std::string rest_;
  uint64_t line_ = 1;
  bool end_ = false, failed_ = false, waits_ = false;
};

struct Job {
  Chunk chunk;
  bool finished = false;
};

// Threads that take jobs from a queue. If fewer can be started than are wanted, those do all the work.
class Workers {
 public:
  Workers(unsigned threads, const std::function<void(Chunk&, unsigned)>& work) : work_(work), threads_(threads) {
    while (started_ < threads && vm::start_thread(&threads_[started_], [this, i = started_] { run(i); })) ++started_;
  }
  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    for (unsigned i = 0; i < started_; ++i) threads_[i].join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  bool any() const { return started_ > 0; }
  void add(Job* job) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(job);
    }
    changed_.notify_all();
  }
  void wait_for(const Job& job) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return job.finished; });
  }

 private:
  void run(unsigned number) {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (stop_) return;
      Job* job = queue_.front();
      queue_.pop_front();
      lock.unlock();
      work_(job->chunk, number);
      lock.lock();
      job->finished = true;
      changed_.notify_all();
    }
  }

  const std::function<void(Chunk&, unsigned)>& work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job*> queue_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
  unsigned started_ = 0;
};

bool stream_alone(ChunkReader& reader, const std::function<void(Chunk&, unsigned)>& work,
                  const std::function<bool(Chunk&)>& done) {
  for (Chunk chunk; reader.next(&chunk);) {
    work(chunk, 0);
    if (!done(chunk)) return false;
  }
  return !reader.failed();
}

}  // namespace

bool stream_lines(int descriptor, unsigned threads, size_t chunk_bytes,
                  const std::function<void(Chunk&, unsigned worker)>& work, const std::function<bool(Chunk&)>& done) {
  ChunkReader reader(descriptor, chunk_bytes);
  if (threads <= 1) return stream_alone(reader, work, done);
  // A chunk behind which there is nothing yet would occupy one thread, and starting threads takes longer than a short
  // input needs.
  auto first = std::make_unique<Job>();
  while (reader.next(&first->chunk)) {
    if (!reader.waits() && !reader.ended()) break;
    work(first->chunk, 0);
    if (!done(first->chunk)) return false;
  }
  if (reader.ended()) return !reader.failed();
  std::deque<std::unique_ptr<Job>> under_way, free;  // must outlive the workers
  Workers workers(threads, work);
  if (!workers.any()) {
    work(first->chunk, 0);
    return done(first->chunk) && stream_alone(reader, work, done);
  }
  bool more = true, drain = false;
  workers.add(first.get());
  under_way.push_back(std::move(first));
  while (more || !under_way.empty()) {
    if (more && !drain && under_way.size() < 2 * threads + 1) {
      if (free.empty()) free.push_back(std::make_unique<Job>());
      Job* job = free.back().get();
      job->finished = false;
      more = reader.next(&job->chunk);
      if (!more) continue;
      drain = reader.waits();
      under_way.push_back(std::move(free.back()));
      free.pop_back();
      workers.add(job);
      continue;
    }
    if (under_way.empty()) {
      drain = false;
      continue;
    }
    workers.wait_for(*under_way.front());
    if (!done(under_way.front()->chunk)) return false;
    free.push_back(std::move(under_way.front()));
    under_way.pop_front();
  }
  return !reader.failed();
}

}  // namespace ordain::detail
