// words.h declares the phrases that messages of all passes use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ordain {

std::string quoted(std::string_view name);                                                    ///< `name`
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);  ///< or ""

}  // namespace ordain
