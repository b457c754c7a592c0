// The deciding path allocates nothing, on either engine. Rules that call functions marked kMayLock (regular
// expressions) are excepted: RE2 may allocate while it matches.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "cli/shared.h"
#include "ordain/decide.h"
#include "ordain/stdlib.h"
#include "tests/support/allocations.h"
#include "tests/support/annotations.h"
#include "tests/support/evaluators.h"
#include "vm/program_data.h"

#if ORDAIN_COUNTS_ALLOCATIONS
namespace {
void* counted(std::size_t size) {
  ++ordain::test::allocations_made;
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
#endif

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

uint64_t allocations_of(const cli::EventReader& reader, Scratch& scratch, bool interpret) {
  DecideOptions options;
  options.interpret_only = interpret;
  const uint64_t before = test::allocations_made;
  decide(reader.call(), reader.context(), scratch, options);
  decide_all(reader.call(), reader.context(), scratch, options);
  return test::allocations_made - before;
}

TEST(Allocations, TheCounterCounts) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
  const uint64_t before = test::allocations_made;
  const auto text = std::make_unique<std::string>(1000, 'x');
  EXPECT_GE(test::allocations_made - before, 2u) << text->size();
}

TEST(Allocations, DecidingAllocatesNothing) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "sanitizers have their own operator new";
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
        EXPECT_EQ(allocations_of(reader, scratch, program == compiled->interpreted), 0u)
            << path << ": " << expectation.event;
        ++decided;
      }
    }
  }
  EXPECT_GT(decided, 100);
}

}  // namespace
}  // namespace ordain
