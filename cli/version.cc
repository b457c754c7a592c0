#include "cli/version.h"

#include <fmt/format.h>

#include "embed/code_generator.h"
#include "ordain/c.h"
#include "runtime/audit/fields.h"
#include "vm/program/format.h"

namespace ordain::cli {
namespace {

std::string native_code() {
  const auto generator = detail::open_code_generator();
  if (generator) return "native code by LLVM " + (*generator)->llvm_version();
  return "without native code: " + generator.error().message;
}

}  // namespace

std::string version_text() {
  return fmt::format("ordain {}\nprogram format {}\nrecord format {}\nC ABI {}\n{}", ORDAIN_VERSION, format::kVersion,
                     int{detail::kRecordVersion}, ORDAIN_ABI_VERSION, native_code());
}

}  // namespace ordain::cli
