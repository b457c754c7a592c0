// shell_programs.h finds the programs that a shell line runs, those behind `env`, `sudo`, `sh -c`
// and their like included, and the files that its redirections name.
#pragma once

#include <string_view>

#include "stdlib/shell_parse.h"

namespace ordain::stdlib::shell {

/// Receives what is found. The texts live as long as the evaluation's memory.
class Findings {
 public:
  Findings() = default;
  Findings(const Findings&) = delete;
  Findings& operator=(const Findings&) = delete;
  virtual ~Findings() = default;
  /// A program as it is called, such as `rm`, or `/bin/rm` and then `rm`.
  virtual bool add_program(std::string_view name) = 0;
  /// The target of a redirection; `target` may still contain expansions.
  virtual bool add_redirection(const Item& target) = 0;
};

/// Reads `line` and the lines within it, such as the one after `sh -c`. @returns false, with the
/// fault set, where a program is not named by the line alone
bool find_programs(Eval& eval, std::string_view line, Findings& findings);

/// @returns whether an assignment to `name` changes which code a program's name stands for
bool changes_lookup(std::string_view name);

/// @returns whether a leading `~`, or a shell that reads files at home, depends on the variable `name`
bool is_tilde_variable(std::string_view name);

}  // namespace ordain::stdlib::shell
