// Passes bytes from the threads that make an answer to the connection that writes it.
#include "server/http_stream.h"

#include <utility>

namespace ordain::server {

bool HttpStream::send(std::string_view bytes) {
  std::function<void()> ready;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || closed_) return false;
    if (bytes_.size() + bytes.size() > most_) {
      gone_ = true;
      bytes_ = std::string();
    } else {
      bytes_ += bytes;
    }
    ready = std::exchange(ready_, nullptr);
  }
  if (ready) ready();
  return !is_gone();
}

void HttpStream::close() {
  std::function<void()> ready;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ready = std::exchange(ready_, nullptr);
  }
  if (ready) ready();
}

bool HttpStream::is_gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

HttpStream::Taken HttpStream::take() {
  const std::lock_guard lock(mutex_);
  return {std::exchange(bytes_, std::string()), closed_ || gone_};
}

void HttpStream::watch(std::function<void()> ready) {
  {
    const std::lock_guard lock(mutex_);
    if (bytes_.empty() && !closed_ && !gone_) {
      ready_ = std::move(ready);
      return;
    }
  }
  ready();
}

void HttpStream::abandon() {
  std::function<void()> dropped;  // after the lock: it may own the connection that calls this
  const std::lock_guard lock(mutex_);
  gone_ = true;
  bytes_ = std::string();
  dropped = std::exchange(ready_, nullptr);
}

}  // namespace ordain::server
