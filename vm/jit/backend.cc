// backend.cc uses a light pass pipeline, LLVM's code generator and ORC's linking layer directly.
// Self-contained functions do not need what LLJIT would add (initialisers, IR layers, platform
// symbols).
#include "vm/jit/backend.h"

#include <llvm/Config/llvm-config.h>
#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>
#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>
#include <llvm/ExecutionEngine/Orc/Mangling.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/Mem2Reg.h>

#include <mutex>
#include <optional>

namespace ordain::native {
namespace {

#if LLVM_VERSION_MAJOR >= 18
using CodeGenLevel = llvm::CodeGenOptLevel;
#else
using CodeGenLevel = llvm::CodeGenOpt::Level;
#endif

CodeGenLevel code_gen_level(int optimisation) {
  return optimisation <= 0 ? CodeGenLevel::None : optimisation == 1 ? CodeGenLevel::Less : CodeGenLevel::Default;
}

Error failed(llvm::Error error) { return {"native_failed", llvm::toString(std::move(error))}; }

void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

/// The passes over each function and their analyses, created once and used for all modules.
struct Passes {
  Passes(llvm::TargetMachine& machine, int optimisation) : builder(&machine) {
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(call_graphs);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, call_graphs, modules);
    if (optimisation >= 2) {
      pipeline =
          builder.buildFunctionSimplificationPipeline(llvm::OptimizationLevel::O2, llvm::ThinOrFullLTOPhase::None);
      return;
    }
    pipeline.addPass(llvm::PromotePass());
    if (optimisation <= 0) return;
    pipeline.addPass(llvm::EarlyCSEPass());
    pipeline.addPass(llvm::InstCombinePass());
    pipeline.addPass(llvm::SimplifyCFGPass());
    thorough_pipeline.emplace(
        builder.buildFunctionSimplificationPipeline(llvm::OptimizationLevel::O2, llvm::ThinOrFullLTOPhase::None));
  }

  void run(llvm::Module& module) {
    llvm::AlwaysInlinerPass(false).run(module, modules);
    functions.clear();
    for (llvm::Function& function : module) {
      if (function.isDeclaration()) continue;
      const bool thorough = thorough_pipeline.has_value() && function.hasFnAttribute(kThorough);
      (thorough ? *thorough_pipeline : pipeline).run(function, functions);
    }
    loops.clear();
    functions.clear();
    call_graphs.clear();
    modules.clear();
  }

  llvm::PassBuilder builder;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager call_graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::FunctionPassManager pipeline;
  std::optional<llvm::FunctionPassManager> thorough_pipeline;  ///< for functions marked kThorough
};

}  // namespace

std::string target_identity() {
  initialise_once();
  std::string out = "LLVM " LLVM_VERSION_STRING;
  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!host) {
    llvm::consumeError(host.takeError());
    return out;
  }
  return out + " " + host->getTargetTriple().str() + " " + host->getCPU() + " " + host->getFeatures().getString();
}

struct Backend::Parts {
  Parts(std::unique_ptr<llvm::TargetMachine> the_machine, std::unique_ptr<llvm::TargetMachine> the_quick_machine,
        std::unique_ptr<llvm::orc::ExecutorProcessControl> control, int optimisation)
      : machine(std::move(the_machine)),
        quick_machine(std::move(the_quick_machine)),
        layout(machine->createDataLayout()),
        triple(machine->getTargetTriple().str()),
        passes(*machine, optimisation),
        quick_passes(*quick_machine, 0),
        session(std::move(control)),
        linker(session, session.getExecutorProcessControl().getMemMgr()),
        library(session.createBareJITDylib("ordain")),
        mangle(session, layout) {
    session.setErrorReporter(
        [](llvm::Error error) { llvm::consumeError(std::move(error)); });  // look-ups return errors
  }
  ~Parts() { llvm::consumeError(session.endSession()); }

  std::unique_ptr<llvm::TargetMachine> machine, quick_machine;
  llvm::DataLayout layout;
  std::string triple;
  Passes passes, quick_passes;
  llvm::orc::ExecutionSession session;
  llvm::orc::ObjectLinkingLayer linker;
  llvm::orc::JITDylib& library;
  llvm::orc::MangleAndInterner mangle;
  size_t code_bytes = 0;
};

Backend::Backend(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Backend::~Backend() = default;
const llvm::DataLayout& Backend::layout() const { return parts_->layout; }
const std::string& Backend::triple() const { return parts_->triple; }
size_t Backend::code_bytes() const { return parts_->code_bytes; }

Result<std::shared_ptr<Backend>> Backend::create(int optimisation) {
  initialise_once();
  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!host) return failed(host.takeError());
  host->setRelocationModel(llvm::Reloc::PIC_);
  host->setCodeModel(llvm::CodeModel::Small);
  host->setCodeGenOptLevel(code_gen_level(optimisation));
  auto machine = host->createTargetMachine();
  if (!machine) return failed(machine.takeError());
  host->setCodeGenOptLevel(code_gen_level(0));
  auto quick_machine = host->createTargetMachine();
  if (!quick_machine) return failed(quick_machine.takeError());
  auto control = llvm::orc::SelfExecutorProcessControl::Create();
  if (!control) return failed(control.takeError());
  auto parts =
      std::make_unique<Parts>(std::move(*machine), std::move(*quick_machine), std::move(*control), optimisation);
  return std::shared_ptr<Backend>(new Backend(std::move(parts)));
}

Result<void> Backend::define(const std::vector<std::pair<std::string, void*>>& symbols) {
  llvm::orc::SymbolMap map;
  for (const auto& [name, address] : symbols) {
    auto flags = llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable;
#if LLVM_VERSION_MAJOR >= 17
    map[parts_->mangle(name)] = {llvm::orc::ExecutorAddr::fromPtr(address), flags};
#else
    map[parts_->mangle(name)] = llvm::JITEvaluatedSymbol(llvm::pointerToJITTargetAddress(address), flags);
#endif
  }
  if (auto error = parts_->library.define(llvm::orc::absoluteSymbols(std::move(map)))) return failed(std::move(error));
  return {};
}

namespace {

size_t text_size(llvm::MemoryBufferRef object) {
  auto file = llvm::object::ObjectFile::createObjectFile(object);
  if (!file) {
    llvm::consumeError(file.takeError());
    return 0;
  }
  size_t out = 0;
  for (const llvm::object::SectionRef& section : (*file)->sections()) {
    if (section.isText()) out += section.getSize();
  }
  return out;
}

/// Gives the module a public table with the offset of each function from it, and hides the
/// functions: one symbol is cheaper to link, and to keep, than one per function.
void add_table(llvm::Module& module, const std::vector<std::string>& names, const std::string& table) {
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  llvm::Type* distance = llvm::Type::getInt32Ty(context);
  auto* type = llvm::ArrayType::get(distance, names.size());
  auto* global =
      new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::ExternalLinkage, /*Initializer=*/nullptr, table);
  global->setDSOLocal(true);
  llvm::Constant* origin = llvm::ConstantExpr::getPtrToInt(global, word);
  std::vector<llvm::Constant*> distances;
  for (const std::string& name : names) {
    llvm::Function* function = module.getFunction(name);
    function->setLinkage(llvm::GlobalValue::InternalLinkage);
    llvm::Constant* there = llvm::ConstantExpr::getPtrToInt(function, word);
    distances.push_back(llvm::ConstantExpr::getTrunc(llvm::ConstantExpr::getSub(there, origin), distance));
  }
  global->setInitializer(llvm::ConstantArray::get(type, distances));
}

}  // namespace

Result<std::vector<void*>> Backend::compile(llvm::Module& module, const std::vector<std::string>& names,
                                            const std::string& table, bool quick, std::string* object) {
  add_table(module, names, table);
#ifndef NDEBUG
  std::string complaint;
  llvm::raw_string_ostream stream(complaint);
  if (llvm::verifyModule(module, &stream)) return Error{"native_failed", "invalid code was made: " + stream.str()};
#endif
  (quick ? parts_->quick_passes : parts_->passes).run(module);
  auto made = llvm::orc::SimpleCompiler(quick ? *parts_->quick_machine : *parts_->machine)(module);
  if (!made) return failed(made.takeError());
  const llvm::StringRef bytes = (*made)->getBuffer();
  if (object != nullptr) *object = bytes.str();
  return link({bytes.data(), bytes.size()}, table, names.size());
}

Result<std::vector<void*>> Backend::link(std::string_view object, const std::string& table, size_t functions) {
  auto buffer = llvm::MemoryBuffer::getMemBuffer({object.data(), object.size()}, table, false);
  parts_->code_bytes += text_size(buffer->getMemBufferRef());
  if (auto error = parts_->linker.add(parts_->library, std::move(buffer))) return failed(std::move(error));
  auto found = parts_->session.lookup(llvm::orc::makeJITDylibSearchOrder(&parts_->library), parts_->mangle(table));
  if (!found) return failed(found.takeError());
#if LLVM_VERSION_MAJOR >= 17
  const auto* distances = found->getAddress().toPtr<const int32_t*>();
#else
  const auto* distances = llvm::jitTargetAddressToPointer<const int32_t*>(found->getAddress());
#endif
  std::vector<void*> out;
  out.reserve(functions);
  const auto origin = reinterpret_cast<uintptr_t>(distances);
  for (size_t i = 0; i < functions; ++i) {
    out.push_back(reinterpret_cast<void*>(origin + static_cast<uintptr_t>(static_cast<intptr_t>(distances[i]))));
  }
  return out;
}

}  // namespace ordain::native
