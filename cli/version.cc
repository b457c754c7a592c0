#include "cli/version.h"

#include <fmt/format.h>

#include "ordain/c.h"
#include "runtime/audit/fields.h"
#include "vm/program/format.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::cli {
namespace {

std::string native_code() {
#ifdef ORDAIN_HAS_JIT
  return "native code by LLVM " + llvm_version();
#else
  return "without native code";
#endif
}

}  // namespace

std::string version_text() {
  return fmt::format("ordain {}\nprogram format {}\nrecord format {}\nC ABI {}\n{}", ORDAIN_VERSION, format::kVersion,
                     int{detail::kRecordVersion}, ORDAIN_ABI_VERSION, native_code());
}

}  // namespace ordain::cli
