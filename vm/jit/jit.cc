// compile_native: all predicates of a program, a few dozen to a module, each module published when it is ready.
#include "ordain/jit.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <set>
#include <system_error>
#include <thread>

#include "vm/jit/backend.h"
#include "vm/jit/lower.h"

namespace ordain {
namespace {

using native::Backend;
using native::ModuleLowering;

/// Longer predicates get a module of their own and no optimisation: LLVM's passes are not linear.
constexpr uint32_t kLongPredicate = 4'000;

std::vector<std::pair<std::string, void*>> external_symbols(const Program& program) {
  std::vector<std::pair<std::string, void*>> out;
  for (const native::Helper& helper : native::helpers()) out.emplace_back(helper.name, helper.address);
  std::set<const Overload*> seen;
  for (const Overload* overload : link_tables(program).overloads) {
    if (overload == nullptr || overload->cost != nullptr || !seen.insert(overload).second) continue;
    out.emplace_back(native::overload_symbol(*overload), reinterpret_cast<void*>(overload->call));
  }
  return out;
}

/// Predicates, and runs of rules (by the entry that they begin at), that become one module.
struct Batch {
  std::vector<uint32_t> predicates;
  int optimisation;
  std::vector<uint32_t> runs = {};
};

/// Compiles a batch as one module and publishes what is in it.
Result<void> compile_module(const Program& program, Backend& backend, const Batch& batch) {
  llvm::LLVMContext context;
  ModuleLowering lowering(context, program, "ordain", backend.layout(), backend.triple(), batch.optimisation > 0);
  std::vector<std::string> names;
  for (uint32_t predicate : batch.predicates) {
    lowering.add(predicate);
    names.push_back(native::predicate_symbol(predicate));
  }
  for (uint32_t entry : batch.runs) {
    lowering.add_run(entry);
    names.push_back(native::run_symbol(entry));
  }
  auto code = backend.compile(*lowering.module, names, batch.optimisation <= 0);
  if (!code) return code.error();
  auto address = code->begin();
  for (uint32_t predicate : batch.predicates) {
    program.install_native(predicate, reinterpret_cast<NativePredicate>(*address++));
  }
  for (uint32_t entry : batch.runs) program.install_native_run(entry, reinterpret_cast<NativeRun>(*address++));
  return {};
}

/// Whether the conditions of a run are so short that one function of them is compiled in good time.
bool is_short_run(const Program& program, uint32_t entry) {
  const ProgramData& data = program.data();
  uint32_t size = 0;
  for (uint32_t i = 0; i < link_tables(program).run_sizes[entry]; ++i) {
    const uint32_t condition = data.rule_codes[data.plan[entry + i]].condition;
    if (condition != kNone) size += data.predicates[condition].code.count;
  }
  return size <= kLongPredicate;
}

/// Runs of one rule are left to its predicate.
void add_runs(const Program& program, const NativeOptions& options, std::vector<Batch>& batches) {
  const std::vector<uint8_t>& sizes = link_tables(program).run_sizes;
  Batch batch{{}, options.optimisation};
  uint32_t rules = 0;
  for (uint32_t entry = 0; entry < sizes.size(); ++entry) {
    if (sizes[entry] < 2 || !is_short_run(program, entry)) continue;
    batch.runs.push_back(entry);
    rules += sizes[entry];
    if (rules < std::max(options.predicates_per_module, 1u)) continue;
    batches.push_back(std::move(batch));
    batch = {{}, options.optimisation};
    rules = 0;
  }
  if (!batch.runs.empty()) batches.push_back(std::move(batch));
}

std::vector<Batch> batches_of(const Program& program, const NativeOptions& options) {
  const auto& predicates = program.data().predicates;
  const uint32_t module_size = std::max(options.predicates_per_module, 1u);
  std::vector<Batch> out;
  Batch batch{{}, options.optimisation};
  for (uint32_t i = 0; i < predicates.size(); ++i) {
    if (predicates[i].code.count > kLongPredicate) {
      out.push_back({{i}, 0});
      continue;
    }
    batch.predicates.push_back(i);
    if (batch.predicates.size() < module_size) continue;
    out.push_back(std::move(batch));
    batch = {{}, options.optimisation};
  }
  if (!batch.predicates.empty()) out.push_back(std::move(batch));
  add_runs(program, options, out);
  return out;
}

/// What one thread has done. Each has a backend of its own: LLVM shares nothing between threads.
struct Worker {
  Result<void> outcome;
  size_t code_bytes = 0;
};

/// Takes batches until there are none left.
Result<void> compile_batches(const Program& program, const NativeOptions& options, const std::vector<Batch>& batches,
                             std::atomic<size_t>& next, Worker& worker) {
  auto backend = Backend::create(options.optimisation);
  if (!backend) return backend.error();
  if (auto defined = (*backend)->define(external_symbols(program)); !defined) return defined.error();
  program.keep_native(*backend);
  for (size_t i = next++; i < batches.size(); i = next++) {
    if (options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed)) {
      return Error{"cancelled", "compilation to native code was stopped"};
    }
    if (auto done = compile_module(program, **backend, batches[i]); !done) return done.error();
  }
  worker.code_bytes = (*backend)->code_bytes();
  return {};
}

}  // namespace

Result<NativeReport> compile_native(const Program& program, const NativeOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if constexpr (std::endian::native != std::endian::little) {
    return Error{"native_unavailable", "native code needs a little-endian machine"};
  }
  const std::vector<Batch> batches = batches_of(program, options);
  std::vector<Worker> workers(std::clamp<size_t>(options.threads, 1, std::max<size_t>(batches.size(), 1)));
  std::atomic<size_t> next = 0;
  {
    std::vector<std::jthread> threads;
    try {
      for (size_t i = 1; i < workers.size(); ++i) {
        threads.emplace_back(
            [&, i] { workers[i].outcome = compile_batches(program, options, batches, next, workers[i]); });
      }
    } catch (const std::system_error&) {  // no more threads to be had: those there are do the work
    }
    workers[0].outcome = compile_batches(program, options, batches, next, workers[0]);
  }
  NativeReport report;
  report.predicates = static_cast<uint32_t>(program.data().predicates.size());
  for (const Worker& worker : workers) {
    if (!worker.outcome) return worker.outcome.error();
    report.code_bytes += worker.code_bytes;
  }
  report.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace ordain
