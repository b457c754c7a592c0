// background.cc compiles while the interpreter serves, on a thread that the program owns and that
// therefore never outlives the program.
#include <atomic>
#include <new>
#include <thread>

#include "ordain/jit.h"
#include "vm/program/linked_program.h"
#include "vm/value/start_thread.h"

namespace ordain {
namespace {

class BackgroundCompilation {
 public:
  BackgroundCompilation(const Program& program, NativeOptions options) {
    options.cancel = &cancel_;
    options.simple_first = true;
    (void)vm::start_thread(&thread_, [&program, options]() mutable { compile(program, options); });
  }
  ~BackgroundCompilation() {
    cancel_ = true;
    if (thread_.joinable()) thread_.join();
  }
  BackgroundCompilation(const BackgroundCompilation&) = delete;
  BackgroundCompilation& operator=(const BackgroundCompilation&) = delete;

 private:
  static void compile(const Program& program, NativeOptions& options) noexcept {
    try {
      const auto report = compile_native(program, options);
      if (report || report.error().code != "unsafe_cache") return;
      options.cache_directory.clear();
      (void)compile_native(program, options);
    } catch (const std::bad_alloc&) {
    }
  }

  std::atomic<bool> cancel_ = false;
  std::thread thread_;
};

}  // namespace

void compile_native_in_background(const Program& program, const NativeOptions& options) {
  // Without native code the interpreter continues to serve, so a failure need not be reported.
  try {
    native_code_of(program).keep(std::make_shared<BackgroundCompilation>(program, options));
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace ordain
