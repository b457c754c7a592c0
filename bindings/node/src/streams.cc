// Node's program has copies of std::cout and std::cerr, and libstdc++ initialises those in place of its own. What is
// loaded with RTLD_DEEPBIND finds libstdc++'s own, on which any output would crash; so they are made here, over the
// same buffers.
#include "streams.h"

#include <dlfcn.h>

#include <iostream>
#include <new>

namespace ordain::node {
namespace {

void share_stream(void* program, const char* name, std::ostream& own) {
  void* shared = dlsym(program, name);
  if (shared == nullptr || shared == &own) return;
  new (&own) std::ostream(static_cast<std::ostream*>(shared)->rdbuf());
}

bool share_both() {
  void* program = dlopen(nullptr, RTLD_LAZY);
  if (program == nullptr) return false;
  share_stream(program, "_ZSt4cout", std::cout);
  share_stream(program, "_ZSt4cerr", std::cerr);
  dlclose(program);
  return true;
}

}  // namespace

void share_streams() { [[maybe_unused]] static const bool shared = share_both(); }

}  // namespace ordain::node
