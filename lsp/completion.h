// completion.h lists what may stand at a place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lsp/model.h"

namespace ordain::lsp {

/// The numbers are the protocol's.
enum class CompletionKind : uint8_t {
  method = 2,
  function = 3,
  field = 5,
  variable = 6,
  type = 7,
  module = 9,
  value = 12,
  keyword = 14,
  rule = 20,
  capability = 23,
};

struct Completion {
  std::string label;
  CompletionKind kind = CompletionKind::keyword;
  std::string detail;
  std::string doc;      ///< Markdown
  std::string snippet;  ///< with placeholders; "" if the label is all that is inserted
};

struct Completions {
  std::vector<Completion> items;
  size_t begin = 0;  ///< where the word begins that an item takes the place of
};

Completions complete(const SetModel& model, uint32_t file, size_t offset);

}  // namespace ordain::lsp
