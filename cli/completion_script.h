// Completion scripts for shells, made from the command tree, so that they know every command and option there is.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace ordain::cli {

std::string bash_completion(const CommandShape& root);
std::string zsh_completion(const CommandShape& root);
std::string fish_completion(const CommandShape& root);

}  // namespace ordain::cli
