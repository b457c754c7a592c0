// Counts who is inside the engine with an object, and frees objects in an order that the engine accepts.
#include "handle.h"

#include <algorithm>

#include "ordain/c.h"

namespace ordain::node {
namespace {

// How long the end of an environment waits for threads that are inside the engine, for example for a database's lock.
constexpr std::chrono::seconds kPatience(5);

void free_object(Kind kind, void* object) {
  switch (kind) {
    case Kind::engine:
      ordain_close(static_cast<ordain_engine*>(object));
      break;
    case Kind::runtime:
      ordain_runtime_close(static_cast<ordain_runtime*>(object));
      break;
    case Kind::identity:
      ordain_identity_free(static_cast<ordain_identity*>(object));
      break;
    case Kind::begun:
      ordain_begun_free(static_cast<ordain_begun_call*>(object));
      break;
  }
}

}  // namespace

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::engine:
      return "set of policies";
    case Kind::runtime:
      return "runtime";
    case Kind::identity:
      return "identity";
    case Kind::begun:
      return "call";
  }
  return "object";
}

Handle::~Handle() {
  if (object_ != nullptr && users_ == 0) free_object(kind_, object_);
}

void* Handle::enter() {
  const std::lock_guard lock(mutex_);
  if (shut_ || object_ == nullptr) return nullptr;
  ++users_;
  return object_;
}

void Handle::leave() {
  const std::lock_guard lock(mutex_);
  if (--users_ == 0) left_.notify_all();
}

void Handle::shut() {
  const std::lock_guard lock(mutex_);
  shut_ = true;
}

bool Handle::close(std::chrono::steady_clock::time_point deadline) {
  void* object = nullptr;
  {
    std::unique_lock lock(mutex_);
    shut_ = true;
    if (!left_.wait_until(lock, deadline, [this] { return users_ == 0; })) return false;
    std::swap(object, object_);
  }
  if (object != nullptr) free_object(kind_, object);
  return true;
}

std::shared_ptr<Handle> Registry::adopt(Kind kind, void* object) {
  auto handle = std::make_shared<Handle>(kind, object);
  const std::lock_guard lock(mutex_);
  if (is_shut_down_) {
    handle->close(std::chrono::steady_clock::now());
    return handle;
  }
  if (handles_.size() >= next_sweep_) {
    std::erase_if(handles_, [](const std::weak_ptr<Handle>& one) { return one.expired(); });
    next_sweep_ = std::max<size_t>(64, 2 * handles_.size());
  }
  handles_.push_back(handle);
  return handle;
}

void Registry::shut_down() {
  std::vector<std::shared_ptr<Handle>> alive;
  {
    const std::lock_guard lock(mutex_);
    is_shut_down_ = true;
    for (const std::weak_ptr<Handle>& one : handles_) {
      if (auto handle = one.lock()) alive.push_back(std::move(handle));
    }
    handles_.clear();
  }
  for (const auto& handle : alive) handle->shut();
  std::partition(alive.begin(), alive.end(), [](const auto& one) { return one->kind() == Kind::begun; });
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (const auto& handle : alive) handle->close(deadline);
}

}  // namespace ordain::node
