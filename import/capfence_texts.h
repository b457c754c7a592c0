// The text conditions of CapFence's rules: contains, match_keywords, match_regex.
#pragma once

#include <string>
#include <vector>

#include "import/capfence_conditions.h"

namespace ordain::importer {

/// Reads the text keys and `threshold`. What blocks searches every text of the call in any spelling; what allows wants
/// every text to match, and nothing behind it.
void read_text_conditions(Fields& rule, const RuleReading& reading, RuleText& out);

/// The element, or elements, of a key that is a text or a list.
std::vector<const Yaml*> nodes(Fields& rule, const std::string& key);

}  // namespace ordain::importer
