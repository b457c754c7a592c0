// The reports of `ordain test --coverage`: lines and JSON, lcov for other tools, and an HTML page.
#pragma once

#include <string>

#include "ordain/compile.h"
#include "ordain/coverage.h"

namespace ordain::cli {

/// The share that is covered, and a line for each rule that is not covered wholly.
void print_coverage(const Compilation& compilation, const Coverage& coverage);

/// One object on one line: {"coverage": {...}}.
std::string coverage_json(const Compilation& compilation, const Coverage& coverage);

/// lcov's tracefile format: a rule is a function, and the sides of its condition are branches.
std::string coverage_lcov(const Compilation& compilation, const Coverage& coverage);

/// A page with the sources, which loads nothing from elsewhere.
std::string coverage_html(const Compilation& compilation, const Coverage& coverage);

}  // namespace ordain::cli
