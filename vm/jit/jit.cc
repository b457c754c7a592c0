// jit.cc compiles all predicates of a program, a few dozen per module, and publishes each module
// when it is ready.
#include "ordain/jit.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <iterator>
#include <new>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include <llvm/Config/llvm-config.h>

#include "vm/jit/backend.h"
#include "vm/jit/lower.h"
#include "vm/jit/object_cache.h"
#include "vm/jit/urgency.h"
#include "vm/program/linked_program.h"
#include "vm/value/start_thread.h"

namespace ordain {
namespace {

using native::Backend;
using native::ModuleLowering;

/// Simple code takes a tenth of the time of optimised code (about a millisecond per predicate) to
/// make, and its modules may be larger.
constexpr uint32_t kSimpleFactor = 4;

/// With fewer predicates to optimise, making simple code for them first is not worthwhile.
constexpr size_t kSimpleFirst = 256;

/// Longer predicates get a module of their own and no optimisation, because LLVM's passes are not
/// linear.
constexpr uint32_t kLongPredicate = 4'000;

std::vector<std::pair<std::string, void*>> external_symbols(const Program& program, bool standalone) {
  std::vector<std::pair<std::string, void*>> out;
  for (const native::Helper& helper : native::helpers()) {
    // A standalone object must not refer to the interpreter; leaving that symbol out makes the
    // linker check it.
    if (!standalone || helper.name != native::kInterpret) out.emplace_back(helper.name, helper.address);
  }
  std::set<const Overload*> seen;
  for (const Overload* overload : link_tables(program).overloads) {
    if (overload == nullptr || overload->cost != nullptr || !seen.insert(overload).second) continue;
    out.emplace_back(native::overload_symbol(*overload), reinterpret_cast<void*>(overload->call));
  }
  return out;
}

/// The predicates, batches of rules (by their first entry) and answers (by the calls that they are
/// for) that become one module.
struct Batch {
  std::vector<uint32_t> predicates;
  int optimisation;
  std::vector<uint32_t> runs = {};
  std::vector<uint32_t> answers = {};
  uint32_t place = kNone;  ///< index in the cache; kNone: compiled again later, as better code
};

/// Splits these predicates, in this order, into modules.
std::vector<Batch> batches_of(const ProgramData& data, std::span<const uint32_t> predicates, int optimisation,
                              uint32_t size) {
  std::vector<Batch> out;
  Batch batch{{}, optimisation};
  for (const uint32_t predicate : predicates) {
    if (data.predicates[predicate].code.count > kLongPredicate) {
      out.push_back({{predicate}, 0});
      continue;
    }
    batch.predicates.push_back(predicate);
    if (batch.predicates.size() < size) continue;
    out.push_back(std::move(batch));
    batch = {{}, optimisation};
  }
  if (!batch.predicates.empty()) out.push_back(std::move(batch));
  return out;
}

/// Splits batches and answers into modules of about this many rules.
std::vector<Batch> batches_of(const native::Groups& groups, int optimisation, uint32_t size) {
  std::vector<Batch> out;
  uint32_t room = 0;
  const auto batch_with_room = [&](uint32_t rules) -> Batch& {
    if (room < rules) {
      out.push_back({{}, optimisation});
      room = std::max(size, rules);
    }
    room -= rules;
    return out.back();
  };
  for (const auto& [calls, rules] : groups.answers) batch_with_room(rules).answers.push_back(calls);
  for (const auto& [entry, rules] : groups.runs) batch_with_room(rules).runs.push_back(entry);
  return out;
}

void append(std::vector<Batch>* out, std::vector<Batch> more) { std::ranges::move(more, std::back_inserter(*out)); }

/// @returns everything to compile, most urgent first
std::vector<Batch> batches_of(const Program& program, const NativeOptions& options) {
  const ProgramData& data = data_of(program);
  const std::vector<native::Worth> worth = native::worth_of_predicates(program, options.first);
  std::vector<uint32_t> order(worth.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&worth](uint32_t predicate) { return std::pair(worth[predicate].rank, predicate); });

  std::vector<uint32_t> simple, optimised;
  for (const uint32_t predicate : order) {
    const bool is_long = data.predicates[predicate].code.count > kLongPredicate;
    const bool better = options.optimisation > 0 && worth[predicate].optimised && !is_long;
    (better ? optimised : simple).push_back(predicate);
  }
  const uint32_t size = std::max(options.predicates_per_module, 1u);
  const uint32_t simple_size = size > UINT32_MAX / kSimpleFactor ? size : size * kSimpleFactor;
  const native::Groups groups = native::groups_of(program, options.first);
  std::vector<Batch> last = batches_of(groups, options.optimisation, size);
  const size_t grouped = last.size() * size;
  append(&last, batches_of(data, optimised, options.optimisation, size));
  std::vector<Batch> rare = batches_of(data, simple, 0, simple_size);
  uint32_t place = 0;
  for (std::vector<Batch>* batches : {&last, &rare}) {
    for (Batch& batch : *batches) batch.place = place++;
  }
  if (options.optimisation <= 0 || !options.simple_first || optimised.size() + grouped < kSimpleFirst) {
    append(&last, std::move(rare));
    return last;
  }
  std::vector<Batch> out = batches_of(groups, 0, simple_size);
  append(&out, batches_of(data, optimised, 0, simple_size));
  append(&out, std::move(rare));
  append(&out, std::move(last));
  return out;
}

/// The state that the threads of a compilation share.
struct Work {
  const Program& program;
  const NativeOptions& options;
  std::vector<Batch> batches;
  const native::Archive* archive = nullptr;     ///< has the objects, which only need linking
  std::vector<std::string>* objects = nullptr;  ///< receives the objects for the cache, by place
  std::atomic<size_t> next = 0;
};

/// The results of one thread. Each thread has a backend of its own, because LLVM shares nothing
/// between threads.
struct Worker {
  Result<void> outcome;
  size_t code_bytes = 0;
};

/// Compiles a batch as one module, or takes it from the archive, and publishes its functions.
Result<void> compile_module(Work& work, size_t number, Backend& backend) {
  const Batch& batch = work.batches[number];
  const std::string table = (batch.place == kNone ? "ordain.interim." : "ordain.final.") +
                            std::to_string(batch.place == kNone ? number : batch.place);
  Result<std::vector<void*>> code = [&]() -> Result<std::vector<void*>> {
    if (work.archive != nullptr) {
      return backend.link(work.archive->objects[batch.place], table,
                          batch.predicates.size() + batch.runs.size() + batch.answers.size());
    }
    llvm::LLVMContext context;
    ModuleLowering lowering(context, work.program, "ordain." + std::to_string(number), backend.layout(),
                            backend.triple(), batch.optimisation > 0, work.options.standalone);
    std::vector<std::string> names;
    for (uint32_t predicate : batch.predicates) {
      lowering.add(predicate);
      names.push_back(native::predicate_symbol(predicate));
    }
    for (uint32_t entry : batch.runs) {
      lowering.add_batch(entry);
      names.push_back(native::run_symbol(entry));
    }
    for (uint32_t calls : batch.answers) {
      lowering.add_answer(calls);
      names.push_back(native::answer_symbol(calls));
    }
    std::string* object = work.objects == nullptr || batch.place == kNone ? nullptr : &(*work.objects)[batch.place];
    return backend.compile(*lowering.module, names, table, batch.optimisation <= 0, object);
  }();
  if (!code) return code.error();
  auto address = code->begin();
  for (uint32_t predicate : batch.predicates) {
    native_code_of(work.program).install_predicate(predicate, reinterpret_cast<NativePredicate>(*address++));
  }
  for (uint32_t entry : batch.runs) {
    native_code_of(work.program).install_batch(entry, reinterpret_cast<NativeBatch>(*address++));
  }
  for (uint32_t calls : batch.answers) {
    native_code_of(work.program).install_answer(calls, reinterpret_cast<NativeAnswer>(*address++));
  }
  return {};
}

/// Compiles batches until none is left.
Result<void> compile_batches(Work& work, Worker& worker) {
  auto backend = Backend::create(work.options.optimisation);
  if (!backend) return backend.error();
  if (auto defined = (*backend)->define(external_symbols(work.program, work.options.standalone)); !defined) {
    return defined.error();
  }
  native_code_of(work.program).keep(*backend);
  for (size_t i = work.next++; i < work.batches.size(); i = work.next++) {
    if (work.options.cancel != nullptr && work.options.cancel->load(std::memory_order_relaxed)) {
      return Error{"cancelled", "compilation to native code was stopped"};
    }
    if (auto done = compile_module(work, i, **backend); !done) return done.error();
  }
  worker.code_bytes = (*backend)->code_bytes();
  return {};
}

/// compile_batches, where nobody would catch an exception.
Result<void> compile_in_thread(Work& work, Worker& worker) noexcept {
  try {
    return compile_batches(work, worker);
  } catch (const std::bad_alloc&) {
    return Error{"no_memory", "out of memory"};  // short enough to need none
  }
}

/// Compiles on as many threads as are available.
/// @returns the size of the code in bytes
Result<size_t> run(Work& work) {
  std::vector<Worker> workers(std::clamp<size_t>(work.options.threads, 1, std::max<size_t>(work.batches.size(), 1)));
  {
    std::vector<vm::JoinedThread> threads(workers.size() - 1);
    for (size_t i = 1; i < workers.size(); ++i) {
      Worker& worker = workers[i];
      // The threads that run take over the work of those that do not.
      if (!threads[i - 1].start([&work, &worker] { worker.outcome = compile_in_thread(work, worker); })) break;
    }
    workers[0].outcome = compile_batches(work, workers[0]);
  }
  size_t code_bytes = 0;
  for (const Worker& worker : workers) {
    if (!worker.outcome) return worker.outcome.error();
    code_bytes += worker.code_bytes;
  }
  return code_bytes;
}

/// Links the cached objects. @returns nothing if the cache lacks some of them or the linker refuses
/// them; the caller then compiles as usual.
std::optional<size_t> run_from_cache(const native::ObjectCache& cache, const Digest& key, const Program& program,
                                     const NativeOptions& options, std::vector<Batch> batches) {
  std::erase_if(batches, [](const Batch& batch) { return batch.place == kNone; });
  const std::unique_ptr<native::Archive> archive = cache.find(key);
  if (archive == nullptr || archive->objects.size() != batches.size()) return std::nullopt;
  Work work{program, options, std::move(batches), archive.get()};
  const auto code_bytes = run(work);
  return code_bytes ? std::optional(*code_bytes) : std::nullopt;
}

Result<size_t> run_with_cache(const Program& program, const NativeOptions& options, std::vector<Batch> batches,
                              bool* from_cache) {
  const auto cache = native::ObjectCache::open(options.cache_directory, options.cache_bytes);
  if (!cache) return cache.error();
  const Digest key = native::object_key(program, options, native::target_identity());
  if (const auto code_bytes = run_from_cache(**cache, key, program, options, batches)) {
    *from_cache = true;
    return *code_bytes;
  }
  std::vector<std::string> objects(
      static_cast<size_t>(std::ranges::count_if(batches, [](const Batch& batch) { return batch.place != kNone; })));
  Work work{program, options, std::move(batches), nullptr, &objects};
  auto code_bytes = run(work);
  if (code_bytes) (*cache)->put(key, objects);
  return code_bytes;
}

}  // namespace

Result<NativeReport> compile_native(const Program& program, const NativeOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if constexpr (std::endian::native != std::endian::little) {
    return Error{"native_unavailable", "native code needs a little-endian machine"};
  }
  NativeReport report;
  report.predicates = static_cast<uint32_t>(data_of(program).predicates.size());
  std::vector<Batch> batches = batches_of(program, options);
  for (const Batch& batch : batches) {
    if (batch.optimisation > 0) report.optimised += static_cast<uint32_t>(batch.predicates.size());
  }
  Result<size_t> code_bytes = 0;
  if (options.cache_directory.empty()) {
    Work work{program, options, std::move(batches)};
    code_bytes = run(work);
  } else {
    code_bytes = run_with_cache(program, options, std::move(batches), &report.from_cache);
  }
  if (!code_bytes) return code_bytes.error();
  report.code_bytes = *code_bytes;
  report.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return report;
}

std::string llvm_version() { return LLVM_VERSION_STRING; }

}  // namespace ordain
