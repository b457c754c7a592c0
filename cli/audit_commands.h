// The half of `ordain audit` that makes something: imports, segments, proofs.
#pragma once

#include "cli/command_line.h"

namespace ordain::cli {

void add_audit_keepers(Command audit);

}  // namespace ordain::cli
