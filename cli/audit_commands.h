// The commands of `ordain audit` that make something: an imported log, sealed segments, proofs.
#pragma once

#include "cli/command_line.h"

namespace ordain::cli {

void add_audit_keepers(Command audit);

}  // namespace ordain::cli
