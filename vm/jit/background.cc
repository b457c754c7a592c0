// background.cc compiles while the interpreter serves, on a thread that the program owns and that
// therefore never outlives the program.
#include <thread>

#include "ordain/jit.h"
#include "vm/jit/entry.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

class BackgroundCompilation {
 public:
  BackgroundCompilation(const Program& program, NativeOptions options) {
    options.cancel = &cancel_;
    options.simple_first = true;
    thread_ = std::thread([&program, options]() mutable {
      const auto report = compile_native(program, options);
      if (report || report.error().code != "unsafe_cache") return;
      options.cache_directory.clear();
      (void)compile_native(program, options);
    });
  }
  ~BackgroundCompilation() {
    cancel_ = true;
    thread_.join();
  }
  BackgroundCompilation(const BackgroundCompilation&) = delete;
  BackgroundCompilation& operator=(const BackgroundCompilation&) = delete;

 private:
  std::atomic<bool> cancel_ = false;
  std::thread thread_;
};

}  // namespace

void compile_native_in_background(const Program& program, const NativeOptions& options) {
  // Without native code the interpreter continues to serve, so a failure need not be reported.
  native_code_of(program).keep(std::make_shared<BackgroundCompilation>(program, options));
}

}  // namespace ordain

void ordain_private_start_native_code(const ordain::Program* program) {
  ordain::compile_native_in_background(*program);
}
