// Tables holds the tables of a Program while it is being emitted: everything that code refers to
// by number, each thing once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/diagnostic/line_map.h"
#include "compiler/emit/code.h"
#include "compiler/emit/let_sharing.h"
#include "ordain/diagnostic.h"
#include "ordain/function.h"
#include "vm/program/program_data.h"

namespace ordain::emission {

/// Adds to `data` without repetition. Numbers are in order of first use, so the same policies give
/// the same tables.
class Tables {
 public:
  Tables(ProgramData& data, const Diagnostics& diagnostics);

  /// Returns kNone for a span that does not belong to a source.
  uint32_t location(const Span& span);
  uint32_t constant(const Value& value);
  uint32_t text_constant(std::string_view text) { return constant(Value::string(text)); }
  SymbolId symbol(std::string_view text);
  /// Adds the set of the strings in a constant list.
  uint32_t symbol_set(const Value& list);
  /// Returns the bit of `slot`, counted from the slot's first bit, that says whether its list holds
  /// `text`.
  uint32_t member_bit(SlotId slot, std::string_view text);
  /// Adds a text that the index looks for.
  uint32_t literal(std::string_view text, IndexLiteral::Where where, bool ignore_case);
  uint32_t import(const Overload& overload);
  /// Adds the globs that a rule for undeclared capabilities applies to.
  uint32_t target_set(const GlobSet& globs);
  uint32_t dynamic_import(const Function& function, size_t args);
  uint32_t prepared(uint32_t import, uint32_t constant);
  /// Returns kNone if the program has no room for another shared let.
  uint32_t shared_let(LetSharing& lets, const typed::Node& node, uint8_t kind) {
    return lets.number(data_, node, kind);
  }
  /// Copies finished code into the program, or finds equal code there.
  uint32_t predicate(const CodeBuffer& code, uint8_t result);

  const Schema& schema() const { return data_.schema; }
  const Slot& slot(SlotId id) const { return data_.schema.slots[id]; }
  void mark_compared(SlotId id) { data_.schema.slots[id].compared = true; }

  /// Numbers the membership bits and writes them into the code. Call it once, after everything is
  /// emitted.
  void finish_bits();

 private:
  uint32_t add_constant(const Value& value);
  bool same_predicate(const Predicate& predicate, const CodeBuffer& code, uint8_t result) const;

  ProgramData& data_;
  std::vector<LineMap> lines_;
  std::unordered_map<uint64_t, uint32_t> locations_;
  std::unordered_multimap<uint64_t, uint32_t> constants_;               ///< by hash
  std::map<std::pair<const void*, uint32_t>, uint32_t> big_constants_;  ///< added lists and maps: address, count
  std::unordered_map<std::string, SymbolId> symbols_;
  std::map<std::vector<SymbolId>, uint32_t> symbol_sets_;
  std::map<std::pair<const void*, uint32_t>, uint32_t> sets_by_list_;  ///< address, count
  std::map<std::tuple<uint32_t, IndexLiteral::Where, bool>, uint32_t> literals_;
  std::unordered_map<uint64_t, uint32_t> member_bits_;  ///< by slot and symbol
  std::unordered_map<const Overload*, uint32_t> imports_;
  std::map<std::pair<const Function*, size_t>, uint32_t> dynamic_imports_;
  std::unordered_map<uint64_t, uint32_t> prepared_;
  std::unordered_map<GlobSet, uint32_t> target_sets_;
  std::unordered_multimap<uint64_t, uint32_t> predicates_;  ///< by hash
};

/// Copies all types that `schema` points to, and the strings within them, into `arena`.
void own_types(Arena& arena, Schema& schema);

}  // namespace ordain::emission
