// Backend: LLVM IR modules to machine code in this process.
#pragma once

#include <llvm/IR/Module.h>

#include <memory>
#include <string>
#include <vector>

#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain::native {

/// The attribute of a function that may loop.
inline constexpr const char* kLoops = "ordain-loops";

/// One target machine, one linking session. Used by one thread at a time; the code lives as long as it does.
class Backend {
 public:
  /// @param optimisation 0, 1 or 2.
  static Result<std::shared_ptr<Backend>> create(int optimisation);
  ~Backend();

  const llvm::DataLayout& layout() const;
  const std::string& triple() const;

  /// Makes `address` known to the code that is compiled from now on.
  Result<void> define(const std::vector<std::pair<std::string, void*>>& symbols);

  /// Optimises, compiles and links the module, and finds its functions `names`.
  /// @param quick as for optimisation 0: for functions so large that more would take too long
  Result<std::vector<void*>> compile(llvm::Module& module, const std::vector<std::string>& names, bool quick);

  size_t code_bytes() const;  ///< of machine code so far

 private:
  struct Parts;
  explicit Backend(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace ordain::native
