// compile_native: all predicates of a program, a few dozen to a module, each module published when it is ready.
#include "ordain/jit.h"

#include <bit>
#include <chrono>
#include <set>

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

/// Compiles predicates as one module and publishes them. `optimisation`: the backend's, or 0.
Result<void> compile_module(const Program& program, Backend& backend, const std::vector<uint32_t>& predicates,
                            int optimisation) {
  if (predicates.empty()) return {};
  llvm::LLVMContext context;
  ModuleLowering lowering(context, program, "ordain." + std::to_string(predicates.front()), backend.layout(),
                          backend.triple(), optimisation > 0);
  std::vector<std::string> names;
  for (uint32_t predicate : predicates) {
    lowering.add(predicate);
    names.push_back(native::predicate_symbol(predicate));
  }
  auto code = backend.compile(*lowering.module, names, optimisation <= 0);
  if (!code) return code.error();
  for (size_t i = 0; i < predicates.size(); ++i) {
    program.install_native(predicates[i], reinterpret_cast<NativePredicate>((*code)[i]));
  }
  return {};
}

}  // namespace

Result<NativeReport> compile_native(const Program& program, const NativeOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if constexpr (std::endian::native != std::endian::little) {
    return Error{"native_unavailable", "native code needs a little-endian machine"};
  }
  auto created = Backend::create(options.optimisation);
  if (!created) return created.error();
  const std::shared_ptr<Backend>& backend = *created;
  if (auto defined = backend->define(external_symbols(program)); !defined) return defined.error();
  program.keep_native(backend);

  const auto& predicates = program.data().predicates;
  const uint32_t module_size = std::max(options.predicates_per_module, 1u);
  std::vector<uint32_t> batch;
  for (uint32_t i = 0; i < predicates.size(); ++i) {
    if (options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed)) {
      return Error{"cancelled", "compilation to native code was stopped"};
    }
    const bool is_long = predicates[i].code.count > kLongPredicate;
    if (is_long) {
      if (auto done = compile_module(program, *backend, {i}, 0); !done) return done.error();
    } else {
      batch.push_back(i);
    }
    if (batch.size() < module_size) continue;
    if (auto done = compile_module(program, *backend, batch, options.optimisation); !done) return done.error();
    batch.clear();
  }
  if (auto done = compile_module(program, *backend, batch, options.optimisation); !done) return done.error();

  NativeReport report;
  report.predicates = static_cast<uint32_t>(predicates.size());
  report.code_bytes = backend->code_bytes();
  report.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace ordain
