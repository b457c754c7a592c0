// Compiling while the interpreter serves: a thread that the program owns, so that it never outlives what it compiles.
#include <thread>

#include "ordain/jit.h"
#include "vm/program_data.h"

namespace ordain {
namespace {

/// With so many predicates optimised code takes long enough (about a millisecond each) that simple code, made in a
/// tenth of the time, is worth having meanwhile.
constexpr size_t kQuickFirst = 256;

class BackgroundCompilation {
 public:
  BackgroundCompilation(const Program& program, NativeOptions options) {
    options.cancel = &cancel_;
    thread_ = std::thread([&program, options] {
      if (options.optimisation > 0 && program.data().predicates.size() >= kQuickFirst) {
        NativeOptions quick = options;
        quick.optimisation = 0;
        if (!compile_native(program, quick)) return;
      }
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
  // Without native code the interpreter goes on serving, so there is nobody to tell of a failure.
  program.keep_native(std::make_shared<BackgroundCompilation>(program, options));
}

}  // namespace ordain
