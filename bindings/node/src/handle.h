// Objects of the engine that JavaScript holds. A handle counts the threads that are inside the engine with its object,
// so that nothing frees the object under one of them. The registry of an environment (the main thread's, or a worker's)
// frees what is left when the environment ends.
#ifndef ORDAIN_NODE_HANDLE_H_
#define ORDAIN_NODE_HANDLE_H_

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace ordain::node {

enum class Kind { engine, runtime, identity, begun };

// How messages call an object of this kind.
const char* name_of(Kind kind);

class Handle {
 public:
  Handle(Kind kind, void* object) : kind_(kind), object_(object) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle();

  Kind kind() const { return kind_; }

  // Lets the calling thread in. Returns the object, or nullptr if the handle is closed; only in the first case the
  // thread must leave again.
  void* enter();
  void leave();

  // Lets no further thread in.
  void shut();

  // Lets no further thread in, waits until all have left, and frees the object. Returns false if one is still inside
  // at the deadline; then the last thread to leave frees it.
  bool close(std::chrono::steady_clock::time_point deadline);

 private:
  const Kind kind_;
  std::mutex mutex_;  // protects what follows
  std::condition_variable left_;
  void* object_;
  int users_ = 0;
  bool shut_ = false;
};

// A thread's stay inside the engine with an object. A null handle stands for an absent object.
class Visit {
 public:
  explicit Visit(std::shared_ptr<Handle> handle)
      : handle_(std::move(handle)), object_(handle_ ? handle_->enter() : nullptr) {}
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    if (object_ != nullptr) handle_->leave();
  }

  bool refused() const { return handle_ != nullptr && object_ == nullptr; }

  template <typename T>
  T* object() const {
    return static_cast<T*>(object_);
  }

 private:
  std::shared_ptr<Handle> handle_;
  void* object_;
};

// Every handle of an environment. Threads of the pool make handles too, so it has a lock.
class Registry {
 public:
  // Takes an object that the engine has made. After `shut_down` it is freed at once, and its handle is closed.
  std::shared_ptr<Handle> adopt(Kind kind, void* object);

  // Closes everything: begun calls first, because a runtime's database closes with the last of them. Waits a few
  // seconds at most for threads that are inside the engine.
  void shut_down();

 private:
  std::mutex mutex_;  // protects what follows
  std::vector<std::weak_ptr<Handle>> handles_;
  size_t next_sweep_ = 64;
  bool is_shut_down_ = false;
};

}  // namespace ordain::node

#endif  // ORDAIN_NODE_HANDLE_H_
