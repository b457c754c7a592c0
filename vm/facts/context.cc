// Context holds attributes of the host for many calls.
#include <utility>

#include "ordain/call.h"
#include "vm/facts/bind.h"

namespace ordain {

using vm::Binder;

Context::Context(std::shared_ptr<const Program> program) : program_(std::move(program)), arena_(1024) {
  Binder::prepare(*program_, Bank::context, slots_);
}

bool Context::set(std::string_view path, const Value& value) {
  Binder binder(*program_, Bank::context, arena_, slots_, error_, nullptr);
  return binder.set_path(path, copy_value(arena_, value));
}

bool Context::set_root(std::string_view root, const Value& value, std::vector<std::string>* unknown) {
  Binder binder(*program_, Bank::context, arena_, slots_, error_, nullptr);
  return binder.set_root(root, copy_value(arena_, value), unknown);
}

}  // namespace ordain
