// capfence_texts translates the text conditions of CapFence's rules: contains, match_keywords,
// match_regex.
#pragma once

#include <string>
#include <vector>

#include "import/capfence_conditions.h"

namespace ordain::importer {

/// Reads the text keys and `threshold`. A rule that blocks searches every text of the call in any
/// spelling; a rule that allows requires every text to match and to hide nothing else.
void read_text_conditions(Fields& rule, const RuleReading& reading, RuleText& out);

/// @returns the one or more elements of a key that is a text or a list
std::vector<const Yaml*> nodes(Fields& rule, const std::string& key);

}  // namespace ordain::importer
