// Fills chunks up to a size for the threads that decide them. The reader waits while the queue
// is full.
#include "analysis/replay_chunks.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/byte_order_mark.h"
#include "analysis/recorded.h"

namespace ordain::detail {
namespace {

constexpr size_t kChunkBytes = 512 << 10;
constexpr size_t kLongestLine = 256 << 20;

}  // namespace

std::unique_ptr<ReplayChunk> ChunkQueue::take_empty() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return full_.size() < room_; });
  if (empty_.empty()) return std::make_unique<ReplayChunk>();
  std::unique_ptr<ReplayChunk> out = std::move(empty_.back());
  empty_.pop_back();
  out->clear();
  return out;
}

void ChunkQueue::put(std::unique_ptr<ReplayChunk> chunk) {
  if (work_) {
    work_(*chunk);
    return give_back(std::move(chunk));
  }
  std::lock_guard lock(mutex_);
  full_.push_back(std::move(chunk));
  changed_.notify_all();
}

std::unique_ptr<ReplayChunk> ChunkQueue::take_full() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || !full_.empty(); });
  if (full_.empty()) return nullptr;
  std::unique_ptr<ReplayChunk> out = std::move(full_.front());
  full_.pop_front();
  changed_.notify_all();
  return out;
}

void ChunkQueue::give_back(std::unique_ptr<ReplayChunk> chunk) {
  std::lock_guard lock(mutex_);
  empty_.push_back(std::move(chunk));
}

void ChunkQueue::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void RecordReader::add(uint64_t id, std::string_view body) {
  ++done_;
  RecordHead head;
  std::string intent;
  if (view_head(body, &head) && !head.action.empty()) {
    if (head.kind == RecordKind::outcome) intent = open_.take(head.action);
    if (head.kind == RecordKind::intent) open_.add(head.action, body);
  }
  if (chunk_ == nullptr) chunk_ = queue_.take_empty();
  ReplayChunk::Item item{id, chunk_->bytes.size(), body.size(), chunk_->bytes.size() + body.size(), intent.size()};
  chunk_->bytes.append(body).append(intent);
  chunk_->items.push_back(item);
  if (chunk_->bytes.size() >= kChunkBytes) pass_on();
}

void RecordReader::pass_on() {
  if (chunk_ == nullptr) return;
  queue_.put(std::move(chunk_));
  if (options_.progress) options_.progress(done_);
}

Result<void> read_lines(std::istream& in, ChunkQueue& queue, const ReplayOptions& options) {
  std::string rest;
  uint64_t line = 1, done = 0;
  for (bool more = true; more;) {
    std::unique_ptr<ReplayChunk> chunk = queue.take_empty();
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
    if (line == 1) remove_byte_order_mark(bytes);
    chunk->first_line = line;
    line += static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    queue.put(std::move(chunk));
    if (options.progress) options.progress(done);
  }
  return {};
}

}  // namespace ordain::detail
