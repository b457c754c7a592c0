// symbols.h says where each name of a set of policies is defined and used.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/parse/syntax.h"
#include "ordain/diagnostic.h"

namespace ordain::lsp {

enum class SymbolKind : uint8_t {
  capability,
  let,
  state,  ///< a history, rate or budget
  policy,
  rule,
  label,
  fixture,  ///< a `let` of a test, or a column of its table
};

struct Symbol {
  SymbolKind kind = SymbolKind::let;
  std::string name;     ///< with its package or its policy: "payments.limit"
  std::string package;  ///< of lets and states
  StateKind state = StateKind::history;
};

struct Occurrence {
  Span span;
  uint32_t symbol = 0;
  bool defines = false;
};

class SymbolIndex {
 public:
  SymbolIndex() = default;
  SymbolIndex(const std::vector<syntax::File>& files, const std::vector<std::shared_ptr<const Source>>& sources);

  const std::vector<Symbol>& symbols() const& { return symbols_; }
  const std::vector<Symbol>& symbols() const&& = delete;
  /// The occurrence that a byte is in, or at an end of; nullptr if there is none.
  const Occurrence* find(uint32_t file, size_t offset) const&;
  /// All of a file, in the order of the text.
  const std::vector<Occurrence>& of_file(uint32_t file) const& { return files_[file]; }
  const std::vector<Occurrence>& of_file(uint32_t file) const&& = delete;
  /// All of a symbol, by file and place.
  std::vector<Occurrence> of_symbol(uint32_t symbol) const;
  /// The let or state that a dotted name means in a package; UINT32_MAX if there is none.
  uint32_t find_value(std::string_view package, std::string_view name) const;

 private:
  friend class SymbolCollector;

  std::vector<Symbol> symbols_;
  std::vector<std::vector<Occurrence>> files_;
  std::map<std::pair<SymbolKind, std::string>, uint32_t> ids_;
  std::map<std::string, uint32_t, std::less<>> values_;  // lets and states, by qualified name
};

/// The last part of a dotted name.
std::string_view bare_name(std::string_view name);

}  // namespace ordain::lsp
