// Backend turns LLVM IR modules into native code in this process.
#pragma once

#include <llvm/IR/Module.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/program.h"
#include "ordain/result.h"

namespace ordain::native {

/// The attribute of a function that is worth thorough optimisation: it may loop, or it answers for
/// many rules.
inline constexpr const char* kThorough = "ordain-thorough";

/// @returns everything that native code depends on besides its source: LLVM's version, the
/// processor and its features
std::string target_identity();

/// One target machine and one linking session. Used by one thread at a time; the code lives as long
/// as the backend.
class Backend {
 public:
  /// @param optimisation 0, 1 or 2.
  static Result<std::shared_ptr<Backend>> create(int optimisation);
  ~Backend();

  const llvm::DataLayout& layout() const;
  const std::string& triple() const;

  /// Makes symbols and their addresses known to the code that is compiled from now on.
  Result<void> define(const std::vector<std::pair<std::string, void*>>& symbols);

  /// Optimises, compiles and links the module, and finds its functions `names`.
  /// @param table a name for the module's one public symbol, distinct from all others of this
  /// backend
  /// @param quick as for optimisation 0: for functions so large that more would take too long
  /// @param object if not nullptr: receives the object from which `link` makes the same functions
  Result<std::vector<void*>> compile(llvm::Module& module, const std::vector<std::string>& names,
                                     const std::string& table, bool quick, std::string* object = nullptr);

  /// Links an object that `compile` left in `object`. It runs unchecked, so the caller must trust
  /// it. @returns the functions, in the order of their names.
  Result<std::vector<void*>> link(std::string_view object, const std::string& table, size_t functions);

  size_t code_bytes() const;  ///< of native code so far

 private:
  struct Parts;
  explicit Backend(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace ordain::native
