// words.cc implements the phrases that messages of all passes use.
#include "compiler/diagnostic/words.h"

#include "ordain/diagnostic.h"

namespace ordain {

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  std::string near = nearest(word, candidates);
  return near.empty() ? "" : "did you mean `" + near + "`?";
}

}  // namespace ordain
