// The half of `ordain audit` that makes something: imports, segments, proofs.
#pragma once

#include "cli/command.h"

namespace ordain::cli {

void add_audit_keepers(CLI::App* audit, Action& action);

}  // namespace ordain::cli
