// sink.cc has the built-in sinks.
#include "ordain/sink.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <ostream>

namespace ordain {

struct MemorySink::Impl {
  size_t capacity = 0;
  mutable std::mutex mutex;
  std::deque<AuditRecord> records;
};

MemorySink::MemorySink(size_t capacity) : impl_(std::make_unique<Impl>()) { impl_->capacity = capacity; }
MemorySink::~MemorySink() = default;

Result<void> MemorySink::write(const AuditRecord& record) {
  std::lock_guard lock(impl_->mutex);
  impl_->records.push_back(record);
  if (impl_->records.size() > impl_->capacity) impl_->records.pop_front();
  return {};
}

std::vector<AuditRecord> MemorySink::records(const AuditFilter& filter) const {
  std::lock_guard lock(impl_->mutex);
  std::vector<AuditRecord> out;
  std::copy_if(impl_->records.begin(), impl_->records.end(), std::back_inserter(out),
               [&](const AuditRecord& record) { return filter.matches(record); });
  return out;
}

size_t MemorySink::count(const AuditFilter& filter) const { return records(filter).size(); }

namespace {

class LogSink final : public AuditSink {
 public:
  explicit LogSink(std::function<bool(std::string_view)> write) : write_(std::move(write)) {}
  Result<void> write(const AuditRecord& record) override {
    std::string line = to_json(record);
    std::lock_guard lock(mutex_);
    if (write_(line)) return {};
    return Error{"log_failed", "the log stream cannot be written"};
  }

 private:
  std::mutex mutex_;
  std::function<bool(std::string_view)> write_;
};

}  // namespace

std::shared_ptr<AuditSink> log_sink(std::function<void(std::string_view line)> write) {
  return std::make_shared<LogSink>([write = std::move(write)](std::string_view line) {
    write(line);
    return true;
  });
}

std::shared_ptr<AuditSink> log_sink(std::ostream& out) {
  return std::make_shared<LogSink>([&out](std::string_view line) {
    out << line << '\n' << std::flush;
    return out.good();
  });
}

}  // namespace ordain
