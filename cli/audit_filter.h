// The filter options of `ordain audit query`, `count` and `export`.
#pragma once

#include <string>

#include "cli/command_line.h"
#include "ordain/audit.h"

namespace ordain::cli {

struct FilterOptions {
  AuditFilter filter;
  std::string kind, effect, from, to;
};

void add_filter(Command command, FilterOptions& options);

/// @returns error "usage" for a time that is not an RFC 3339 timestamp.
Result<AuditFilter> read_filter(const FilterOptions& options);

}  // namespace ordain::cli
