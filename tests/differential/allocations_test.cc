// The deciding path allocates nothing, on either engine. Rules that call functions marked kMayLock (regular
// expressions) are excepted: RE2 may allocate while it matches.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>

#include "cli/event.h"
#include "ordain/decide.h"
#include "ordain/stdlib.h"
#include "tests/support/annotations.h"
#include "tests/support/evaluators.h"
#include "vm/program_data.h"

namespace {
thread_local bool counting = false;
std::atomic<uint64_t> allocations{0};

void* counted(std::size_t size) {
  if (counting) ++allocations;
  void* out = std::malloc(size);
  if (out == nullptr) throw std::bad_alloc();
  return out;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

namespace ordain {
namespace {

bool may_lock(const Program& program) {
  for (const Import& import : program.data().imports) {
    const Function* function = standard_library().find(import.name);
    for (const Overload* overload : function->overloads) {
      if ((overload->flags & kMayLock) != 0) return true;
    }
  }
  return false;
}

uint64_t allocations_of(const Program& program, const cli::EventReader& reader, Scratch& scratch, bool interpret) {
  DecideOptions options;
  options.interpret_only = interpret;
  allocations = 0;
  counting = true;
  decide(reader.call(), reader.context(), scratch, options);
  decide_all(reader.call(), reader.context(), scratch, options);
  counting = false;
  (void)program;
  return allocations;
}

TEST(Allocations, TheCounterCounts) {
  allocations = 0;
  counting = true;
  delete new int(1);
  counting = false;
  EXPECT_GE(allocations.load(), 1u);
}

TEST(Allocations, DecidingAllocatesNothing) {
  Scratch scratch;
  int decided = 0;
  for (const std::string& path : policy_files(std::string(ORDAIN_SOURCE_DIR) + "/tests/policies")) {
    const AnnotatedFile file = read_annotated(path);
    auto compiled = compile_everywhere({std::make_shared<Source>(Source{path, file.text()})});
    if (compiled->interpreted == nullptr || may_lock(*compiled->interpreted)) continue;
    for (const auto& program : {compiled->interpreted, compiled->native}) {
      cli::EventReader reader(program, {});
      for (const Expectation& expectation : file.expectations) {
        if (reader.read(expectation.event)) continue;
        EXPECT_EQ(allocations_of(*program, reader, scratch, program == compiled->interpreted), 0u)
            << path << ": " << expectation.event;
        ++decided;
      }
    }
  }
  EXPECT_GT(decided, 100);
}

}  // namespace
}  // namespace ordain
