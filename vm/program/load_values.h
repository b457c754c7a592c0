// Reads the things that other sections refer to: strings, types, and constants' values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vm/program/format.h"
#include "vm/program/program_data.h"

namespace ordain::format {

/// Reads `list(read())`. `smallest` is the least number of bytes of an item.
template <typename Read>
auto read_list(Reader& in, size_t smallest, const Read& read) {
  std::vector<decltype(read())> out;
  const uint32_t count = in.count(smallest);
  out.reserve(count);
  for (uint32_t i = 0; i < count && !in.failed(); ++i) out.push_back(read());
  return out;
}

/// The Reader records failures. Types and values live in `memory`.
class ValueReader {
 public:
  /// @param file_size limits, in proportion, the size of all copies of strings.
  ValueReader(Arena& memory, size_t file_size) : memory_(memory), copies_left_((size_t{16} << 20) + 32 * file_size) {}

  // Sections.
  void strings(Reader& in);
  void types(Reader& in);
  /// Whether the sections read since have used every string and every entry of `types`.
  bool all_used() const { return used_strings_ == strings_.size() && used_entries_ == entries_.size(); }

  /// Reads a string by its number. One string may be named many times, so the total size of the
  /// copies is limited in proportion to the file.
  std::string string(Reader& in);
  /// Reads a string by its number, whose one copy is in `memory`.
  std::string_view kept_string(Reader& in) { return keep_string(in); }
  /// Reads a type by its number.
  const Type* type(Reader& in);
  /// Reads a record type by its number; nullptr if there is none.
  const RecordType* record(Reader& in);
  Value value(Reader& in, uint32_t depth = 0);

 private:
  struct TypeEntry {
    const Type* type = nullptr;
    const RecordType* record = nullptr;
    Range strings;  ///< of named_strings_
    Range entries;  ///< of named_entries_
  };

  // These read numbers and check them against the tables. They return kNone after a failure, or for
  // no record.
  uint32_t string_number(Reader& in);
  uint32_t type_number(Reader& in);
  uint32_t record_number(Reader& in);

  // `serialise` numbers strings and entries in the order in which the sections from `places` on
  // first use them. When an entry is first used, so is everything that it names.
  void use_string(Reader& in, uint32_t number);
  void use_entry(Reader& in, uint32_t number);
  bool numbers_in_order(uint32_t entry) const;

  std::string_view keep_string(uint32_t string);
  std::string_view keep_string(Reader& in);
  std::string_view keep_string_by_entry(Reader& in);
  const Type* type_by_entry(Reader& in);
  const RecordType* record_entry(Reader& in);
  const Type* type_entry(Reader& in, uint8_t kind);
  const TypeLimits* limits(Reader& in);
  Value limit(Reader& in);
  Value map(Reader& in, uint32_t depth);
  Value address(Reader& in, Kind kind);

  Arena& memory_;
  size_t copies_left_;
  std::vector<std::string_view> strings_;
  std::vector<std::string_view> kept_;  ///< copies in memory_, made on first use
  std::vector<TypeEntry> entries_;
  std::vector<uint32_t> named_strings_, named_entries_;  ///< by entry, in the order of its text
  uint32_t used_strings_ = 0, used_entries_ = 0;
};

}  // namespace ordain::format
