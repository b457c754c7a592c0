// Reading what the other sections refer to: strings, types, and constants' values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vm/program/format.h"
#include "vm/program/program_data.h"

namespace ordain::format {

/// Reads `list(read())`. `smallest`: bytes that an item takes at least.
template <typename Read>
auto read_list(Reader& in, size_t smallest, const Read& read) {
  std::vector<decltype(read())> out;
  const uint32_t count = in.count(smallest);
  out.reserve(count);
  for (uint32_t i = 0; i < count && !in.failed(); ++i) out.push_back(read());
  return out;
}

/// Failures are the Reader's. Types and values live in `memory`.
class ValueReader {
 public:
  /// @param file_size what copies of strings are held in proportion to.
  ValueReader(Arena& memory, size_t file_size) : memory_(memory), copies_left_((size_t{16} << 20) + 32 * file_size) {}

  // Sections.
  void strings(Reader& in);
  void types(Reader& in);

  /// A string by its number. One string may be named many times: all copies together stay in proportion to the file.
  std::string string(Reader& in);
  /// A type by its number.
  const Type* type(Reader& in);
  /// A record type by its number, or nullptr.
  const RecordType* record(Reader& in);
  Value value(Reader& in, uint32_t depth = 0);

 private:
  struct TypeEntry {
    const Type* type = nullptr;
    const RecordType* record = nullptr;
  };

  std::string_view view(Reader& in);
  std::string_view kept(Reader& in);
  void record_entry(Reader& in);
  void type_entry(Reader& in, uint8_t kind);
  Value map(Reader& in, uint32_t depth);
  Value address(Reader& in, Kind kind);

  Arena& memory_;
  size_t copies_left_;
  std::vector<std::string_view> strings_;
  std::vector<std::string_view> kept_;  ///< copies in memory_, made when first asked for
  std::vector<TypeEntry> entries_;
};

}  // namespace ordain::format
